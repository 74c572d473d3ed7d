"""The house stays one: no circles, no file too long to read, and the tree that the docs show is the tree there is."""

from __future__ import annotations

import re

import pytest

from tests.conftest import LONG
from tests.house import ROOT, House, measure

MOST_LINES = 400


@pytest.fixture(scope="module")
def house() -> House:
    return measure()


def test_nothing_imports_in_a_circle(house: House) -> None:
    assert len(house.modules) > 200 and len(house.arrows) > 800  # it was looked at
    assert house.circles == ()


def test_no_file_is_too_long(house: House) -> None:
    assert {path: lines for path, lines in house.lines.items() if lines > MOST_LINES} == {}


def test_the_docs_show_the_rooms_there_are(house: House) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.rpartition("/")[0] for path in house.lines}
    shown = set(re.findall(r"^\s*((?:seg_viewer|trainer)(?:/[a-z_]+)*)/? ", page, re.MULTILINE))
    assert rooms - shown == set() and shown - rooms == set()


def test_the_files_that_are_run_first_exist() -> None:
    assert {name for name in LONG if not (ROOT / "tests" / name).is_file()} == set()
