"""Houses with rows of windows, and the trees and hedges between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy
import numpy as np
from shapes import MeshBuilder

WALLS = (
    (226, 216, 196), (214, 196, 160), (200, 150, 120), (176, 110, 86), (236, 232, 224), (190, 190, 184),
    (160, 172, 176), (216, 180, 130), (150, 92, 74), (204, 206, 190), (184, 140, 124), (232, 204, 168),
)  # fmt: skip


@dataclass(frozen=True)
class House:
    """A house mesh (front at y = 0, facing -y) and its width along the street."""

    mesh: bpy.types.Mesh
    width: float


def _window(b: MeshBuilder, rng: np.random.Generator, x: float, z: float, w: float, h: float) -> None:
    """A framed window on the front wall with its sill; some have drapes, some a light on."""
    roll = rng.random()
    pane = "drape" if roll < 0.22 else "lit" if roll < 0.36 else "pane"
    b.quad((x - w / 2, -0.015, z), (x + w / 2, -0.015, z), (x + w / 2, -0.015, z + h), (x - w / 2, -0.015, z + h), pane)
    for dx in (-w / 2, w / 2):
        b.box((x + dx, -0.03, z + h / 2), (0.09, 0.10, h + 0.09), "frame")
    for dz in (0.0, h):
        b.box((x, -0.03, z + dz), (w, 0.10, 0.09), "frame")
    b.box((x, -0.025, z + h / 2), (0.05, 0.05, h), "frame")
    b.box((x, -0.025, z + 0.68 * h), (w, 0.05, 0.05), "frame")
    b.box((x, -0.09, z - 0.08), (w + 0.25, 0.24, 0.07), "plinth")


def _shopfront(b: MeshBuilder, rng: np.random.Generator, w: float) -> None:
    x = -w / 2 + 0.4
    while x < w / 2 - 2.0:
        wide = min(rng.uniform(1.8, 3.0), w / 2 - 0.4 - x)
        b.box((x + wide / 2, -0.02, 1.55), (wide, 0.10, 2.25), "frame")
        b.box((x + wide / 2, -0.05, 1.55), (wide - 0.16, 0.08, 2.1), "pane" if rng.random() < 0.7 else "lit")
        x += wide + 0.25
    b.box((0, -0.10, 3.0), (w - 0.5, 0.18, 0.5), "shop")
    if rng.random() < 0.6:
        deep = rng.uniform(0.9, 1.5)
        half = w / 2 - 0.5
        b.quad((-half, -0.2, 2.85), (half, -0.2, 2.85), (half, -0.2 - deep, 2.35), (-half, -0.2 - deep, 2.35), "awning")
        edge = -0.2 - deep
        b.quad((-half, edge, 2.35), (half, edge, 2.35), (half, edge, 2.15), (-half, edge, 2.15), "awning")


def _roof(b: MeshBuilder, rng: np.random.Generator, w: float, d: float, top: float, wall: str) -> None:
    kind = rng.random()
    if kind < 0.25:  # flat, with a parapet
        b.box((0, d / 2, top + 0.3), (w + 0.1, d + 0.1, 0.6), wall)
        b.box((0, d / 2 - 0.02, top + 0.64), (w + 0.3, d + 0.3, 0.1), "plinth")
        return
    rise, over = rng.uniform(2.0, 3.6), 0.35
    y0, y1, ridge = -over, d + over, d / 2
    eave = top - 0.05
    hip = 0.0 if kind < 0.75 else min(w, d) * 0.35
    x = w / 2 + 0.15
    corners = [(-x, y0, eave), (x, y0, eave), (x, y1, eave), (-x, y1, eave)]
    ends = [(-x + hip, ridge, eave + rise), (x - hip, ridge, eave + rise)]
    b.add([*corners, *ends], ((0, 1, 5, 4), (2, 3, 4, 5)), "roof")
    b.add([*corners, *ends], ((1, 2, 5), (3, 0, 4)), "roof" if hip else wall)
    b.box((0, y0 - 0.02, eave - 0.03), (2 * x, 0.13, 0.14), "plinth")
    for _ in range(int(rng.integers(1, 3))):
        b.box((rng.uniform(-w / 3, w / 3), ridge + 0.4, eave + rise), (0.8, 0.55, 1.8), "brick")
    if rise > 2.6 and kind < 0.75:
        for k in range(int(w // 4)):
            dx = -w / 2 + 2 + 4 * k
            b.box((dx, 1.5, eave + 1.2), (1.4, 2.6, 1.5), wall)
            b.box((dx, 0.17, eave + 1.25), (1.0, 0.06, 1.0), "pane")
            b.box((dx, 1.45, eave + 2.0), (1.7, 2.9, 0.12), "roof")


def house(rng: np.random.Generator, materials: dict[str, bpy.types.Material], floors: float) -> House:
    """One house of about `floors` storeys."""
    b = MeshBuilder()
    count = int(np.clip(round(floors + rng.uniform(-1, 1)), 1, 6))
    w, d = rng.uniform(7.5, 15.0), rng.uniform(8.0, 11.0)
    storey = rng.uniform(2.85, 3.3)
    top = count * storey + 0.5
    wall = "brick" if rng.random() < 0.4 else "wall"
    b.box((0, d / 2, top / 2), (w, d, top), wall)
    b.box((0, d / 2, 0.25), (w + 0.08, d + 0.08, 0.5), "plinth")
    columns = max(2, int(w // rng.uniform(2.1, 3.0)))
    pitch = w / columns
    wide, high = min(rng.uniform(0.95, 1.5), pitch - 0.7), rng.uniform(1.35, 1.75)
    shop = count > 1 and rng.random() < 0.45
    balcony = count > 2 and rng.random() < 0.3
    door = int(rng.integers(columns))
    for floor in range(count):
        base = 0.5 + floor * storey
        if floor == 0 and shop:
            _shopfront(b, rng, w)
            continue
        if floor and rng.random() < 0.5:
            b.box((0, -0.03, base - 0.02), (w + 0.02, 0.1, 0.14), "plinth")
        for k in range(columns):
            x = -w / 2 + pitch * (k + 0.5)
            if floor == 0 and k == door:
                b.box((x, -0.02, 1.35), (1.25, 0.12, 2.5), "frame")
                b.box((x, -0.05, 1.25), (1.0, 0.1, 2.2), "door")
                b.box((x, -0.5, 0.12), (1.5, 1.0, 0.24), "plinth")
                continue
            _window(b, rng, x, base + 0.75, wide, high)
            if balcony and floor and k % 2 == 0:
                b.box((x, -0.55, base + 0.1), (pitch * 0.9, 1.1, 0.14), "plinth")
                for z in (0.5, 0.75, 1.0):
                    b.box((x, -1.07, base + z), (pitch * 0.9, 0.04, 0.05), "metal")
                for dx in np.linspace(-pitch * 0.44, pitch * 0.44, 7):
                    b.box((x + dx, -1.07, base + 0.6), (0.03, 0.03, 0.9), "metal")
    b.tube(((w / 2 - 0.2, -0.08, 0), (w / 2 - 0.2, -0.08, top)), (0.05, 0.05), "metal", 6)
    for side in (-1, 1):
        for floor in range(count):
            z = 0.5 + floor * storey + 1.5
            for y in (d * 0.3, d * 0.7):
                b.box((side * (w / 2), y, z), (0.08, 1.1, 1.4), "frame")
                b.box((side * (w / 2 + 0.01), y, z), (0.08, 0.9, 1.2), "pane")
    _roof(b, rng, w, d, top, wall)
    return House(b.to_mesh("house", materials), w)


def tree(rng: np.random.Generator, materials: dict[str, bpy.types.Material], height: float) -> bpy.types.Mesh:
    """A broad-leaved tree: forked trunk, leaf cards around several crowns with dark cores."""
    b = MeshBuilder()
    fork = height * rng.uniform(0.32, 0.4)
    lean = rng.uniform(-0.15, 0.15, 2)
    neck = (lean[0], lean[1], fork)
    b.tube(((0, 0, 0), (lean[0] / 3, lean[1] / 3, fork / 2), neck), (0.19, 0.14, 0.12), "bark", 8)
    crowns = int(rng.integers(7, 10))
    for k in range(crowns):
        turn = 2 * math.pi * k / crowns + rng.uniform(-0.4, 0.4)
        out = height * rng.uniform(0.08, 0.24) if k else 0.0
        z = height * (rng.uniform(0.5, 0.84) if k else 0.86)
        centre = (neck[0] + out * math.cos(turn), neck[1] + out * math.sin(turn), z)
        bend = tuple(0.5 * (p + q) + rng.uniform(-0.1, 0.1) for p, q in zip(neck, centre, strict=True))
        b.tube((neck, bend, centre), (0.08, 0.05, 0.02), "bark", 6)
        r = height * rng.uniform(0.11, 0.17)
        b.ellipsoid(centre, (0.55 * r, 0.55 * r, 0.45 * r), "core", 8, 5)
        b.leaves(rng, centre, (r, r, 0.8 * r), 420, (0.07, 0.15))
    return b.to_mesh("tree", materials)


def hedge(rng: np.random.Generator, materials: dict[str, bpy.types.Material], length: float) -> bpy.types.Mesh:
    """A clipped hedge along x."""
    b = MeshBuilder()
    b.box((0, 0, 0.5), (length * 0.96, 0.62, 1.0), "core")
    b.leaves(rng, (0, 0, 0.52), (length / 2, 0.36, 0.55), int(330 * length), (0.04, 0.085), boxy=True)
    return b.to_mesh("hedge", materials)
