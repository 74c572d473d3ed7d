"""Mesh building blocks for the street: boxes, lofts, tubes and leaf cards gathered into one Blender mesh."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import bpy
import numpy as np

Point = tuple[float, float, float]


class MeshBuilder:
    """Gathers vertices and faces with a material name each, and turns them into one mesh."""

    def __init__(self) -> None:
        self.verts: list[Point] = []
        self.faces: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.smooth: list[bool] = []

    def add(
        self,
        verts: Iterable[Sequence[float]],
        faces: Iterable[Sequence[int]],
        material: str | Sequence[str],
        smooth: bool = False,
    ) -> None:
        """Append faces (indices local to `verts`); `material` is one name, or one name per face."""
        base = len(self.verts)
        self.verts.extend((float(v[0]), float(v[1]), float(v[2])) for v in verts)
        for number, face in enumerate(faces):
            self.faces.append(tuple(int(i) + base for i in face))
            self.names.append(material if isinstance(material, str) else material[number])
            self.smooth.append(smooth)

    def quad(self, a: Point, b: Point, c: Point, d: Point, material: str) -> None:
        """One four-cornered face."""
        self.add((a, b, c, d), ((0, 1, 2, 3),), material)

    def box(self, centre: Point, size: Point, material: str, turn: float = 0.0, taper: float = 1.0) -> None:
        """A box turned about the vertical by `turn`; its top is scaled by `taper`."""
        cx, cy, cz = centre
        hx, hy, hz = size[0] / 2, size[1] / 2, size[2] / 2
        cos, sin = math.cos(turn), math.sin(turn)
        verts = []
        for dz in (-hz, hz):
            k = taper if dz > 0 else 1.0
            for dx, dy in ((-hx, -hy), (hx, -hy), (hx, hy), (-hx, hy)):
                x, y = dx * k, dy * k
                verts.append((cx + x * cos - y * sin, cy + x * sin + y * cos, cz + dz))
        faces = ((3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
        self.add(verts, faces, material)

    def ellipsoid(self, centre: Point, radii: Point, material: str, sides: int = 12, rings: int = 8) -> None:
        """A smooth ellipsoid."""
        sections = []
        for r in range(rings + 1):
            polar = math.pi * (0.02 + 0.96 * r / rings)
            ring = []
            for k in range(sides):
                a = 2 * math.pi * k / sides
                ring.append(
                    (
                        centre[0] + radii[0] * math.sin(polar) * math.cos(a),
                        centre[1] + radii[1] * math.sin(polar) * math.sin(a),
                        centre[2] - radii[2] * math.cos(polar),
                    )
                )
            sections.append(ring)
        self.loft(sections, material)

    def loft(self, sections: Sequence[Sequence[Point]], material: str, smooth: bool = True, caps: bool = True) -> None:
        """Closed rings of equal length joined into a skin."""
        n = len(sections[0])
        verts = [p for ring in sections for p in ring]
        faces: list[tuple[int, ...]] = []
        for i in range(len(sections) - 1):
            for k in range(n):
                m = (k + 1) % n
                faces.append((i * n + k, i * n + m, (i + 1) * n + m, (i + 1) * n + k))
        if caps:
            faces.append(tuple(reversed(range(n))))
            last = (len(sections) - 1) * n
            faces.append(tuple(range(last, last + n)))
        self.add(verts, faces, material, smooth)

    def tube(self, points: Sequence[Point], radii: Sequence[float], material: str, sides: int = 8) -> None:
        """A round limb through `points`; its rings stand across the line of the limb."""
        pts = np.asarray(points, dtype=float)
        sections = []
        for i, centre in enumerate(pts):
            along = pts[min(i + 1, len(pts) - 1)] - pts[max(i - 1, 0)]
            along = along / (np.linalg.norm(along) + 1e-9)
            helper = np.array((1.0, 0.0, 0.0)) if abs(along[0]) < 0.8 else np.array((0.0, 1.0, 0.0))
            u = np.cross(helper, along)
            u /= np.linalg.norm(u)
            v = np.cross(along, u)
            angles = 2 * math.pi * np.arange(sides) / sides
            ring = centre + radii[i] * (np.outer(np.cos(angles), u) + np.outer(np.sin(angles), v))
            sections.append([tuple(p) for p in ring])
        self.loft(sections, material)

    def disc(self, centre: Point, axis_x: float, radii: Sequence[tuple[float, float]], material: str, n: int) -> None:
        """A body of revolution about the x axis; `radii` holds (offset along x, radius) pairs."""
        sections = []
        for dx, r in radii:
            angles = [2 * math.pi * k / n for k in range(n)]
            sections.append(
                [(centre[0] + axis_x * dx, centre[1] + r * math.cos(a), centre[2] + r * math.sin(a)) for a in angles]
            )
        self.loft(sections, material)

    def leaves(
        self,
        rng: np.random.Generator,
        centre: Point,
        radii: Point,
        count: int,
        size: tuple[float, float],
        material: str = "leaf",
        boxy: bool = False,
    ) -> None:
        """Small tilted rhombi scattered in an ellipsoid's (or box's) outer part."""
        if boxy:
            unit = rng.uniform(-1, 1, (count, 3))
            face = rng.integers(0, 3, count)
            unit[np.arange(count), face] = np.where(rng.random(count) < 0.5, -1.0, 1.0) * rng.uniform(0.85, 1.05, count)
        else:
            unit = rng.normal(size=(count, 3))
            unit /= np.linalg.norm(unit, axis=1, keepdims=True)
            unit *= rng.uniform(0.5, 1.0, (count, 1)) ** 0.5 * rng.uniform(0.8, 1.12, (count, 1))
        middle = np.asarray(centre) + unit * np.asarray(radii)
        a = rng.normal(size=(count, 3))
        a /= np.linalg.norm(a, axis=1, keepdims=True)
        b = np.cross(a, rng.normal(size=(count, 3)))
        b /= np.linalg.norm(b, axis=1, keepdims=True) + 1e-9
        long = rng.uniform(*size, (count, 1))
        corners = np.stack([middle + a * long, middle + b * long * 0.6, middle - a * long, middle - b * long * 0.6], 1)
        faces = np.arange(count * 4).reshape(count, 4)
        self.add(corners.reshape(-1, 3), faces, material)

    def absorb(self, mesh: bpy.types.Mesh, names: Sequence[str], smooth: bool = True) -> None:
        """Copy the faces of a finished mesh; `names` lists its material slots."""
        verts = [tuple(v.co) for v in mesh.vertices]
        faces = [tuple(p.vertices) for p in mesh.polygons]
        materials = [names[min(p.material_index, len(names) - 1)] for p in mesh.polygons]
        self.add(verts, faces, materials, smooth)

    def to_mesh(self, name: str, materials: dict[str, bpy.types.Material]) -> bpy.types.Mesh:
        """The gathered faces as a Blender mesh with its material slots filled."""
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(self.verts, [], self.faces)
        slots: dict[str, int] = {}
        for key in self.names:
            if key not in slots:
                slots[key] = len(slots)
                mesh.materials.append(materials[key])
        mesh.polygons.foreach_set("material_index", [slots[key] for key in self.names])
        mesh.polygons.foreach_set("use_smooth", self.smooth)
        mesh.update()
        return mesh


def place(
    mesh: bpy.types.Mesh, position: Point, yaw: float, class_id: int, colour: Sequence[float] | None = None
) -> bpy.types.Object:
    """Put an instance of `mesh` into the scene; `class_id` goes into the object-index pass."""
    thing = bpy.data.objects.new(mesh.name, mesh)
    thing.location = position
    thing.rotation_euler = (0.0, 0.0, yaw)
    thing.pass_index = class_id
    if colour is not None:
        thing.color = (*colour, 1.0)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def linear(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """Display colour (0..255 each) to scene-linear."""
    return ((red / 255) ** 2.2, (green / 255) ** 2.2, (blue / 255) ** 2.2)
