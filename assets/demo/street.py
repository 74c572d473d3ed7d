"""The street itself: carriageway, markings, pavements, side roads, furniture and the closed horizon."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import bpy
import buildings
import numpy as np
from shapes import MeshBuilder, Point, linear, place

BACKGROUND, ROAD, CAR, PERSON = 0, 1, 2, 3
LANE = 3.3
PARKING = 2.1
STEP = 4.0


@dataclass(frozen=True)
class Layout:
    """The plan of a street; positions are `s` along and `lat` to the right of its middle line."""

    bend: float = 4.0
    wave: float = 260.0
    phase: float = 0.0
    lanes: int = 1  # per direction
    park_right: bool = True
    park_left: bool = True
    pavement: float = 3.0
    setback: float = 3.0
    start: float = -36.0
    end: float = 250.0
    crossings: tuple[float, ...] = ()
    side_roads: tuple[float, ...] = ()
    traits: dict[str, float] = field(default_factory=dict)

    @property
    def right(self) -> float:
        """Half width of the carriageway on the right."""
        return self.lanes * LANE + (PARKING if self.park_right else 0.3)

    @property
    def left(self) -> float:
        """Half width of the carriageway on the left."""
        return self.lanes * LANE + (PARKING if self.park_left else 0.3)

    def heading(self, s: float) -> float:
        """Turn about the vertical that makes +y follow the street."""
        k = 2 * math.pi / self.wave
        return -math.atan(self.bend * k * math.cos(k * s + self.phase))

    def point(self, s: float, lat: float, z: float = 0.0) -> Point:
        """World position."""
        k = 2 * math.pi / self.wave
        x = self.bend * (math.sin(k * s + self.phase) - math.sin(self.phase))
        yaw = self.heading(s)
        return (x + lat * math.cos(yaw), s + lat * math.sin(yaw), z)

    def near_gap(self, s: float, margin: float) -> bool:
        """Whether `s` lies within `margin` of a crossing or side road."""
        if any(abs(s - c) < margin for c in self.crossings):
            return True
        return any(abs(s - r) < margin + 3.5 for r in self.side_roads)


def _ribbon(
    b: MeshBuilder, plan: Layout, span: tuple[float, float], lats: tuple[float, float], z: float, m: str
) -> None:
    """A strip along the street between two lateral positions."""
    count = max(1, math.ceil((span[1] - span[0]) / STEP))
    stops = np.linspace(span[0], span[1], count + 1)
    verts = [plan.point(s, lat, z) for s in stops for lat in lats]
    b.add(verts, [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(count)], m)


def _spans(plan: Layout, gap: float) -> Iterator[tuple[float, float]]:
    """The stretches between side roads."""
    at = plan.start
    for road in sorted(plan.side_roads):
        yield (at, road - gap)
        at = road + gap
    yield (at, plan.end)


def _markings(b: MeshBuilder, plan: Layout, rng: np.random.Generator) -> None:
    z = 0.006
    solid = rng.random() < 0.25
    for low, high in _spans(plan, 4.5):
        if solid:
            for lat in (-0.16, 0.04):
                _ribbon(b, plan, (low, high), (lat, lat + 0.12), z, "line")
        dash, pause = (3.0, 4.5) if rng.random() < 0.6 else (4.0, 4.0)
        s = low
        while s < high - dash:
            clear = not any(abs(s + dash / 2 - c) < 5.0 for c in plan.crossings)
            if not solid and clear:
                _ribbon(b, plan, (s, s + dash), (-0.07, 0.07), z, "line")
            for lane in range(1, plan.lanes):
                if clear:
                    for lat in (-lane * LANE, lane * LANE):
                        _ribbon(b, plan, (s, s + dash), (lat - 0.06, lat + 0.06), z, "line")
            s += dash + pause
        for parks, side in ((plan.park_right, 1), (plan.park_left, -1)):
            edge = side * plan.lanes * LANE
            if parks:
                for s in np.arange(low + 2, high - 2, 5.8):
                    if not plan.near_gap(s, 6.0):
                        _ribbon(b, plan, (s, s + 0.1), tuple(sorted((edge, edge + side * PARKING))), z, "line")
                        ends = tuple(sorted((edge - side * 0.05, edge + side * 0.05)))
                        _ribbon(b, plan, (s - 0.8, s + 0.9), ends, z, "line")
            else:
                _ribbon(b, plan, (low, high), (edge - 0.06, edge + 0.06), z, "line")
    for crossing in plan.crossings:
        lat = -plan.left + 0.4
        while lat < plan.right - 0.7:
            _ribbon(b, plan, (crossing - 1.6, crossing + 1.6), (lat, lat + 0.5), z, "line")
            lat += 1.0
        _ribbon(b, plan, (crossing - 3.0, crossing - 2.7), (0.1, plan.lanes * LANE), z, "line")
        _ribbon(b, plan, (crossing + 2.7, crossing + 3.0), (-plan.lanes * LANE, -0.1), z, "line")


def _kerbed(b: MeshBuilder, plan: Layout, span: tuple[float, float], side: int) -> None:
    """A raised pavement with its kerb stones on one side."""
    edge = side * (plan.right if side > 0 else plan.left)
    out = edge + side * plan.pavement
    _ribbon(b, plan, span, tuple(sorted((edge, edge + side * 0.16))), 0.125, "kerb")
    _ribbon(b, plan, span, tuple(sorted((edge + side * 0.16, out))), 0.12, "paving")
    count = max(1, math.ceil((span[1] - span[0]) / STEP))
    stops = np.linspace(span[0], span[1], count + 1)
    for lat in (edge, out):
        face = [plan.point(s, lat, z) for s in stops for z in (0.0, 0.125)]
        b.add(face, [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(count)], "kerb")
    for s in span:
        b.quad(plan.point(s, edge), plan.point(s, out), plan.point(s, out, 0.125), plan.point(s, edge, 0.125), "kerb")


def _side_road(road: MeshBuilder, rest: MeshBuilder, plan: Layout, s: float) -> None:
    """A road that leaves on both sides, with its own kerbs."""
    yaw = plan.heading(s)
    cos, sin = math.cos(yaw), math.sin(yaw)
    origin = plan.point(s, 0.0)

    def at(lat: float, along: float, z: float) -> Point:
        return (origin[0] + lat * cos - along * sin, origin[1] + lat * sin + along * cos, z)

    for side, half in ((1, plan.right), (-1, plan.left)):
        near, far = side * (half - 0.5), side * (half + 75)
        road.quad(at(near, -3.4, -0.003), at(far, -3.4, -0.003), at(far, 3.4, -0.003), at(near, 3.4, -0.003), "asphalt")
        for k in range(9):
            a = side * (half + 1.5 + 7 * k)
            road.quad(
                at(a, -0.06, 0.005),
                at(a + side * 3, -0.06, 0.005),
                at(a + side * 3, 0.06, 0.005),
                at(a, 0.06, 0.005),
                "line",
            )
        begin = side * (half + plan.pavement)
        for edge, out in ((3.4, 5.9), (-3.4, -5.9)):
            rest.quad(at(begin, edge, 0.12), at(far, edge, 0.12), at(far, out, 0.12), at(begin, out, 0.12), "paving")
            rest.quad(at(begin, edge, 0.0), at(far, edge, 0.0), at(far, edge, 0.12), at(begin, edge, 0.12), "kerb")


def _ground(plan: Layout, materials: dict[str, bpy.types.Material], rng: np.random.Generator) -> None:
    road, rest = MeshBuilder(), MeshBuilder()
    _ribbon(road, plan, (plan.start, plan.end), (-plan.left, plan.right), 0.0, "asphalt")
    far = plan.end
    road.quad(
        (-150, far - 1, -0.004), (150, far - 1, -0.004), (150, far + 9, -0.004), (-150, far + 9, -0.004), "asphalt"
    )
    for _ in range(14):
        s, lat = rng.uniform(plan.start, plan.end - 10), rng.uniform(-plan.left + 1, plan.right - 1)
        _ribbon(
            road,
            plan,
            (s, s + rng.uniform(1, 9)),
            (lat - rng.uniform(0.3, 1), lat + rng.uniform(0.3, 1)),
            0.003,
            "patch",
        )
    for _ in range(10):
        x, y, _z = plan.point(rng.uniform(plan.start, plan.end - 10), rng.uniform(-plan.left + 1, plan.right - 1))
        ring = [(x + 0.32 * math.cos(k * 0.45), y + 0.32 * math.sin(k * 0.45), 0.005) for k in range(14)]
        road.add(ring, (tuple(range(14)),), "metal")
    _markings(road, plan, rng)
    for span in _spans(plan, 3.4):
        for side in (-1, 1):
            _kerbed(rest, plan, span, side)
    for s in plan.side_roads:
        _side_road(road, rest, plan, s)
    rest.quad((-900, -400, -0.03), (900, -400, -0.03), (900, 1400, -0.03), (-900, 1400, -0.03), "grass")
    place(road.to_mesh("road", materials), (0, 0, 0), 0, ROAD)
    place(rest.to_mesh("ground", materials), (0, 0, 0), 0, BACKGROUND)


def _hills(materials: dict[str, bpy.types.Material], rng: np.random.Generator) -> None:
    """A ring of low hills so that no view ends in an empty horizon."""
    n = 96
    angles = 2 * math.pi * np.arange(n) / n
    waves = sum(rng.uniform(0.3, 1) * np.sin(k * angles + rng.uniform(0, 6.3)) for k in (2, 3, 5, 8, 13))
    heights = 30 + 9 * waves + rng.uniform(-2, 2, n)
    b = MeshBuilder()
    inner = [(600 * math.cos(a), 120 + 600 * math.sin(a), -2) for a in angles]
    outer = [(800 * math.cos(a), 120 + 800 * math.sin(a), max(8.0, h)) for a, h in zip(angles, heights, strict=True)]
    b.loft([inner, outer], "hill", caps=False)
    place(b.to_mesh("hills", materials), (0, 0, 0), 0, BACKGROUND)


def _furniture(plan: Layout, materials: dict[str, bpy.types.Material], rng: np.random.Generator) -> None:
    """Lamp posts, signs, bins and crossing signals along the kerbs."""
    post = MeshBuilder()
    post.tube(((0, 0, 0), (0, 0, 5.6), (0, 0, 6.6)), (0.085, 0.06, 0.045), "metal", 8)
    post.tube(((0, 0, 6.55), (-0.8, 0, 6.8), (-1.5, 0, 6.82)), (0.04, 0.04, 0.03), "metal", 6)
    post.box((-1.6, 0, 6.8), (0.7, 0.24, 0.1), "metal")
    post.box((-1.65, 0, 6.74), (0.5, 0.18, 0.03), "lamp")
    signs = []
    for face in ("sign_red", "sign_blue", "sign_white"):
        b = MeshBuilder()
        b.tube(((0, 0, 0), (0, 0, 2.75)), (0.035, 0.035), "metal", 6)
        for y, m in ((-0.05, face), (0.03, "metal")):
            ring = [(0.3 * math.cos(k * 0.3927), y, 2.5 + 0.3 * math.sin(k * 0.3927)) for k in range(16)]
            b.add(ring, (tuple(range(16)),), m)
        if face == "sign_red":
            ring = [(0.21 * math.cos(k * 0.3927), -0.055, 2.5 + 0.21 * math.sin(k * 0.3927)) for k in range(16)]
            b.add(ring, (tuple(range(16)),), "sign_white")
        signs.append(b.to_mesh(face, materials))
    bin_ = MeshBuilder()
    bin_.box((0, 0, 0.45), (0.42, 0.42, 0.9), "trim", 0, 1.1)
    signal = MeshBuilder()
    signal.tube(((0, 0, 0), (0, 0, 3.3)), (0.06, 0.06), "metal", 8)
    signal.box((0, -0.12, 2.9), (0.3, 0.22, 0.9), "trim")
    for k, m in enumerate(("sign_green", "under", "under")):
        signal.ellipsoid((0, -0.24, 2.62 + 0.28 * k), (0.1, 0.03, 0.1), m, 10, 6)
    lamp_mesh, bin_mesh, signal_mesh = (
        b.to_mesh(n, materials) for b, n in ((post, "lamp_post"), (bin_, "bin"), (signal, "signal"))
    )
    for side in (-1, 1):
        edge = side * (plan.right if side > 0 else plan.left)
        for s in np.arange(plan.start + rng.uniform(0, 15), plan.end, 28.0):
            yaw = plan.heading(s) + (0 if side > 0 else math.pi)
            if not plan.near_gap(s, 3):
                place(lamp_mesh, plan.point(s, edge + side * 0.45, 0.12), yaw, BACKGROUND)
        for s in rng.uniform(plan.start, plan.end, 9):
            if not plan.near_gap(s, 1.5):
                yaw = plan.heading(s) + (0 if side > 0 else math.pi)
                place(signs[int(rng.integers(3))], plan.point(s, edge + side * 0.5, 0.12), yaw, BACKGROUND)
        for s in rng.uniform(plan.start, plan.end, 5):
            if not plan.near_gap(s, 1.5):
                place(bin_mesh, plan.point(s, edge + side * (plan.pavement - 0.4), 0.12), 0, BACKGROUND)
        for s in plan.crossings:
            yaw = plan.heading(s) + (0 if side > 0 else math.pi)
            place(signal_mesh, plan.point(s - 2.6 * side, edge + side * 0.5, 0.12), yaw, BACKGROUND)


def _trees(plan: Layout, materials: dict[str, bpy.types.Material], rng: np.random.Generator) -> None:
    kinds = [buildings.tree(rng, materials, 6.0 + 1.3 * k) for k in range(4)]
    bushes = [buildings.hedge(rng, materials, 2.0 + k) for k in range(2)]
    spacing = plan.traits.get("tree_spacing", 13.0)
    for side in (-1, 1):
        edge = side * (plan.right if side > 0 else plan.left)
        for s in np.arange(plan.start + rng.uniform(0, 9), plan.end, spacing):
            at = s + rng.uniform(-2, 2)
            if not plan.near_gap(at, 4) and rng.random() < 0.8:
                spot = plan.point(at, edge + side * rng.uniform(0.8, 1.0), 0.1)
                tree = place(kinds[int(rng.integers(4))], spot, rng.uniform(0, 6.3), BACKGROUND)
                tree.scale = (1, 1, 1) if rng.random() < 0.5 else (0.85, 0.85, 0.9)
        if plan.setback > 1.2:
            for s in np.arange(plan.start, plan.end, 3.2):
                if not plan.near_gap(s, 5) and rng.random() < 0.45:
                    spot = plan.point(s, edge + side * (plan.pavement + 0.5), 0.0)
                    place(bushes[int(rng.integers(2))], spot, plan.heading(s) + math.pi / 2, BACKGROUND)
    for _ in range(40):
        angle = rng.uniform(0, math.pi)
        spot = (rng.uniform(55, 150) * math.copysign(1, math.cos(angle)), rng.uniform(plan.start, plan.end + 60), 0.0)
        place(kinds[int(rng.integers(4))], spot, angle, BACKGROUND).scale = (1.5, 1.5, 1.5)


def _houses(plan: Layout, materials: dict[str, bpy.types.Material], rng: np.random.Generator) -> None:
    stock = [buildings.house(rng, materials, plan.traits.get("floors", 3.0)) for _ in range(9)]
    tones = [linear(*c) for c in buildings.WALLS]
    for side in (-1, 1):
        edge = side * (plan.right if side > 0 else plan.left) + side * (plan.pavement + plan.setback)
        s = plan.start - 4
        while s < plan.end - 4:
            kind = stock[int(rng.integers(len(stock)))]
            middle = s + kind.width / 2
            if any(abs(middle - r) < kind.width / 2 + 6.0 for r in plan.side_roads):
                s += 1.0
                continue
            yaw = plan.heading(middle) - side * math.pi / 2
            place(kind.mesh, plan.point(middle, edge, 0), yaw, BACKGROUND, tones[int(rng.integers(len(tones)))])
            s += kind.width + (0.0 if rng.random() < plan.traits.get("terraced", 0.6) else rng.uniform(1.5, 6))
    x = -110.0
    while x < 110:  # the far end: a row across the street
        kind = stock[int(rng.integers(len(stock)))]
        place(kind.mesh, (x + kind.width / 2, plan.end + 12, 0), 0, BACKGROUND, tones[int(rng.integers(len(tones)))])
        x += kind.width + rng.uniform(0, 2)
    for road in plan.side_roads:  # and the ends of the side roads
        for side in (-1, 1):
            kind = stock[int(rng.integers(len(stock)))]
            spot = plan.point(road, side * 86.0)
            place(kind.mesh, spot, -side * math.pi / 2, BACKGROUND, tones[int(rng.integers(len(tones)))])
            for along in (-1, 1):
                kind = stock[int(rng.integers(len(stock)))]
                spot = plan.point(road + along * 7.5, side * (plan.right + plan.pavement + 30))
                yaw = plan.heading(road) + (0 if along > 0 else math.pi)
                place(kind.mesh, spot, yaw, BACKGROUND, tones[int(rng.integers(len(tones)))])


def build(plan: Layout, materials: dict[str, bpy.types.Material], rng: np.random.Generator) -> None:
    """Everything that stands still."""
    _ground(plan, materials, rng)
    _hills(materials, rng)
    _houses(plan, materials, rng)
    _trees(plan, materials, rng)
    _furniture(plan, materials, rng)
