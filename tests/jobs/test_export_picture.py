"""What an export shows is what the source shows: its shape, its side that is up, its colours; what changes is told."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs.export import ExportJob, ExportResult, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import VideoFile, open_source
from tests.clips import make_clip, video_times
from tests.films import film, quadrants, rgb_frame

ONE = Fraction(1)


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(str(model), style=OverlayStyle(0.0))  # the picture alone


def _exported(source: Path, options: RunOptions, name: str = "out.mp4") -> tuple[ExportResult, list[np.ndarray]]:
    result = run_export(ExportJob(str(source), Path(name).absolute(), options, crf=5))
    with av.open(f"file:{result.path}") as container:
        return result, [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("aspect", [ONE, Fraction(4, 3)], ids=str)
@pytest.mark.parametrize(
    "turn", [(0, True, False), (90, False, False), (180, False, False), (270, True, False)], ids=str
)
def test_turned_and_mirrored(options: RunOptions, turn: tuple[int, bool, bool], aspect: Fraction) -> None:
    clip = film(Path("in.mp4"), [rgb_frame(quadrants(64, 48))] * 4, turn=turn, sample_aspect=aspect)
    shown = next(iter(open_source(clip))).picture.rgb()
    result, frames = _exported(clip, options)
    assert len(frames) == 4 and frames[0].shape == shown.shape
    assert np.abs(frames[2].astype(int) - shown).mean() < 4
    made = VideoFile(result.path)
    assert made.info.sample_aspect == (aspect if turn[0] % 180 == 0 else 1 / aspect)


@pytest.mark.parametrize(
    ("tags", "written"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((1, 13, 12, 1), (1, 13, 12, 1)),
        ((9, 14, 9, 1), (9, 1, 9, 1)),
        ((6, 6, 6, 1), (6, 6, 6, 1)),
        ((5, 6, 5, 1), (5, 6, 5, 1)),
        ((1, 1, 1, 2), (1, 1, 1, 2)),
        ((9, 16, 9, 1), (1, 1, 1, 1)),
        ((9, 18, 9, 1), (1, 1, 1, 1)),
    ],
    ids=str,
)
def test_what_is_said_of_colours(
    options: RunOptions, tags: tuple[int, int, int, int], written: tuple[int, int, int, int]
) -> None:
    clip = film(Path("in.mkv"), [rgb_frame(quadrants(64, 48), "yuv420p10le")] * 3, codec="ffv1", tags=tags)
    shown = next(iter(open_source(clip))).picture.rgb()
    result, _ = _exported(clip, options)
    with av.open(str(result.path)) as container:
        frame = next(container.decode(video=0))
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_trc, context.color_primaries, context.color_range) == written
        assert (frame.colorspace, frame.color_trc, frame.color_primaries, frame.color_range) == written
    assert np.abs(next(iter(open_source(result.path))).picture.rgb().astype(int) - shown).mean() < 4
    hdr = tags[1] in (16, 18)
    assert [("HDR" in line) for line in result.warnings] == ([True] if hdr else [])


def test_a_recorder_that_goes_from_sd_to_hd(options: RunOptions) -> None:
    """Untagged: the small one is in BT.601, the large one in BT.709; the shapes differ too."""
    colour = np.array([200, 60, 40])
    small = rgb_frame(np.full((48, 64, 3), colour, np.uint8))
    large = rgb_frame(np.full((204, 1088, 3), colour, np.uint8), "rgb24").reformat(format="yuv420p", dst_colorspace=1)
    parts = [film(Path(f"{n}.ts"), [frame] * 5, options={"qp": "1"}) for n, frame in enumerate((small, large, small))]
    Path("in.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    result, frames = _exported(Path("in.ts"), options)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 15
    for frame in frames:
        assert np.abs(frame[24, 32].astype(int) - colour).max() < 8
    assert (frames[7][:16] < 12).all() and (frames[7][32:] < 12).all()  # wide: black above and below
    told = [line for line in result.warnings if "changes from" in line]
    assert len(told) == 2 and "64×48 to 1088×204" in told[0] and "1088×204 to 64×48" in told[1]


def test_interlaced(options: RunOptions) -> None:
    luma = [cv2.circle(np.full((64, 96), 60, np.uint8), (20 + 3 * i, 32), 14, 220, -1) for i in range(24)]
    frames = []
    for first, second in zip(luma[::2], luma[1::2], strict=True):
        woven = second.copy()
        woven[::2] = first[::2]
        frames.append(rgb_frame(np.repeat(woven[..., None], 3, axis=2)))
    clip = film(Path("in.mp4"), frames, options={"x264-params": "bff=1:qp=4"})
    result, made = _exported(clip, options)
    assert video_times(result.path) == video_times(clip)
    assert [line for line in result.warnings if "interlaced" in line] == [
        "in.mp4: says that it is interlaced; pictures that show combs are made whole (bwdif)"
    ]
    rows = np.abs(np.diff(made[5][..., 1].astype(int), axis=0))
    stored = np.abs(np.diff(luma[10].astype(int), axis=0))
    assert rows.sum() < 1.5 * stored.sum()  # no teeth
    with av.open(str(result.path)) as container:
        assert not next(container.decode(video=0)).interlaced_frame


def test_an_animated_webp(options: RunOptions) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((48, 64, 3), 40 * index, np.uint8) for index in range(5)]
    animation.durations = np.array([40, 200, 100, 60, 500])
    assert cv2.imwriteanimation("in.webp", animation)
    result, frames = _exported(Path("in.webp"), options)
    assert [int(frame[20, 20, 0]) for frame in frames] == pytest.approx([0, 40, 80, 120, 160], abs=4)
    assert [float(time) for time in video_times(result.path)] == pytest.approx([0, 0.04, 0.24, 0.34, 0.4], abs=2e-3)
    with av.open(str(result.path)) as container:
        assert container.duration / av.time_base == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(
    "name",
    ["12:30:00", "~x", "-x", "%d", "ä" * 125, "udp:x", "http:x", "x?y#z", "a\nb", os.fsdecode(b"caf\xe9"), "[red]"],
    ids=ascii,
)
def test_any_name_in_and_out(options: RunOptions, name: str) -> None:
    make_clip(Path("plain.mp4"), frames=4, audio="aac").rename(f"{name}.mp4")
    Path("out").mkdir()
    result, frames = _exported(Path(f"{name}.mp4"), options, f"out/{name}.mp4")
    assert len(frames) == 4 and result.path == Path(f"out/{name}.mp4").absolute()
    assert {path.suffix for path in Path("out").iterdir()} <= {".mp4", ".json"}  # no part is left


@pytest.mark.parametrize("frames", [1, 2, 3, 35])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(17_530, 1000), Fraction(30_000, 1001), Fraction(5)], ids=str)
def test_players_show_the_last_picture_too(options: RunOptions, rate: Fraction, frames: int) -> None:
    clip = make_clip(Path("in.mkv"), frames=frames, rate=rate)
    result, made = _exported(clip, options)
    assert len(made) == result.frames == frames
    with av.open(str(result.path)) as container:
        assert container.duration / av.time_base == pytest.approx(float(frames / rate), abs=0.02)
