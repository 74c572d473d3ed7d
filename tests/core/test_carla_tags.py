"""CARLA's tag tables."""

from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.carla_tags import TAGS, carla_lookup, carla_palette, recorded_version, table_version
from seg_viewer.core.labels import DRIVING


def by_name(version: str) -> dict[str, int]:
    return {tag.name: tag.id for tag in TAGS[version]}


@pytest.mark.parametrize("version", TAGS)
def test_tables_are_numbered_without_a_gap_and_names_are_unique(version: str) -> None:
    assert [tag.id for tag in TAGS[version]] == list(range(len(TAGS[version])))
    assert len(by_name(version)) == len(TAGS[version])


@pytest.mark.parametrize(
    ("said", "table"),
    [
        ("0.8.4", "0.8"),
        ("0.9.0", "0.9.0"),
        ("0.9.13", "0.9.0"),
        ("0.9.14", "0.9.14"),
        ("0.9.16-3-gabc", "0.9.14"),
        ("0.10.0", "0.10"),
        ("0.10.0-77-gabc-dirty", "0.10"),
        *((table, table) for table in TAGS),
    ],
)
def test_the_table_follows_the_servers_version(said: str, table: str) -> None:
    assert table_version(said) == table


@pytest.mark.parametrize("said", ["", "latest", "0.7.1", "0.11.0", "1.0", "f676339c2"])
def test_a_version_without_a_table_is_refused_by_name(said: str) -> None:
    with pytest.raises(ValueError, match="no version of CARLA whose tags are known"):
        carla_lookup(said)


def test_new_numbers_mean_the_same_classes_as_the_old_ones() -> None:
    """Road was 7 and is 1; a lookup of the wrong version would call walls pedestrians."""
    old, new = carla_lookup("0.9.13"), carla_lookup("0.9.16")
    for name in ("road", "road line", "pedestrian", "building", "sky"):
        assert old[by_name("0.9.0")[name]] == new[by_name("0.9.14")[name]], name
    car, person = DRIVING.by_name("car").id, DRIVING.by_name("person").id
    assert {new[by_name("0.9.14")[name]] for name in ("car", "truck", "bus", "motorcycle")} == {car}
    assert new[by_name("0.9.14")["rider"]] == person
    assert new[by_name("0.9.14")["bicycle"]] == new[by_name("0.9.14")["train"]] == 0


def test_without_a_version_the_lookup_is_that_of_0_8() -> None:
    assert np.array_equal(carla_lookup(), carla_lookup("0.8"))
    assert np.array_equal(carla_lookup()[:13], carla_lookup("0.9.13")[:13])


def test_the_newest_table_is_the_one_of_the_official_client() -> None:
    carla = pytest.importorskip("carla", reason="the carla client is not installed")
    theirs = {int(label) for label in carla.CityObjectLabel.values.values()} - {int(carla.CityObjectLabel.Any)}
    assert theirs == {tag.id for tag in TAGS["0.9.14"]}
    assert int(carla.CityObjectLabel.Pedestrians) == by_name("0.9.14")["pedestrian"]
    assert int(carla.CityObjectLabel.Roads) == by_name("0.9.14")["road"]
    assert int(carla.CityObjectLabel.RoadLines) == by_name("0.9.14")["road line"]


def test_0_10_has_the_numbers_and_colours_of_0_9_14_and_rock() -> None:
    *same, rock = TAGS["0.10"]
    assert tuple(same) == TAGS["0.9.14"] and (rock.id, rock.name) == (29, "rock")
    assert carla_lookup("0.10.0")[29] == 0


def test_palette_paints_the_tags() -> None:
    assert tuple(carla_palette("0.9.16")[by_name("0.9.14")["road"]]) == (128, 64, 128)
    assert not carla_palette("0.9.16")[len(TAGS["0.9.14"]) :].any()


def test_a_recording_without_a_version_is_of_0_8(tmp_path: Path) -> None:
    assert recorded_version(tmp_path) == "0.8"


def test_a_table_that_was_chosen_wins_over_the_version(tmp_path: Path) -> None:
    (tmp_path / "carla.json").write_text('{"carla_version": "0.12", "tags": "0.10"}', encoding="utf-8")
    assert recorded_version(tmp_path) == "0.10"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"carla_version": "one"}'])
def test_a_recording_that_does_not_say_its_version_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "carla.json").write_text(text)
    with pytest.raises(ValueError, match=r"carla\.json: does not say of which version of CARLA the masks are"):
        recorded_version(tmp_path)
