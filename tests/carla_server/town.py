"""The towns: a ring road with a pavement in OpenDRIVE, spawn points on it, and the actors that may be spawned."""

from __future__ import annotations

import math
from typing import Any

from tests.carla_server.wire import Transform

TOWNS = ("Town01", "Town03", "Town10HD_Opt")
_STRAIGHT_M, _RADIUS_M = 200.0, 40.0
_LANE_M = 3.5
PAVEMENT = (0.0, _STRAIGHT_M, _LANE_M, 2 * _LANE_M)
"""Along the first straight: x from, x to, y from, y to, metres."""

# rpc/ActorAttributeType.h
_BOOL, _INT, _FLOAT, _STRING, _COLOR = range(1, 6)


def _road(number: int, x: float, y: float, heading: float, length: float, curvature: float, ring: int) -> str:
    shape = f'<arc curvature="{curvature}"/>' if curvature else "<line/>"
    before, after = (number - 2) % ring + 1, number % ring + 1
    lane = (
        '<link><predecessor id="{0}"/><successor id="{0}"/></link>'
        f'<width sOffset="0" a="{_LANE_M}" b="0" c="0" d="0"/>'
        '<roadMark sOffset="0" type="solid" weight="standard" color="standard" width="0.12" laneChange="none"/>'
    )
    return f"""
  <road name="Ring {number}" length="{length}" id="{number}" junction="-1">
    <link><predecessor elementType="road" elementId="{before}" contactPoint="end"/>
      <successor elementType="road" elementId="{after}" contactPoint="start"/></link>
    <type s="0" type="town"><speed max="40" unit="mph"/></type>
    <planView><geometry s="0" x="{x}" y="{y}" hdg="{heading}" length="{length}">{shape}</geometry></planView>
    <elevationProfile><elevation s="0" a="0" b="0" c="0" d="0"/></elevationProfile>
    <lateralProfile/>
    <lanes><laneSection s="0">
      <left><lane id="2" type="sidewalk" level="false">{lane.format(2)}</lane>
        <lane id="1" type="driving" level="false">{lane.format(1)}</lane></left>
      <center><lane id="0" type="none" level="false">
        <roadMark sOffset="0" type="broken" weight="standard" color="standard" width="0.12" laneChange="none"/>
      </lane></center>
      <right><lane id="-1" type="driving" level="false">{lane.format(-1)}</lane>
        <lane id="-2" type="sidewalk" level="false">{lane.format(-2)}</lane></right>
    </laneSection></lanes>
    <objects/><signals/>
  </road>"""


def opendrive(name: str) -> str:
    """Two straights and two half circles, one driving lane and one pavement each way (OpenDRIVE 1.4)."""
    bend = math.pi * _RADIUS_M
    roads = (
        _road(1, 0, 0, 0, _STRAIGHT_M, 0, 4),
        _road(2, _STRAIGHT_M, 0, 0, bend, 1 / _RADIUS_M, 4),
        _road(3, _STRAIGHT_M, 2 * _RADIUS_M, math.pi, _STRAIGHT_M, 0, 4),
        _road(4, 0, 2 * _RADIUS_M, math.pi, bend, 1 / _RADIUS_M, 4),
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<OpenDRIVE>\n'
        f'  <header revMajor="1" revMinor="4" name="{name}" version="1" north="9" south="-90" east="250" west="-50">'
        "<geoReference><![CDATA[+proj=tmerc +lat_0=49 +lon_0=8]]></geoReference></header>"
        f"{''.join(roads)}\n</OpenDRIVE>\n"
    )


def spawn_points() -> list[Transform]:
    """Every 8 m in the right-hand lane of both straights. CARLA's y axis is OpenDRIVE's, turned round."""
    steps = [8.0 * k for k in range(1, int(_STRAIGHT_M / 8))]
    there = [Transform(x, _LANE_M / 2, 0.6) for x in steps]
    back = [Transform(x, -(2 * _RADIUS_M) - _LANE_M / 2, 0.6, yaw=180.0) for x in steps]
    return [point for pair in zip(there, back, strict=True) for point in pair]


def _attribute(name: str, kind: int, *values: str, modifiable: bool = True) -> list[Any]:
    return [name, kind, values[0], list(values), modifiable, False]


def _camera(name: str) -> tuple[str, list[list[Any]]]:
    return name, [
        _attribute("role_name", _STRING, "front"),
        _attribute("image_size_x", _INT, "800"),
        _attribute("image_size_y", _INT, "600"),
        _attribute("fov", _FLOAT, "90.0"),
        _attribute("sensor_tick", _FLOAT, "0.0"),
    ]


def _vehicle(name: str, wheels: str, base_type: str) -> tuple[str, list[list[Any]]]:
    return name, [
        _attribute("role_name", _STRING, "autopilot"),
        _attribute("color", _COLOR, "10,10,10", "180,20,20", "230,230,230"),
        _attribute("number_of_wheels", _INT, wheels, modifiable=False),
        _attribute("base_type", _STRING, base_type, modifiable=False),
    ]


def _walker(number: int) -> tuple[str, list[list[Any]]]:
    return f"walker.pedestrian.{number:04}", [
        _attribute("role_name", _STRING, "pedestrian"),
        _attribute("is_invincible", _BOOL, "true"),
        _attribute("speed", _FLOAT, "0.0", "1.4", "2.8"),
    ]


def blueprints() -> list[list[Any]]:
    """As `get_actor_definitions` gives them: number, name, tags, attributes."""
    named = [
        _camera("sensor.camera.rgb"),
        _camera("sensor.camera.semantic_segmentation"),
        _vehicle("vehicle.tesla.model3", "4", "car"),
        _vehicle("vehicle.audi.a2", "4", "car"),
        _vehicle("vehicle.carlamotors.carlacola", "4", "truck"),
        _vehicle("vehicle.kawasaki.ninja", "2", "motorcycle"),
        _walker(1),
        _walker(2),
        ("controller.ai.walker", [_attribute("role_name", _STRING, "default")]),
    ]
    return [
        [number, name, ",".join(name.split(".")), attributes]
        for number, (name, attributes) in enumerate(named, start=1)
    ]
