"""Who is in the picture: the clip's cast, and the random casts of training pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np
import people
import plan
import vehicles
from shapes import linear, place
from street import CAR, LANE, PARKING, PERSON, Layout


@dataclass(frozen=True)
class Wardrobe:
    """The meshes that actors are instances of."""

    cars: dict[str, bpy.types.Mesh]
    crowd: people.Crowd


@dataclass
class Actor:
    """A mover together with its object in the scene."""

    mover: plan.Mover
    thing: bpy.types.Object
    person: bool


def park(layout: Layout, wardrobe: Wardrobe, rng: np.random.Generator, fill: float) -> list[tuple[float, float, float]]:
    """Fill the parking lanes; returns (s, lat, length) of each car."""
    kinds = ("sedan", "hatch", "hatch", "estate", "suv", "suv", "van")
    taken = []
    for has, side in ((layout.park_right, 1), (layout.park_left, -1)):
        s = layout.start + 3
        while has and s < layout.end - 6:
            s += 5.8
            if rng.random() > fill or layout.near_gap(s, 9.0):
                continue
            kind = kinds[int(rng.integers(len(kinds)))]
            lat = side * (layout.lanes * LANE + PARKING / 2 + rng.uniform(-0.05, 0.12))
            at = s + rng.uniform(-0.3, 0.3)
            yaw = layout.heading(at) + (0 if side > 0 else math.pi) + rng.uniform(-0.02, 0.02)
            place(wardrobe.cars[kind], layout.point(at, lat), yaw, CAR, vehicles.colour(rng, kind))
            taken.append((at, lat, vehicles.LENGTHS[kind]))
    return taken


def clip_cast(wardrobe: Wardrobe) -> list[Actor]:
    """The actors of the clip."""
    cast = []
    for mover in plan.cars():
        options = vehicles.MODELS[mover.kind].colours or vehicles.PAINTS
        thing = place(wardrobe.cars[mover.kind], (0, 0, 0), 0, CAR, linear(*options[mover.colour % len(options)]))
        cast.append(Actor(mover, thing, False))
    for mover in plan.people():
        thing = place(wardrobe.crowd.standing[mover.kind], (0, 0, 0), 0, PERSON, linear(*people.TOPS[mover.colour]))
        cast.append(Actor(mover, thing, True))
    return cast


def act(cast: list[Actor], layout: Layout, wardrobe: Wardrobe, t: float) -> None:
    """Put everybody where they are after `t` seconds."""
    for number, actor in enumerate(cast):
        s, lat = actor.mover.track(t)
        s0, lat0 = actor.mover.track(0.0)
        up = 0.0
        if actor.person:
            walked = math.hypot(s - s0, lat - lat0)
            before = actor.mover.track(t - 0.05)
            if before == (s, lat):
                actor.thing.data = wardrobe.crowd.standing[actor.mover.kind]
            else:
                actor.thing.data = wardrobe.crowd.pose(actor.mover.kind, walked + 0.37 * number)
            up = 0.12 if lat > layout.right or lat < -layout.left else 0.0
        actor.thing.location = layout.point(s, lat, up)
        actor.thing.rotation_euler = (0, 0, layout.heading(s) + actor.mover.heading)


def random_cast(
    layout: Layout,
    wardrobe: Wardrobe,
    rng: np.random.Generator,
    ego: tuple[float, float],
    parked: list[tuple[float, float, float]],
) -> list[bpy.types.Object]:
    """A random moment around the camera at (s, lat): traffic in every lane, people beside and on the road."""
    made: list[bpy.types.Object] = []
    boxes = [(s, lat, length / 2 + 0.2, 1.15) for s, lat, length in parked]
    kinds = ("sedan", "sedan", "hatch", "hatch", "estate", "suv", "suv", "van", "truck")
    density = rng.uniform(0.25, 1.0)

    def drive(kind: str, s: float, lat: float, heading: float) -> None:
        tint = vehicles.colour(rng, kind)
        made.append(place(wardrobe.cars[kind], layout.point(s, lat), layout.heading(s) + heading, CAR, tint))
        along = abs(math.cos(heading)) > 0.5
        half = vehicles.LENGTHS[kind] / 2 + 0.2
        boxes.append((s, lat, half if along else 1.2, 1.2 if along else half))

    for lane in range(layout.lanes):
        for side in (1, -1):
            lat = side * (lane + 0.5) * LANE
            mine = abs(lat - ego[1]) < 1.6
            s = ego[0] + (rng.uniform(5.5, 30) if mine else rng.uniform(-2, 25))
            while s < min(ego[0] + 130, layout.end - 8):
                kind = kinds[int(rng.integers(len(kinds)))]
                s += vehicles.LENGTHS[kind] / 2
                if rng.random() < density and (mine or s > ego[0] + 1):
                    wobble = rng.uniform(-0.3, 0.3)
                    drive(kind, s, lat + wobble, (0 if side > 0 else math.pi) + rng.normal(0, 0.02))
                s += vehicles.LENGTHS[kind] / 2 + rng.uniform(2, 28)
    for road in layout.side_roads:
        if ego[0] + 7 < road < ego[0] + 70 and rng.random() < 0.5:
            way = 1 if rng.random() < 0.5 else -1
            lat = way * rng.uniform(layout.right + 1, layout.right + 18)
            heading = rng.choice((-1, 1)) * math.pi / 2
            drive(kinds[int(rng.integers(8))], road + 1.6 * math.copysign(1, heading), lat, heading)

    names = [b.name for b in people.BUILDS]

    def walk(s: float, lat: float, heading: float, standing: bool) -> None:
        if any(abs(s - b[0]) < b[2] + 0.1 and abs(lat - b[1]) < b[3] for b in boxes):
            return
        if math.hypot(s - ego[0], lat - ego[1]) < 3.0:
            return
        name = names[int(rng.integers(len(names)))]
        crowd = wardrobe.crowd
        mesh = crowd.standing[name] if standing else crowd.pose(name, rng.uniform(0, 10))
        up = 0.12 if lat > layout.right or lat < -layout.left else 0.0
        yaw = layout.heading(s) + heading + rng.normal(0, 0.15)
        person = place(mesh, layout.point(s, lat, up), yaw, PERSON, people.colour(rng))
        person.scale = (1, 1, rng.uniform(0.94, 1.06))
        made.append(person)

    for side in (1, -1):
        edge = layout.right if side > 0 else layout.left
        for _ in range(int(rng.integers(2, 18))):
            s = ego[0] + 3 + 70 * rng.random() ** 1.4
            lat = side * (edge + rng.uniform(0.5, layout.pavement - 0.3))
            heading = math.pi * float(rng.integers(2))
            standing = rng.random() < 0.2
            for k in range(1 + int(rng.random() < 0.35) + int(rng.random() < 0.1)):
                walk(
                    s + rng.uniform(-0.3, 0.3),
                    lat + 0.6 * k,
                    heading if not standing else rng.uniform(0, 6.3),
                    standing,
                )
    for _ in range(int(rng.choice((0, 1, 2, 3), p=(0.25, 0.35, 0.25, 0.15)))):
        s = ego[0] + 4.5 + 32 * rng.random() ** 1.3
        near = [c for c in layout.crossings if 5 < c - ego[0] < 45]
        if near and rng.random() < 0.7:
            s = near[0] + rng.uniform(-1.4, 1.4)
        heading = rng.choice((-1, 1)) * math.pi / 2
        for _ in range(int(rng.integers(1, 4))):
            walk(s + rng.uniform(-1, 1), rng.uniform(-layout.left, layout.right), heading, rng.random() < 0.1)
    return made
