"""Materials of the street, all of them node graphs without picture files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
from shapes import linear

Colour = Sequence[float]


class Graph:
    """A material's node graph, with the few node kinds the street needs."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]

    def node(self, kind: str, **settings: Any) -> Any:
        """Add a node and set its attributes."""
        made = self.tree.nodes.new(kind)
        for key, value in settings.items():
            setattr(made, key, value)
        return made

    def link(self, source: Any, target: Any) -> None:
        """Join two sockets."""
        self.tree.links.new(source, target)

    def set(self, **values: Any) -> Graph:
        """Set inputs of the main shader; underscores stand for spaces."""
        for key, value in values.items():
            socket = self.shader.inputs[key.replace("_", " ")]
            socket.default_value = (*value, 1.0) if isinstance(value, tuple) and len(value) == 3 else value
        return self

    def noise(self, scale: float, detail: float = 3.0, space: str = "Object") -> Any:
        """A noise texture's factor over object (or other) coordinates."""
        where = self.node("ShaderNodeTexCoord")
        noise = self.node("ShaderNodeTexNoise")
        noise.inputs["Scale"].default_value = scale
        noise.inputs["Detail"].default_value = detail
        self.link(where.outputs[space], noise.inputs["Vector"])
        return noise.outputs["Fac"]

    def ramp(self, factor: Any, stops: Sequence[tuple[float, Colour]], steps: bool = False) -> Any:
        """A colour ramp over `factor`."""
        ramp = self.node("ShaderNodeValToRGB")
        ramp.color_ramp.interpolation = "CONSTANT" if steps else "LINEAR"
        elements = ramp.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (place, colour) in zip(elements, stops, strict=True):
            element.position = place
            element.color = (*colour, 1.0)
        self.link(factor, ramp.inputs["Fac"])
        return ramp.outputs["Color"]

    def multiply(self, a: Any, b: Any, amount: float = 1.0) -> Any:
        """The product of two colours."""
        mix = self.node("ShaderNodeMix", data_type="RGBA", blend_type="MULTIPLY")
        mix.inputs[0].default_value = amount
        self.link(a, mix.inputs[6])
        self.link(b, mix.inputs[7])
        return mix.outputs[2]

    def info(self, output: str) -> Any:
        """An output of the object-info node (Color, Random)."""
        return self.node("ShaderNodeObjectInfo").outputs[output]

    def base(self, socket: Any) -> Graph:
        """Use `socket` as the base colour."""
        self.link(socket, self.shader.inputs["Base Color"])
        return self


def _grey(low: float, high: float, start: float = 0.3, end: float = 0.7) -> list[tuple[float, Colour]]:
    return [(start, (low, low, low)), (end, (high, high, high))]


def _choice(graph: Graph, colours: Sequence[Colour]) -> Any:
    """One of `colours` by the object's own random number."""
    stops = [(k / len(colours), colour) for k, colour in enumerate(colours)]
    return graph.ramp(graph.info("Random"), stops, steps=True)


def _plain(name: str, colour: Colour, rough: float = 0.6, **more: Any) -> bpy.types.Material:
    return Graph(name).set(Base_Color=tuple(colour), Roughness=rough, **more).material


def _ground(name: str, colours: tuple[Colour, Colour], scale: float, wet: float, rough: float) -> bpy.types.Material:
    """A mottled ground: coarse patches times fine grain, darker and shinier when wet."""
    graph = Graph(name)
    patches = graph.ramp(graph.noise(scale), [(0.3, colours[0]), (0.7, colours[1])])
    grain = graph.ramp(graph.noise(38.0, 2.0), _grey(0.55, 1.25))
    graph.base(graph.multiply(patches, grain))
    if wet > 0:
        low = max(0.08, rough - 0.75 * wet)
        shine = graph.ramp(graph.noise(0.5), _grey(low, rough - 0.25 * wet, 0.42, 0.62))
        graph.link(shine, graph.shader.inputs["Roughness"])
    else:
        graph.set(Roughness=rough)
    return graph.material


def _bricks(
    name: str, size: tuple[float, float], scale: float, tones: tuple[Colour, Colour, Colour], tint: bool
) -> Any:
    """Rows of stones or bricks; `tint` multiplies the object's colour in."""
    graph = Graph(name)
    where = graph.node("ShaderNodeTexCoord")
    brick = graph.node("ShaderNodeTexBrick")
    brick.inputs["Scale"].default_value = scale
    brick.inputs["Brick Width"].default_value, brick.inputs["Row Height"].default_value = size
    brick.inputs["Mortar Size"].default_value = 0.012
    for socket, tone in zip(("Color1", "Color2", "Mortar"), tones, strict=True):
        brick.inputs[socket].default_value = (*tone, 1.0)
    vector = where.outputs["Object"]
    if tint:  # walls stand upright: use x + y along, z up
        split, join = graph.node("ShaderNodeSeparateXYZ"), graph.node("ShaderNodeCombineXYZ")
        add = graph.node("ShaderNodeMath", operation="ADD")
        graph.link(vector, split.inputs[0])
        graph.link(split.outputs[0], add.inputs[0])
        graph.link(split.outputs[1], add.inputs[1])
        graph.link(add.outputs[0], join.inputs[0])
        graph.link(split.outputs[2], join.inputs[1])
        vector = join.outputs[0]
    graph.link(vector, brick.inputs["Vector"])
    colour = graph.multiply(brick.outputs["Color"], graph.ramp(graph.noise(1.1), _grey(0.75, 1.1)))
    if tint:
        colour = graph.multiply(colour, graph.info("Color"))
    return graph.base(colour).set(Roughness=0.85).material


def _tinted(name: str, low: float, scale: float, rough: float) -> bpy.types.Material:
    """The object's colour, mottled."""
    graph = Graph(name)
    graph.base(graph.multiply(graph.info("Color"), graph.ramp(graph.noise(scale), _grey(low, 1.0))))
    return graph.set(Roughness=rough).material


def _clothes() -> dict[str, bpy.types.Material]:
    legs = Graph("legs")
    tones = [
        linear(*c) for c in ((38, 52, 84), (24, 24, 27), (70, 72, 76), (140, 122, 96), (58, 74, 110), (44, 36, 34))
    ]
    legs.base(legs.multiply(_choice(legs, tones), legs.ramp(legs.noise(9.0), _grey(0.7, 1.1)))).set(Roughness=0.9)
    skin = Graph("skin")
    skins = [linear(*c) for c in ((226, 184, 160), (205, 156, 126), (150, 104, 78), (92, 62, 48), (232, 196, 176))]
    skin.base(_choice(skin, skins)).set(Roughness=0.55)
    hair = Graph("hair")
    hair.base(
        _choice(hair, [linear(*c) for c in ((30, 24, 20), (70, 48, 32), (20, 18, 18), (150, 116, 70), (120, 118, 116))])
    )
    hair.set(Roughness=0.7)
    return {
        "top": _tinted("top", 0.65, 7.0, 0.9),
        "legs": legs.material,
        "skin": skin.material,
        "hair": hair.material,
        "shoe": _plain("shoe", linear(38, 34, 32)),
        "bag": _plain("bag", linear(86, 40, 34)),
    }


def _vehicle(lamps: float) -> dict[str, bpy.types.Material]:
    paint = Graph("paint").set(Roughness=0.32, Metallic=0.15, Coat_Weight=0.8, Coat_Roughness=0.06)
    paint.base(paint.info("Color"))
    return {
        "paint": paint.material,
        "glass": _plain("glass", (0.012, 0.016, 0.02), 0.04, Specular_IOR_Level=0.8),
        "tyre": _plain("tyre", (0.012, 0.012, 0.013), 0.85),
        "rim": _plain("rim", (0.45, 0.46, 0.48), 0.3, Metallic=0.9),
        "trim": _plain("trim", (0.015, 0.015, 0.017), 0.55),
        "under": _plain("under", (0.006, 0.006, 0.006), 0.95),
        "head": _plain("head", (0.8, 0.82, 0.85), 0.08, Emission_Color=(1.0, 0.95, 0.85), Emission_Strength=lamps * 6),
        "tail": _plain(
            "tail", (0.45, 0.01, 0.012), 0.12, Emission_Color=(1.0, 0.02, 0.01), Emission_Strength=lamps * 1.6
        ),
        "amber": _plain("amber", (0.8, 0.25, 0.02), 0.2),
        "plate": _plain("plate", (0.75, 0.75, 0.7), 0.5),
        "cargo": _plain("cargo", (0.72, 0.73, 0.74), 0.5),
    }


def build(wet: float = 0.0, lamps: float = 0.0, autumn: float = 0.0) -> dict[str, bpy.types.Material]:
    """All materials by name. `wet`, `lamps` and `autumn` run from 0 to 1."""
    roof = Graph("roof")
    roof.base(
        _choice(roof, [linear(*c) for c in ((112, 62, 46), (70, 66, 68), (92, 52, 40), (58, 56, 60), (130, 84, 62))])
    )
    roof.set(Roughness=0.85)
    door = Graph("door")
    door.base(
        _choice(door, [linear(*c) for c in ((70, 40, 28), (40, 66, 52), (30, 44, 78), (120, 30, 28), (60, 60, 62))])
    )
    leaf = Graph("leaf")
    green = [linear(*c) for c in ((52, 78, 28), (78, 104, 40))]
    gold = linear(150, 106, 34)
    greens = [tuple(c * (1 - autumn) + g * autumn for c, g in zip(tone, gold, strict=True)) for tone in green]
    shade = leaf.ramp(leaf.noise(1.6), [(0.3, greens[0]), (0.72, greens[1])])
    leaf.base(leaf.multiply(shade, leaf.ramp(leaf.info("Random"), _grey(0.6, 1.15, 0.0, 1.0)))).set(Roughness=0.7)
    line = Graph("line")
    line.base(line.ramp(line.noise(3.0, 6.0), [(0.3, (0.2, 0.2, 0.2)), (0.46, (0.72, 0.72, 0.7))])).set(Roughness=0.6)
    tone = 1.0 - 0.45 * wet
    asphalt = tuple(tuple(tone * c for c in shade) for shade in ((0.062, 0.062, 0.066), (0.105, 0.104, 0.104)))
    table = {
        "asphalt": _ground("asphalt", asphalt, 0.22, wet, 0.92),
        "patch": _ground("patch", tuple(tuple(c * 0.7 for c in s) for s in asphalt), 0.6, wet, 0.9),
        "line": line.material,
        "kerb": _ground("kerb", ((0.3, 0.3, 0.29), (0.42, 0.41, 0.4)), 1.5, 0.0, 0.85),
        "paving": _bricks(
            "paving", (0.6, 0.4), 1.0, ((0.27, 0.26, 0.25), (0.34, 0.33, 0.31), (0.13, 0.13, 0.12)), False
        ),
        "grass": _ground("grass", (linear(58, 78, 34), linear(92, 108, 52)), 0.8, 0.0, 0.95),
        "hill": _ground("hill", (linear(88, 108, 92), linear(116, 132, 112)), 0.02, 0.0, 1.0),
        "wall": _tinted("wall", 0.82, 0.7, 0.9),
        "brick": _bricks("brick", (0.5, 0.16), 1.9, ((0.8, 0.76, 0.72), (1.0, 0.95, 0.9), (1.25, 1.25, 1.2)), True),
        "plinth": _plain("plinth", (0.16, 0.155, 0.15), 0.9),
        "roof": roof.material,
        "door": door.set(Roughness=0.4).material,
        "pane": _plain("pane", (0.02, 0.026, 0.032), 0.05, Specular_IOR_Level=0.9),
        "drape": _plain("drape", (0.3, 0.29, 0.27), 0.12, Coat_Weight=1.0, Coat_Roughness=0.04),
        "lit": _plain("lit", (0.3, 0.2, 0.1), 0.3, Emission_Color=(1.0, 0.62, 0.28), Emission_Strength=lamps * 1.2),
        "frame": _plain("frame", (0.68, 0.68, 0.66), 0.5),
        "shop": _tinted("shop", 0.55, 0.5, 0.5),
        "awning": _tinted("awning", 0.4, 0.3, 0.8),
        "bark": _ground("bark", (linear(62, 50, 40), linear(96, 82, 68)), 4.0, 0.0, 0.95),
        "leaf": leaf.material,
        "core": _plain("core", tuple(c * 0.3 for c in greens[0]), 0.95),
        "metal": _plain("metal", (0.16, 0.17, 0.17), 0.45, Metallic=0.6),
        "lamp": _plain("lamp", (0.8, 0.8, 0.78), 0.3, Emission_Color=(1.0, 0.75, 0.45), Emission_Strength=lamps * 9),
        "sign_red": _plain("sign_red", linear(190, 30, 34), 0.4),
        "sign_blue": _plain("sign_blue", linear(28, 72, 160), 0.4),
        "sign_white": _plain("sign_white", (0.75, 0.75, 0.75), 0.4),
        "sign_green": _plain(
            "sign_green", (0.02, 0.3, 0.12), 0.4, Emission_Color=(0.05, 1.0, 0.4), Emission_Strength=1.5
        ),
        "wood": _plain("wood", linear(124, 96, 66), 0.8),
    }
    return table | _vehicle(lamps) | _clothes()
