"""`python -m benchmarks.steady`: its figures, worked out by hand on a clip whose answers are known."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.steady import Late, main
from tests.clips import make_clip

CAR, PERSON = (80, 80, 240), (200, 55, 55)
"""Of the same luma."""
WRONG = (10, 20, 21)


def _picture(index: int, width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), PERSON if index in WRONG else CAR, np.uint8)


def test_a_clip_that_flickers(tmp_path: Path, model: Path) -> None:
    """41 frames, 40 pairs, all still: the model changes 4 times, steady classes never; 3 of 41 frames differ."""
    clip = make_clip(tmp_path / "in.mkv", frames=41, picture=_picture, codec="ffv1")
    truth = tmp_path / "truth.mkv"
    with av.open(str(truth), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "gray"
        for _ in range(41):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 128), 2, np.uint8), format="gray")))
        out.mux(stream.encode())
    told = CliRunner().invoke(main, [str(clip), "--model", str(model), "--truth", str(truth)], catch_exceptions=False)
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert "41 frames" in lines[0] and "late 7.32% (frames in a row, 0: 0%, 1: 50%, 2: 50%, 3: 0%" in lines[0]
    assert "changed" in lines[0] and "→ 0.000%" in lines[0]
    assert lines[1] == "  the truth itself: changed 0.000%"
    assert "accuracy 92.683%" in lines[2] and "accuracy 100.000%" in lines[3]


def test_what_lasts_longer_than_it_may_is_no_figure() -> None:
    late, ids = Late(), np.zeros((2, 2), np.uint8)
    for _ in range(9):
        late.add(ids, ids + 1)
    with pytest.raises(ValueError, match="broadcast"):
        late.add(ids, ids)
