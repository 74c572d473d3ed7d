"""People: limbs lofted along a walking skeleton, in several builds and clothes, one mesh per phase of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np
from shapes import MeshBuilder, Point, linear

PHASES = 14
TOPS = (
    (34, 44, 70), (24, 24, 26), (110, 112, 116), (150, 34, 36), (52, 88, 64), (196, 150, 50), (214, 212, 206),
    (40, 110, 116), (188, 110, 122), (84, 62, 110), (70, 96, 150), (120, 84, 58), (196, 90, 40), (60, 62, 66),
)  # fmt: skip


@dataclass(frozen=True)
class Build:
    """One figure: its height, girth and what it wears."""

    name: str
    height: float = 1.74
    girth: float = 1.0
    coat: float = 0.0  # how far the top hangs below the hips, metres
    skirt: bool = False
    long_hair: bool = False
    bag: bool = False
    hat: bool = False


BUILDS = (
    Build("man", 1.78),
    Build("woman", 1.66, 0.9, long_hair=True),
    Build("coat", 1.72, 1.05, coat=0.38),
    Build("skirt", 1.64, 0.9, skirt=True, long_hair=True),
    Build("rucksack", 1.76, 1.0, bag=True),
    Build("stout", 1.70, 1.25, hat=True),
    Build("child", 1.22, 0.95, bag=True),
)


def _swing(origin: Point, angle: float, length: float) -> Point:
    """The point `length` below `origin`, swung forwards (+y) by `angle`."""
    return (origin[0], origin[1] + math.sin(angle) * length, origin[2] - math.cos(angle) * length)


def _oval(z: float, rx: float, ry: float, y: float = 0.0, sides: int = 14) -> list[Point]:
    angles = [2 * math.pi * k / sides for k in range(sides)]
    return [(rx * math.cos(a), y + ry * math.sin(a), z) for a in angles]


def figure(build: Build, phase: float, materials: dict[str, bpy.types.Material], stride: float = 1.0) -> bpy.types.Mesh:
    """One figure facing +y; `phase` runs 0..1 over a double step, `stride` 0 stands still."""
    b, g, turn = MeshBuilder(), build.girth, 2 * math.pi * phase
    lift = 0.018 * stride * math.cos(2 * turn)
    hip = 0.93 + lift
    for side, shift in ((-1, 0.0), (1, math.pi)):
        swing = math.sin(turn + shift)
        thigh = 0.46 * stride * swing + 0.04
        knee_bend = stride * (0.12 + 0.85 * max(0.0, math.cos(turn + shift)) ** 1.5)
        top = (side * 0.092 * g, 0.0, hip)
        knee = _swing(top, thigh, 0.44)
        ankle = _swing(knee, thigh - knee_bend, 0.42)
        middle = tuple((p + q) / 2 for p, q in zip(knee, ankle, strict=True))
        calf = (middle[0], middle[1] - 0.015, middle[2] + 0.06)
        low = (ankle[0], ankle[1], ankle[2] - 0.02)
        lower = "skin" if build.skirt else "legs"
        b.tube((top, _swing(top, thigh, 0.2), knee), (0.092 * g, 0.082 * g, 0.06), "legs", 10)
        b.tube((knee, calf, low), (0.06, 0.056 * g, 0.042), lower, 10)
        pitch = thigh - knee_bend
        toe = (ankle[0], ankle[1] + 0.17 * math.cos(pitch), ankle[2] - 0.055 + 0.17 * math.sin(pitch) * 0.8)
        heel = (ankle[0], ankle[1] - 0.06, ankle[2] - 0.045)
        b.tube((heel, (ankle[0], ankle[1] + 0.03, ankle[2] - 0.042), toe), (0.04, 0.05, 0.03), "shoe", 8)
        shoulder = (side * (0.185 * g + 0.012), -0.01, hip + 0.50)
        arm = -0.42 * stride * swing
        elbow = _swing(shoulder, arm - 0.05, 0.29)
        elbow = (elbow[0] + side * 0.04, elbow[1], elbow[2])
        wrist = _swing(elbow, arm + 0.25 + 0.25 * stride, 0.25)
        b.tube((shoulder, elbow, wrist), (0.058 * g, 0.047 * g, 0.036), "top", 8)
        b.ellipsoid((wrist[0], wrist[1] + 0.01, wrist[2] - 0.05), (0.03, 0.04, 0.07), "skin", 8, 5)
    hem = hip - 0.06 - build.coat
    flare = 1.0 + 0.5 * build.coat
    torso = [
        _oval(hem, 0.172 * g * flare, 0.125 * g * flare),
        _oval(hip + 0.02, 0.170 * g, 0.122 * g),
        _oval(hip + 0.18, 0.150 * g, 0.112 * g * (1.15 if g > 1.1 else 1.0), 0.01),
        _oval(hip + 0.36, 0.178 * g, 0.122 * g, 0.005),
        _oval(hip + 0.48, 0.192 * g, 0.105 * g, -0.005),
        _oval(hip + 0.545, 0.150 * g, 0.085 * g, -0.01),
        _oval(hip + 0.575, 0.065, 0.065, -0.005),
    ]
    b.loft(torso, "top")
    if build.skirt:
        b.loft([_oval(hip - 0.46, 0.25, 0.23), _oval(hip - 0.2, 0.20, 0.16), _oval(hip + 0.06, 0.152, 0.115)], "legs")
    b.tube(((0, 0, hip + 0.54), (0, 0.015, hip + 0.66)), (0.056, 0.052), "skin", 10)
    b.ellipsoid((0, 0.03, hip + 0.735), (0.074, 0.092, 0.112), "skin", 14, 10)
    b.ellipsoid((0, 0.005, hip + 0.765), (0.083, 0.095, 0.098), "hair", 14, 8)
    if build.long_hair:
        b.ellipsoid((0, -0.045, hip + 0.66), (0.085, 0.05, 0.14), "hair", 12, 8)
    if build.hat:
        b.loft([_oval(hip + 0.80, 0.13, 0.15, 0.02), _oval(hip + 0.815, 0.13, 0.15, 0.02)], "shoe")
        b.loft([_oval(hip + 0.80, 0.088, 0.1), _oval(hip + 0.9, 0.075, 0.088)], "shoe")
    if build.bag:
        b.box((0, -0.19, hip + 0.33), (0.29, 0.15, 0.40), "bag", 0.0, 0.85)
    scale = build.height / 1.78
    b.verts = [(x * scale, y * scale, z * scale) for x, y, z in b.verts]
    floor = min(v[2] for v in b.verts)
    b.verts = [(x, y, z - floor) for x, y, z in b.verts]
    return b.to_mesh(f"{build.name}_{phase:.2f}", materials)


@dataclass(frozen=True)
class Crowd:
    """The meshes of every build: one standing and `PHASES` walking."""

    standing: dict[str, bpy.types.Mesh]
    walking: dict[str, list[bpy.types.Mesh]]

    def pose(self, name: str, walked: float) -> bpy.types.Mesh:
        """The mesh of a figure that has walked so many metres."""
        steps = self.walking[name]
        double_step = 1.45 * next(b.height for b in BUILDS if b.name == name) / 1.75
        return steps[int(walked / double_step * PHASES) % PHASES]


def build_crowd(materials: dict[str, bpy.types.Material]) -> Crowd:
    """Make every figure in every phase once; the scenes show instances of them."""
    standing = {b.name: figure(b, 0.1, materials, 0.12) for b in BUILDS}
    walking = {b.name: [figure(b, k / PHASES, materials) for k in range(PHASES)] for b in BUILDS}
    return Crowd(standing, walking)


def colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """A colour for the upper clothes."""
    return linear(*TOPS[int(rng.integers(len(TOPS)))])
