"""An export in pieces, made in any order, is the export that one run makes; the cluster itself: test_ray.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from seg_viewer.core.errors import ExportError
from seg_viewer.jobs.export import ExportJob, ExportResult, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.piece import MadePiece, Piece, make_piece
from seg_viewer.jobs.spread import SpreadExport
from seg_viewer.sources.between import Moment, Selection
from tests.clips import make_clip


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(str(model))


def _moving(index: int, width: int, height: int) -> NDArray[np.uint8]:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, index % width :] = (200, 0, 0) if index % 3 else (0, 0, 200)
    return picture


def _open_groups(folder: Path) -> Path:
    groups = {"x264-params": "open-gop=1:keyint=37:bframes=3", "preset": "ultrafast"}
    return make_clip(folder / "in.mp4", frames=175, rate=5, picture=_moving, options=groups, audio="aac")


def _irregular(folder: Path) -> Path:
    """Nothing new is shown from 7 s to 31 s: a segment or two without a picture."""
    pts = [40 * n + (13 if n % 5 == 0 else 0) + (24_000 if n >= 180 else 0) for n in range(340)]
    return make_clip(folder / "in.mkv", frames=340, picture=_moving, pts=pts, time_base=Fraction(1, 1000))


def _broadcast(folder: Path) -> Path:
    return make_clip(folder / "in.ts", frames=300, rate=10, picture=_moving, codec="mpeg2video")


def _pictures(folder: Path) -> Path:
    """One of them cannot be read: numbers are those of the files."""
    import cv2

    (folder / "in").mkdir()
    for number in range(300):
        picture = _moving(number, 64, 32)
        cv2.imwrite(str(folder / "in" / f"{number:03}.png"), picture)
    (folder / "in" / "250.png").write_text("none")
    return folder / "in"


def _packets(path: Path) -> list[tuple[int, int, int, int, Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, p.dts, p.duration, p.time_base, bytes(p)) for p in container.demux() if p.size]


def _numbers(table: Path) -> list[str]:
    """Its rows without what the stages took, which is never the same twice."""
    rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    kept = [place for place, name in enumerate(rows[0]) if not name.endswith("_ms")]
    return [",".join(row[place] for place in kept) for row in rows]


def _in_pieces(job: ExportJob, order: Callable[[list[int]], list[int]] = lambda numbers: numbers[::-1]) -> ExportResult:
    export = SpreadExport(job, workers=2)
    for number in order(list(range(len(export.pieces)))):
        export.take(number, make_piece(export.pieces[number]))
    export.leave()
    return run_export(replace(job, resume=True))


@pytest.mark.parametrize("make", [_open_groups, _irregular, _broadcast, _pictures])
@pytest.mark.parametrize(
    "selection",
    [Selection(), Selection(Moment(time_s=3.3), Moment(time_s=26.9)), Selection(Moment(frame=7), None, 3)],
    ids=["all", "by time", "by number"],
)
def test_the_pieces_are_the_whole(
    tmp_path: Path, options: RunOptions, make: Callable[[Path], Path], selection: Selection
) -> None:
    clip = make(tmp_path)
    made = {}
    for name, run in (("once", run_export), ("pieces", _in_pieces)):
        out = (tmp_path / f"{name}.mp4", tmp_path / f"{name}.csv")
        made[name] = run(ExportJob(clip, out, options, selection=selection))
    assert _packets(tmp_path / "pieces.mp4") == _packets(tmp_path / "once.mp4")
    assert _numbers(tmp_path / "pieces.csv") == _numbers(tmp_path / "once.csv")
    assert made["pieces"].frames == made["once"].frames
    assert any(line.startswith("made in ") for line in made["pieces"].warnings)
    assert not any("do not meet" in line for line in made["pieces"].warnings)
    assert not list(tmp_path.glob(".*.parts"))


def test_pieces_that_do_not_meet_are_made_anew_and_told(tmp_path: Path, options: RunOptions) -> None:
    job = ExportJob(_open_groups(tmp_path), tmp_path / "out.mp4", options)
    export = SpreadExport(job, workers=2)
    assert len(export.pieces) == 4
    for number, piece in enumerate(export.pieces):
        made: MadePiece = make_piece(piece)
        export.take(number, replace(made, before=made.before - 1) if number == 2 and made.before else made)
    assert "the first 20 s are kept" in export.leave()
    result = run_export(replace(job, resume=True))
    assert any("pieces do not meet at 20 s; what follows was made anew" in line for line in result.warnings)
    run_export(replace(job, out=tmp_path / "once.mp4"))
    assert _packets(tmp_path / "out.mp4") == _packets(tmp_path / "once.mp4")


@pytest.mark.parametrize("there", [{0}, {0, 1, 3}, {1, 2}])
def test_what_is_missing_is_asked_for_again(tmp_path: Path, options: RunOptions, there: set[int]) -> None:
    job = ExportJob(_open_groups(tmp_path), tmp_path / "out.mp4", options)
    export = SpreadExport(job, workers=2)
    for number in there:
        export.take(number, make_piece(export.pieces[number]))
    assert not export.is_whole
    export.leave()
    again = SpreadExport(replace(job, resume=True), workers=2)
    assert again.pieces[0].first == next(number for number in range(9) if number not in there)
    for number, piece in enumerate(again.pieces):
        again.take(number, make_piece(piece))
    again.leave()
    run_export(replace(job, resume=True))
    run_export(replace(job, out=tmp_path / "once.mp4"))
    assert _packets(tmp_path / "out.mp4") == _packets(tmp_path / "once.mp4")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "0.0.0"}, "has seg_viewer .*, not 0.0.0; install the same on all nodes"),
        ({"fingerprint": "another"}, "is another file there; all nodes have to see the sources under the same paths"),
        ({"model": "another"}, "is another model there; give all nodes the same file"),
    ],
)
def test_a_machine_that_has_something_else_says_so(
    tmp_path: Path, options: RunOptions, change: dict[str, str], told: str
) -> None:
    job = ExportJob(make_clip(tmp_path / "in.mp4", frames=8), tmp_path / "out.mp4", options)
    export = SpreadExport(job, workers=1)
    wrong: Piece = replace(export.pieces[0], **change)
    with pytest.raises(ExportError, match=told):
        make_piece(wrong)
    export.remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]
