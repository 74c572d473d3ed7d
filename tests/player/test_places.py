"""Where long videos were left."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.errors import ExportError
from seg_viewer.player.places import MOST_PLACES, Places, is_middle

HOUR = 3600.0


def test_a_place_in_the_middle_is_kept_for_another_start(tmp_path: Path) -> None:
    Places(tmp_path / "new" / "places.json").leave("a", 763.0, HOUR)
    again = Places(tmp_path / "new" / "places.json")
    assert again.get("a") == 763.0 and again.get("b") is None


@pytest.mark.parametrize(("time_s", "kept"), [(0.0, 763.0), (9.0, 763.0), (3599.0, None), (HOUR, None), (11.0, 11.0)])
def test_first_seconds_keep_the_old_place_and_the_end_forgets_it(tmp_path: Path, time_s: float, kept) -> None:
    places = Places(tmp_path / "places.json")
    places.leave("a", 763.0, HOUR)
    places.leave("a", time_s, HOUR)
    assert places.get("a") == kept


def test_short_videos_and_those_of_unknown_length_are_not_asked_about(tmp_path: Path) -> None:
    places = Places(tmp_path / "places.json")
    places.leave("a", 60.0, 120.0)
    places.leave("b", 60.0, None)
    assert places.all() == {} and not places.path.exists()


@given(st.floats(0, 1e5), st.floats(120.5, 1e5))
def test_the_middle_is_neither_end(time_s: float, length_s: float) -> None:
    if is_middle(time_s, length_s):
        assert 10 <= time_s <= length_s - 10


def test_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(tmp_path / "places.json")
    now = iter(range(1000))
    monkeypatch.setattr("time.time", lambda: float(next(now)))
    for number in range(MOST_PLACES + 3):
        places.leave(str(number), 60.0, HOUR)
    kept = places.all()
    assert len(kept) == MOST_PLACES and "0" not in kept and str(MOST_PLACES + 2) in kept


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 3, "b": {"time_s": "x"}, "c": {}}', "\0\0", "null"])
def test_a_damaged_file_is_no_place_and_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "places.json"
    path.write_text(text, encoding="utf-8")
    places = Places(path)
    assert places.all() == {}
    places.leave("d", 60.0, HOUR)
    assert list(places.all()) == ["d"]


def test_forgetting_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    places = Places(tmp_path / "places.json")
    places.leave("a", 60.0, HOUR)
    places.forget()
    assert places.all() == {}
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="choose another"):
        Places(tmp_path / "file" / "places.json").leave("a", 60.0, HOUR)
