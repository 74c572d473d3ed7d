"""Motor vehicles: bodies lofted through cross-sections, smoothed, with cut-out wheel arches and small parts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import bpy
import numpy as np
from shapes import MeshBuilder, Point, linear

# One cross-section: y (front is +), underside height, waist height, top height, half width, half width of the roof,
# and what the stretch to the next section is: h(ood), s(creen), c(abin), p(illar), r(ear window), b(oot), v(an side).
Section = tuple[float, float, float, float, float, float, str]


@dataclass(frozen=True)
class Model:
    """The measures of one kind of vehicle."""

    name: str
    sections: tuple[Section, ...]
    axles: tuple[float, float]
    wheel: float = 0.32
    lamp_z: float = 0.66
    tail_z: float = 0.82
    colours: tuple[tuple[int, int, int], ...] = field(default=())


PAINTS = (
    (222, 223, 224), (190, 193, 197), (120, 124, 128), (62, 66, 71), (22, 23, 25), (24, 42, 86), (150, 24, 28),
    (196, 34, 34), (38, 66, 54), (44, 92, 150), (176, 164, 140), (208, 152, 40), (92, 30, 40), (235, 235, 232),
)  # fmt: skip

SEDAN = Model(
    "sedan",
    (
        (2.26, 0.30, 0.56, 0.62, 0.60, 0.50, "h"), (2.20, 0.22, 0.64, 0.69, 0.76, 0.6, "h"),
        (1.95, 0.19, 0.71, 0.77, 0.86, 0.6, "h"), (1.45, 0.19, 0.80, 0.88, 0.895, 0.6, "h"),
        (0.98, 0.19, 0.86, 0.95, 0.90, 0.68, "s"), (0.22, 0.19, 0.90, 1.40, 0.90, 0.59, "c"),
        (-0.22, 0.19, 0.91, 1.445, 0.90, 0.60, "p"), (-0.32, 0.19, 0.91, 1.445, 0.90, 0.60, "c"),
        (-1.02, 0.19, 0.93, 1.40, 0.90, 0.58, "r"), (-1.62, 0.20, 0.95, 1.03, 0.89, 0.64, "b"),
        (-2.05, 0.24, 0.92, 1.01, 0.86, 0.62, "b"), (-2.20, 0.28, 0.84, 0.96, 0.80, 0.60, "b"),
        (-2.24, 0.34, 0.74, 0.80, 0.70, 0.55, "b"),
    ),
    (1.40, -1.35),
)  # fmt: skip
HATCH = Model(
    "hatch",
    (
        (1.98, 0.30, 0.58, 0.64, 0.60, 0.5, "h"), (1.92, 0.22, 0.67, 0.73, 0.76, 0.6, "h"),
        (1.66, 0.18, 0.76, 0.83, 0.85, 0.6, "h"), (1.25, 0.18, 0.85, 0.94, 0.88, 0.6, "h"),
        (0.95, 0.18, 0.90, 0.99, 0.885, 0.68, "s"), (0.18, 0.18, 0.93, 1.46, 0.885, 0.60, "c"),
        (-0.28, 0.18, 0.94, 1.50, 0.885, 0.61, "p"), (-0.38, 0.18, 0.94, 1.50, 0.885, 0.61, "c"),
        (-1.15, 0.18, 0.98, 1.46, 0.88, 0.59, "p"), (-1.45, 0.19, 1.0, 1.40, 0.875, 0.58, "r"),
        (-1.88, 0.24, 0.96, 1.04, 0.84, 0.66, "b"), (-1.98, 0.28, 0.84, 0.92, 0.80, 0.6, "b"),
        (-2.02, 0.34, 0.72, 0.78, 0.70, 0.55, "b"),
    ),
    (1.28, -1.26),
    lamp_z=0.70,
    tail_z=0.90,
)  # fmt: skip
ESTATE = Model(
    "estate",
    (
        *SEDAN.sections[:7],
        (-0.32, 0.19, 0.91, 1.445, 0.90, 0.60, "c"), (-1.15, 0.19, 0.93, 1.43, 0.90, 0.59, "p"),
        (-1.25, 0.19, 0.93, 1.425, 0.90, 0.59, "c"), (-1.85, 0.20, 0.95, 1.38, 0.885, 0.57, "r"),
        (-2.15, 0.26, 0.92, 1.0, 0.84, 0.64, "b"), (-2.24, 0.30, 0.82, 0.9, 0.78, 0.6, "b"),
        (-2.28, 0.36, 0.70, 0.76, 0.68, 0.55, "b"),
    ),
    (1.40, -1.38),
)  # fmt: skip
SUV = Model(
    "suv",
    (
        (2.24, 0.38, 0.72, 0.80, 0.66, 0.55, "h"), (2.18, 0.28, 0.82, 0.90, 0.82, 0.62, "h"),
        (1.92, 0.24, 0.92, 1.00, 0.90, 0.64, "h"), (1.4, 0.24, 1.00, 1.08, 0.925, 0.66, "h"),
        (1.05, 0.24, 1.04, 1.13, 0.93, 0.72, "s"), (0.38, 0.24, 1.08, 1.62, 0.93, 0.65, "c"),
        (-0.18, 0.24, 1.09, 1.67, 0.93, 0.66, "p"), (-0.28, 0.24, 1.09, 1.67, 0.93, 0.66, "c"),
        (-1.15, 0.24, 1.11, 1.65, 0.93, 0.65, "p"), (-1.25, 0.24, 1.11, 1.645, 0.93, 0.65, "c"),
        (-1.85, 0.26, 1.13, 1.58, 0.92, 0.63, "r"), (-2.15, 0.32, 1.06, 1.16, 0.88, 0.70, "b"),
        (-2.24, 0.36, 0.92, 1.00, 0.84, 0.66, "b"), (-2.28, 0.42, 0.80, 0.86, 0.74, 0.6, "b"),
    ),
    (1.40, -1.36),
    wheel=0.36,
    lamp_z=0.84,
    tail_z=1.0,
)  # fmt: skip
VAN = Model(
    "van",
    (
        (2.52, 0.36, 0.78, 0.84, 0.72, 0.6, "h"), (2.46, 0.28, 0.92, 1.00, 0.88, 0.66, "h"),
        (2.15, 0.26, 1.08, 1.18, 0.96, 0.74, "h"), (1.85, 0.26, 1.18, 1.28, 0.98, 0.80, "s"),
        (1.10, 0.26, 1.20, 2.14, 0.99, 0.78, "c"), (0.45, 0.26, 1.20, 2.24, 0.99, 0.80, "p"),
        (0.25, 0.26, 1.20, 2.26, 0.99, 0.80, "v"), (-2.35, 0.26, 1.20, 2.26, 0.99, 0.80, "v"),
        (-2.50, 0.28, 1.20, 2.22, 0.97, 0.78, "b"), (-2.56, 0.36, 1.16, 2.12, 0.93, 0.74, "b"),
    ),
    (1.60, -1.62),
    wheel=0.35,
    lamp_z=0.86,
    tail_z=1.05,
    colours=((232, 233, 233), (240, 240, 238), (196, 198, 200), (60, 64, 70), (24, 60, 120), (210, 168, 40)),
)  # fmt: skip
CAB = Model(
    "truck",
    (
        (3.40, 0.42, 0.98, 1.06, 0.90, 0.8, "h"), (3.34, 0.34, 1.16, 1.26, 1.08, 0.90, "s"),
        (3.02, 0.34, 1.22, 2.20, 1.12, 0.96, "c"), (2.45, 0.34, 1.24, 2.36, 1.13, 0.97, "p"),
        (2.15, 0.34, 1.24, 2.38, 1.13, 0.97, "v"), (1.75, 0.36, 1.22, 2.36, 1.12, 0.96, "b"),
    ),
    (2.55, -1.90),
    wheel=0.42,
    lamp_z=0.72,
    tail_z=0.80,
    colours=((235, 235, 233), (190, 30, 30), (30, 70, 140), (60, 64, 68), (40, 96, 62)),
)  # fmt: skip

MODELS = {m.name: m for m in (SEDAN, HATCH, ESTATE, SUV, VAN, CAB)}
LENGTHS = {"sedan": 4.5, "hatch": 4.0, "estate": 4.5, "suv": 4.5, "van": 5.1, "truck": 7.4}


def _ring(s: Section) -> list[Point]:
    """The closed cross-section: right half from the underside up, then the mirrored left half."""
    y, low, waist, top, w, roof, _ = s
    half = [(0.0, low), (0.8 * w, low), (0.965 * w, low + 0.09), (w, (low + waist) / 2), (0.985 * w, waist - 0.03)]
    if top - waist > 0.25:
        half += [(0.935 * w, waist + 0.03), (roof + 0.05, top - 0.10), (roof - 0.03, top - 0.03)]
        half += [(0.6 * roof, top), (0.0, top + 0.015)]
    else:
        half += [(0.93 * w, waist + 0.02), (0.86 * w, top - 0.02), (0.79 * w, top - 0.008), (0.45 * w, top + 0.008)]
        half += [(0.0, top + 0.018)]
    ring = [(x, y, z) for x, z in half]
    return ring + [(-x, y, z) for x, z in reversed(half[1:-1])]


def _material(strip: int, kind: str) -> str:
    """The material of one strip (0..8 up one side) along one stretch of the body."""
    if strip <= 0:
        return "under"
    if strip == 1:
        return "trim"
    if strip == 5 and kind in "sc":
        return "glass"
    if strip in (7, 8) and kind in "sr":
        return "glass"
    if strip == 5 and kind == "p":
        return "trim"
    return "paint"


def _body(model: Model) -> tuple[bpy.types.Mesh, list[str]]:
    """The smoothed body with its wheel arches cut out."""
    rings = [_ring(s) for s in model.sections]
    n = len(rings[0])
    verts = [p for ring in rings for p in ring]
    names = ["paint", "glass", "trim", "under"]
    faces, slots = [], []
    for i in range(len(rings) - 1):
        kind = model.sections[i][6]
        for k in range(n):
            m = (k + 1) % n
            strip = k if k < 9 else n - 1 - k
            faces.append((i * n + k, i * n + m, (i + 1) * n + m, (i + 1) * n + k))
            slots.append(names.index(_material(strip, kind)))
    faces += [tuple(range(n)), tuple(reversed(range((len(rings) - 1) * n, len(rings) * n)))]
    slots += [0, 0]
    mesh = bpy.data.meshes.new("body")
    mesh.from_pydata(verts, [], faces)
    for name in names:
        mesh.materials.append(bpy.data.materials.get(name))
    mesh.polygons.foreach_set("material_index", slots)
    mesh.polygons.foreach_set("use_smooth", [True] * len(faces))
    mesh.update()
    body = bpy.data.objects.new("body", mesh)
    scene = bpy.context.scene.collection.objects
    scene.link(body)
    smooth = body.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = 2
    cutters = []
    for axle in model.axles:
        builder = MeshBuilder()
        r = model.wheel + 0.055
        for side in (-1, 1):
            builder.disc((side * 0.95, axle, model.wheel), 1.0, ((-0.33, r), (0.33, r)), "under", 28)
        mesh_cut = builder.to_mesh("cut", {"under": bpy.data.materials["under"]})
        cutter = bpy.data.objects.new("cut", mesh_cut)
        scene.link(cutter)
        cutters.append(cutter)
        cut = body.modifiers.new("arch", "BOOLEAN")
        cut.object, cut.operation, cut.solver = cutter, "DIFFERENCE", "EXACT"
        cut.material_mode = "TRANSFER"
    graph = bpy.context.evaluated_depsgraph_get()
    made = bpy.data.meshes.new_from_object(body.evaluated_get(graph))
    slot_names = [m.name if m else "under" for m in made.materials]
    for thing in (body, *cutters):
        bpy.data.objects.remove(thing)
    return made, slot_names


def _wheel(builder: MeshBuilder, x: float, y: float, r: float) -> None:
    """A tyre with a five-spoke rim facing outwards."""
    out = 1.0 if x > 0 else -1.0
    w = 0.105
    rubber = (
        (-w, 0.5 * r),
        (-w, 0.93 * r),
        (-0.7 * w, r),
        (0.7 * w, r),
        (w, 0.93 * r),
        (w, 0.70 * r),
        (0.4 * w, 0.66 * r),
    )
    builder.disc((x, y, r), out, rubber, "tyre", 24)
    builder.disc((x, y, r), out, ((0.35 * w, 0.67 * r), (0.45 * w, 0.66 * r)), "under", 20)
    rim = ((0.4 * w, 0.69 * r), (0.98 * w, 0.69 * r), (0.9 * w, 0.62 * r), (0.4 * w, 0.6 * r))
    builder.disc((x, y, r), out, rim, "rim", 24)
    builder.disc((x, y, r), out, ((0.4 * w, 0.17 * r), (0.85 * w, 0.15 * r), (0.9 * w, 0.06 * r)), "rim", 10)
    for k in range(5):
        a = 2 * math.pi * k / 5 + 0.3
        c, s = math.cos(a), math.sin(a)
        p0, p1 = (0.1 * r, 0.64 * r)
        half = 0.075 * r
        x0, x1 = x + out * 0.45 * w, x + out * 0.82 * w
        verts = []
        for xx in (x0, x1):
            for p, q in ((p0, -half), (p0, half), (p1, half * 1.3), (p1, -half * 1.3)):
                verts.append((xx, y + p * c - q * s, r + p * s + q * c))
        builder.add(verts, ((4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)), "rim")


def _at(model: Model, y: float) -> Section:
    """The body's measures at `y`, in between its sections."""
    ys = [s[0] for s in model.sections][::-1]
    columns = [[s[c] for s in model.sections][::-1] for c in range(1, 6)]
    low, waist, top, w, roof = (float(np.interp(y, ys, column)) for column in columns)
    return (y, low, waist, top, w, roof, "")


def _details(builder: MeshBuilder, model: Model) -> None:
    """Lamps, grille, plates, mirrors, handles and door gaps."""
    front, rear = model.sections[0][0], model.sections[-1][0]
    wide = model.sections[1][4]
    for side in (-1, 1):
        nose = _at(model, front - 0.2)
        builder.ellipsoid((side * (nose[4] - 0.17), front - 0.17, model.lamp_z), (0.19, 0.15, 0.075), "head", 14, 8)
        builder.ellipsoid((side * (nose[4] - 0.10), front - 0.24, model.lamp_z - 0.28), (0.08, 0.16, 0.045), "trim")
        tail = _at(model, rear + 0.16)
        if model.name in ("van", "estate"):
            builder.box((side * (tail[4] - 0.05), rear + 0.10, model.tail_z), (0.12, 0.2, 0.42), "tail", 0, 0.9)
        elif model.name != "truck":
            builder.ellipsoid((side * (tail[4] - 0.13), rear + 0.13, model.tail_z), (0.20, 0.14, 0.085), "tail", 14, 8)
            builder.ellipsoid((side * (tail[4] - 0.06), rear + 0.17, model.tail_z), (0.08, 0.12, 0.05), "amber", 10, 6)
        cowl = next(s for s in model.sections if s[6] == "s")
        mirror = (side * (cowl[4] + 0.09), cowl[0] - 0.42, cowl[3] + 0.06)
        builder.ellipsoid(mirror, (0.11, 0.07, 0.08), "paint", 10, 6)
        builder.box((side * (cowl[4] - 0.0), cowl[0] - 0.40, cowl[3] + 0.0), (0.14, 0.05, 0.04), "trim")
        doors = [s[0] for s in model.sections if s[6] in "cp"]
        for y in (doors[0] + 0.55, doors[0] - 0.48, min(doors) + 0.02) if model.name != "truck" else (2.2,):
            s = _at(model, y)
            height = s[2] - s[1] - 0.16
            builder.box((side * (s[4] + 0.001), y, s[1] + 0.1 + height / 2), (0.012, 0.012, height), "under")
        for y in (doors[0] - 0.30, min(doors) + 0.35) if model.name != "truck" else ():
            s = _at(model, y)
            builder.box((side * (s[4] + 0.005), y, s[2] - 0.09), (0.03, 0.17, 0.028), "trim")
    nose_z = model.lamp_z
    builder.box((0, front - 0.045, nose_z - 0.03), (wide * 0.95, 0.10, 0.10), "trim")
    builder.box((0, front - 0.06, nose_z - 0.30), (wide * 1.25, 0.13, 0.13), "trim")
    builder.box((0, front + 0.01, nose_z - 0.17), (0.5, 0.02, 0.11), "plate")
    if model.name != "truck":
        builder.box((0, rear - 0.012, model.tail_z - 0.14), (0.5, 0.03, 0.11), "plate")
        builder.box((0, rear + 0.05, model.sections[-1][1] + 0.06), (wide * 1.35, 0.16, 0.13), "trim")
    if model.name == "van":
        for side in (-1, 1):
            builder.box((side * 0.40, rear + 0.0, 1.72), (0.62, 0.05, 0.52), "glass")
        builder.box((0, rear + 0.01, 1.25), (0.02, 0.06, 1.7), "under")


def _cargo(builder: MeshBuilder) -> None:
    """A truck's chassis and box body."""
    builder.box((0, -1.05, 0.72), (0.9, 5.4, 0.25), "under")
    builder.box((0, -1.12, 2.12), (2.36, 5.3, 2.4), "cargo")
    builder.box((0, -1.12, 0.9), (2.38, 5.32, 0.1), "trim")
    for y in (-3.775, 1.535):
        for x in (-1.16, 1.16):
            builder.box((x, y, 2.12), (0.07, 0.03, 2.42), "metal")
    builder.box((0, -3.78, 2.1), (0.03, 0.03, 2.3), "under")
    for side in (-1, 1):
        builder.box((side * 0.98, -3.76, 0.66), (0.36, 0.08, 0.14), "tail")
        builder.box((side * 1.1, -0.2, 0.62), (0.05, 2.4, 0.34), "trim")
    builder.box((0, -3.72, 0.52), (2.0, 0.1, 0.14), "trim")
    builder.box((0, -3.79, 0.68), (0.5, 0.02, 0.11), "plate")
    builder.box((0, 2.5, 2.55), (1.7, 1.2, 0.35), "paint", 0, 0.7)


def build(materials: dict[str, bpy.types.Material]) -> dict[str, bpy.types.Mesh]:
    """One mesh per model, front towards +y, standing on z = 0."""
    made = {}
    for model in MODELS.values():
        builder = MeshBuilder()
        body, names = _body(model)
        builder.absorb(body, names)
        bpy.data.meshes.remove(body)
        _details(builder, model)
        if model.name == "truck":
            _cargo(builder)
        half = model.sections[4][4] - 0.12
        for axle in model.axles:
            for side in (-1, 1):
                _wheel(builder, side * half, axle, model.wheel)
        made[model.name] = builder.to_mesh(model.name, materials)
    return made


def colour(rng: np.random.Generator, name: str) -> tuple[float, float, float]:
    """A paint colour that suits the model."""
    options = MODELS[name].colours or PAINTS
    return linear(*options[int(rng.integers(len(options)))])
