"""`carla://…` as it is typed."""

import re

import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.sources.carla.address import CarlaOptions, Mount, parse_carla


def test_only_the_host_is_needed() -> None:
    assert parse_carla("carla://simbox") == CarlaOptions(host="simbox")
    assert parse_carla("carla://10.0.0.7:2345").name == "carla://10.0.0.7:2345"


def test_everything_can_be_said() -> None:
    options = parse_carla(
        "carla://localhost:2000?town=Town03&weather=WetSunset&vehicles=30&walkers=40&autopilot=0&fps=10"
        "&size=640x360&fov=100&mount=2,0.5,1.2,-5&ego=boss&tick=off&seed=7&timeout=3&tags=0.10"
    )
    assert options == CarlaOptions(
        "localhost", 2000, "Town03", "WetSunset", 30, 40, False, 10.0, 640, 360, 100.0, Mount(2, 0.5, 1.2, -5), "boss",
        False, 7, 3.0, "0.10",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("carla://", "names no host"),
        ("carla://host:99999", "is no address"),
        ("carla://host/Town03", "names no host"),
        ("carla://host?cars=3", "no option 'cars'; it has town, weather, vehicles"),
        ("carla://host?vehicles=many", "vehicles 'many': give a number from 0 to 500"),
        ("carla://host?vehicles=", "'vehicles' has no value"),
        ("carla://host?size=720p", "size '720p': give WIDTHxHEIGHT"),
        ("carla://host?size=9x9", "from 32x32"),
        ("carla://host?autopilot=perhaps", "autopilot 'perhaps': give 1 or 0"),
        ("carla://host?mount=1,2", "mount '1,2': give x,y,z"),
        ("carla://host?tags=0.9.16", "tags '0.9.16': there are the tables 0.8, 0.9.0, 0.9.14, 0.10"),
        ("carla://host?fps=0", "fps '0': give a number from 4 to 100"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        parse_carla(text)
    assert "\n" not in str(caught.value)
