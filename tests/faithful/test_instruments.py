"""The instruments are right: an input is what its recipe says, and every rule notices what it is for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faithful.cases import case_of, judge
from tests.faithful.compare import EXCUSES, faults
from tests.faithful.exports import Outcome
from tests.faithful.inputs import frame_times, make
from tests.faithful.matrix import recipes
from tests.faithful.measure import Measure, Tags, measure
from tests.faithful.recipe import ASPECTS, COLOURS, CORNERS, ORIENTATIONS, WIDTH, Recipe
from tests.faithful.troubles import TROUBLES


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_an_input_is_as_its_recipe_says(recipe: Recipe, tmp_path: Path) -> None:
    seen = measure(make(recipe, tmp_path / "in"))
    times = frame_times(recipe.rate)
    flash = next(index for index, time in enumerate(times) if time >= 1)
    assert len(seen.times_s) == len(times)
    assert [float(t - seen.times_s[0]) for t in seen.times_s] == pytest.approx([float(t) for t in times], abs=0.0011)
    turned = ORIENTATIONS[recipe.orientation][0] in (90, 270)
    if not turned:  # the bar stands upright then
        assert seen.numbers == tuple(
            -1 if k == flash else number for k, number in enumerate(_shown(len(times), recipe))
        )
    assert seen.flashes_s == (pytest.approx(float(seen.times_s[0] + times[flash]), abs=0.0011),)
    shown = WIDTH / (64 if recipe.video == "av1" else 48) * float(ASPECTS[recipe.aspect])
    assert seen.aspect == pytest.approx(1 / shown if turned else shown, rel=0.01)
    assert seen.interlaced == (recipe.scan == "tff")
    assert np.abs(seen.corners - np.array(_turned_corners(recipe))).max() < 9
    colour = COLOURS[recipe.colour]
    if recipe.colour != "untagged":
        assert (seen.tags.primaries, seen.tags.transfer, seen.tags.matrix, seen.tags.full) == (
            colour.primaries, colour.transfer, colour.matrix, colour.full
        )  # fmt: skip
    assert seen.tags.bits == (10 if recipe.video == "prores" else colour.bits)
    assert len(seen.sounds) == (recipe.audio != "none")
    for track in seen.sounds:
        assert track.layout == recipe.layout and len(track.beeps_s) == 1
        assert track.beeps_s[0] - seen.flashes_s[0] == pytest.approx(
            0, abs=0.06 if recipe.container == "avi" else 0.035
        )
        assert track.length_s == pytest.approx(2, abs=0.12)


def _shown(count: int, recipe: Recipe) -> list[int]:
    """What the bar says, read from the left or from the top: turned or mirrored its low bit may be at the other end."""
    turn, mirrored = ORIENTATIONS[recipe.orientation]
    backwards = (turn == 180) != mirrored if turn in (0, 180) else turn == 90
    return [int(f"{k:08b}"[::-1], 2) if backwards else k for k in range(count)]


def _turned_corners(recipe: Recipe) -> list[tuple[int, int, int]]:
    turn, mirrored = ORIENTATIONS[recipe.orientation]
    square = np.rot90(np.array(CORNERS).reshape(2, 2, 3), turn // 90)
    return [tuple(c) for c in (square[:, ::-1] if mirrored else square).reshape(4, 3)]


@pytest.mark.parametrize(
    ("name", "parts"),
    [("spliced-none", 3), ("spliced-aac", 3), ("spliced-ahead", 2), ("spliced-sound-later", 2), ("wrapped", 1)],
)
def test_seams_are_found_and_closed(name: str, parts: int, tmp_path: Path) -> None:
    case = next(case for case in TROUBLES if case.name == name)
    seen = measure(case.make(tmp_path))
    assert seen.seams == parts - 1
    assert seen.length_s == pytest.approx(2 * parts, abs=0.1)
    firsts = [seen.flashes_s[0] + 2 * number for number in range(parts)]
    assert seen.flashes_s == pytest.approx(firsts, abs=0.1)
    for track in seen.sounds:
        assert track.beeps_s == pytest.approx(seen.flashes_s[-len(track.beeps_s) :], abs=0.035)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Measure:
    """A film with all that can be lost."""
    recipe = Recipe("mp4", "h264", "aac", colour="bt709", aspect="4:3", layout="5.1")
    seen = measure(make(recipe, tmp_path_factory.mktemp("whole") / "in"))
    track = replace(seen.sounds[0], language="deu")
    return replace(
        seen,
        sounds=(track, replace(track, language="eng")),
        subtitles=(("deu", ((0.5, "hello"),)),),
        chapters=((0.0, 1.0, "first"),),
        metadata={"title": "A drive"},
        extras={"data": 1, "attachment": 1, "cover": 1},
    )


def _later(track: Any, seconds: float) -> Any:
    return replace(track, beeps_s=tuple(beep + seconds for beep in track.beeps_s))


SPOILT = [
    ("frames", lambda m: replace(m, times_s=m.times_s[:-1])),
    ("times", lambda m: replace(m, times_s=(*m.times_s[:-1], m.times_s[-1] + Fraction(1, 100)))),
    ("length", lambda m: replace(m, end_s=m.end_s - 0.2)),
    ("start", lambda m: replace(m, times_s=tuple(t + 3600 for t in m.times_s), end_s=m.end_s + 3600)),
    ("aspect", lambda m: replace(m, aspect=m.aspect * 1.02)),
    ("look", lambda m: replace(m, corners=m.corners[[1, 0, 3, 2]])),
    ("look", lambda m: replace(m, corners=m.corners * 0.86 + 16)),
    ("pictures", lambda m: replace(m, numbers=(*m.numbers[1:], 0))),
    ("flash", lambda m: replace(m, flashes_s=())),
    ("tags", lambda m: replace(m, tags=replace(m.tags, transfer=13))),
    ("tags", lambda m: replace(m, tags=replace(m.tags, primaries=9))),
    ("tags", lambda m: replace(m, tags=replace(m.tags, full=True))),
    ("sound lost", lambda m: replace(m, sounds=m.sounds[:1])),
    ("sound", lambda m: replace(m, sounds=(*m.sounds, m.sounds[0]))),
    ("sound", lambda m: replace(m, sounds=(replace(m.sounds[0], beeps_s=()), m.sounds[1]))),
    ("sound offset", lambda m: replace(m, sounds=(_later(m.sounds[0], 0.021), m.sounds[1]))),
    ("sound offset", lambda m: replace(m, sounds=(m.sounds[0], _later(m.sounds[1], -0.021)))),
    ("sound length", lambda m: replace(m, sounds=(m.sounds[0], replace(m.sounds[1], end_s=m.sounds[1].end_s - 0.2)))),
    ("sound layout", lambda m: replace(m, sounds=(replace(m.sounds[0], layout="stereo"), m.sounds[1]))),
    (
        "sound channels",
        lambda m: replace(m, sounds=(replace(m.sounds[0], tones_hz=(900, 750, 0, 0, 0, 0)), m.sounds[1])),
    ),
    ("sound language", lambda m: replace(m, sounds=m.sounds[::-1])),
    ("sound rate", lambda m: replace(m, sounds=(replace(m.sounds[0], rate=44_100), m.sounds[1]))),
    ("sound damaged", lambda m: replace(m, sounds=(replace(m.sounds[0], damaged=1), m.sounds[1]))),
    ("subtitles", lambda m: replace(m, subtitles=())),
    ("subtitles", lambda m: replace(m, subtitles=(("deu", ((0.5, "hallo"),)),))),
    ("subtitles", lambda m: replace(m, subtitles=(("eng", ((0.5, "hello"),)),))),
    ("chapters", lambda m: replace(m, chapters=())),
    ("metadata", lambda m: replace(m, metadata={"title": "another"})),
    ("data", lambda m: replace(m, extras={"data": 0, "attachment": 1, "cover": 1})),
    ("attachment", lambda m: replace(m, extras={"data": 1, "attachment": 0, "cover": 1})),
    ("cover", lambda m: replace(m, extras={"data": 1, "attachment": 1, "cover": 0})),
    ("interlaced", lambda m: replace(m, interlaced=True)),
]


def test_a_film_is_true_to_itself(whole: Measure) -> None:
    assert faults(whole, whole, []) == []


@pytest.mark.parametrize(("kind", "spoil"), SPOILT, ids=[f"{k}-{n}" for n, (k, _) in enumerate(SPOILT)])
def test_what_is_spoilt_is_noticed(whole: Measure, kind: str, spoil: Any) -> None:
    assert kind in {fault.kind for fault in faults(whole, spoil(whole), [])}


def test_what_is_told_excuses_just_that(whole: Measure) -> None:
    bare = replace(whole, chapters=(), subtitles=(), sounds=whole.sounds[:1])
    assert {fault.kind for fault in faults(whole, bare, ["left out: 1 chapter"])} == {"subtitles", "sound lost"}
    assert faults(whole, bare, ["left out: 1 chapter, subtitles (deu), sound track 2 (eng)"]) == []
    late = replace(whole, sounds=(_later(whole.sounds[0], 1.0), whole.sounds[1]))
    assert faults(whole, late, ["left out: sound, sound, sound"]) != []
    assert "sound offset" not in EXCUSES and "times" not in EXCUSES


def test_high_dynamic_range(whole: Measure) -> None:
    pq = replace(whole, tags=Tags(9, 16, 9, bits=10))
    assert faults(pq, pq, []) == []
    eight = replace(whole, tags=Tags(9, 14, 9, bits=8))
    assert "tags" in {fault.kind for fault in faults(pq, eight, ["tone-mapped"])}
    mapped = replace(whole, tags=Tags(1, 1, 1, bits=8), corners=whole.corners * 0.7)
    assert faults(pq, mapped, ["PQ was tone-mapped to BT.709"]) == []
    assert {fault.kind for fault in faults(pq, mapped, [])} == {"not told"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"interlaced": True}, "deinterlaced"),
        ({"seams": 1}, "the clock jumps"),
        ({"damaged": 2}, "2 pictures could not be read; the one before is shown instead"),
    ],
)
def test_what_has_to_be_told(whole: Measure, source: dict[str, Any], words: str) -> None:
    troubled = replace(whole, **source)
    assert [fault.kind for fault in faults(troubled, whole, [])] == ["not told"]
    assert faults(troubled, whole, [words]) == []


def test_leftovers_and_crashes_are_noticed(tmp_path: Path) -> None:
    source = make(Recipe(), tmp_path / "in")

    def export(_source: Path, _out: Path, _model: Path) -> Outcome:
        (tmp_path / ".result.0badcafe.part.mp4").touch()
        return Outcome(None, (), "seg-viewer: unexpected KeyError: 'x'", unexpected=True, code=1)

    report = judge(case_of(Recipe()), source, tmp_path, tmp_path, export=export)
    assert [fault.kind for fault in report.faults] == ["left behind", "unexpected"]
