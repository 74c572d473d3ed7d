"""What is made of many sources has names that nobody can mistake, and that are known before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.errors import UsageError
from seg_viewer.jobs.output_names import name_outputs


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()


@pytest.mark.parametrize("folder", ["out", "out/"])
def test_a_folder_takes_them_all(folder: str) -> None:
    named = name_outputs(["a.mp4", "x/b.mkv"], [folder])
    assert named.outputs == (("out/a_seg.mp4",), ("out/b_seg.mp4",))
    assert named.folders == () and named.notes == ()


def test_a_folder_that_is_not_there_is_to_be_made() -> None:
    named = name_outputs(["a.mp4", "b.mp4"], ["new/"])
    assert named.folders == (Path("new"),) and named.outputs[0] == ("new/a_seg.mp4",)
    assert not Path("new").exists()  # --dry-run asks too


def test_names_are_put_into_several_outputs() -> None:
    named = name_outputs(["a.mp4", "b.mp4"], ["out/{name}.csv", "out/{name}.masks/"])
    assert named.outputs == (("out/a.csv", "out/a.masks/"), ("out/b.csv", "out/b.masks/"))


def test_sources_of_one_stem_get_numbers_that_no_other_has() -> None:
    named = name_outputs(["a.mp4", "x/a.mp4", "a_2.mp4", "y/A.mkv"], ["out/"])
    stems = [name for (name,) in named.outputs]
    assert stems == ["out/a_seg.mp4", "out/a_3_seg.mp4", "out/a_2_seg.mp4", "out/A_4_seg.mp4"]
    assert len(named.notes) == 2 and named.notes[0].startswith("x/a.mp4: ") and "a_3" in named.notes[0]


def test_a_source_named_twice_is_exported_once() -> None:
    Path("a.mp4").touch()
    named = name_outputs(["a.mp4", "./a.mp4", "b.mp4"], ["out"])
    assert named.sources == ("a.mp4", "b.mp4") and named.notes == ("./a.mp4: is named twice; it is exported once",)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("one.mp4", "is one file for 2 sources"),
        ("labels.csv", "put {name} into the name ({name}.csv)"),
        ("gone/{name}.mp4", "gone: no such folder"),
        ("gone/new/", "gone: no such folder"),
        (" ", "-o is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(output: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        name_outputs(["a.mp4", "b.mp4"], [output])
    assert told in str(refused.value) and "\n" not in str(refused.value)


def test_two_outputs_that_meet_are_refused() -> None:
    with pytest.raises(UsageError, match=r"out/a_2\.mp4: would be made of"):
        name_outputs(["a.mp4", "a_2.mp4"], ["out/{name}.mp4", "out/{name}_2.mp4"])


def test_a_source_is_never_replaced_by_what_is_made_of_another() -> None:
    for name in ("a.mp4", "a_seg.mp4"):
        Path(name).touch()
    assert name_outputs(["a.mp4", "a_seg.mp4"], ["."]).outputs[0] == ("./a_seg.mp4",)  # it exists: refused or skipped
    with pytest.raises(UsageError, match=r"a_seg\.mp4: is one of the sources"):
        name_outputs(["a.mp4", "a_seg.mp4"], ["."], overwrite=True)


@pytest.mark.parametrize(
    ("output", "name"),
    [("out", "out/~a_seg.mp4"), ("out/", "out/"), ("x.mp4", "x.mp4"), ("{name}.csv", "~a.csv")],
)
def test_one_source_is_named_as_ever(output: str, name: str) -> None:
    assert name_outputs(["in/~a.mp4"], [output]).outputs == ((name,),)


_NAMES = st.text(st.sampled_from("aA_2é"), min_size=1, max_size=4)


@given(st.lists(st.tuples(_NAMES, st.sampled_from([".mp4", ".mkv"])), min_size=2, max_size=8, unique=True))
def test_no_two_results_share_a_name_on_any_file_system(names: list[tuple[str, str]]) -> None:
    sources = [f"{number}/{stem}{end}" for number, (stem, end) in enumerate(names)]
    named = name_outputs(sources, [f"{os.curdir}/{{name}}.mp4"])
    made = [name.casefold() for (name,) in named.outputs]
    assert len(set(made)) == len(made) == len(sources)
