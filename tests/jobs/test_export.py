from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import ExportError, SourceError, UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs.export import ExportCancelled, ExportJob, ExportProgress, run_export
from seg_viewer.jobs.options import RunOptions
from tests.clips import CYCLE, audio_packets, make_clip, video_times
from tests.waiting import wait_until


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(str(model), style=OverlayStyle(0.5))


def _names(folder: Path) -> list[str]:
    """What is there, manifests not counted."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".manifest.json"))


def _frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_every_frame_is_painted_at_its_own_time(tmp_path: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=24)
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options))
    assert result.frames == 24
    assert video_times(result.path) == video_times(clip)
    for index, rgb in enumerate(_frames(result.path)):
        label = DRIVING[index % 4]
        color = np.array(CYCLE[index % 4], float)
        expected = color + (0.5 * (np.array(label.color) - color) if label.painted else 0)
        assert np.abs(rgb[20:40, 20:100].mean(axis=(0, 1)) - expected).max() < 14


def test_what_players_need(tmp_path: Path, options: RunOptions) -> None:
    result = run_export(ExportJob(make_clip(tmp_path / "in.mkv", pix_fmt="yuv444p"), tmp_path / "out.mp4", options))
    with av.open(str(result.path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    data = result.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # faststart


def test_variable_frame_rate_survives(tmp_path: Path, options: RunOptions) -> None:
    pts = [0, 40, 45, 200, 233, 1000, 1001, 1500]
    clip = make_clip(tmp_path / "in.mkv", frames=8, pts=pts, time_base=Fraction(1, 1000))
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options))
    assert [round(t * 1000) for t in video_times(result.path)] == pts


@pytest.mark.parametrize("codec", ["aac", "libmp3lame"])
def test_sound_is_copied_bit_for_bit(tmp_path: Path, options: RunOptions, codec: str) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=50, audio=codec)
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options))
    assert result.audio.endswith("copied")
    assert audio_packets(result.path) == audio_packets(clip)


def test_sound_that_mp4_cannot_hold_becomes_aac(tmp_path: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mkv", frames=50, audio="pcm_s16le")
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options))
    assert result.audio == "pcm_s16le encoded as aac"
    with av.open(str(result.path)) as container:
        samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert len(samples) / 48_000 == pytest.approx(2, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples[:48_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.parametrize(("width", "height"), [(16, 16), (127, 63)])
def test_small_and_odd_sizes(tmp_path: Path, options: RunOptions, width: int, height: int) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((height, width, 3), (0, 0, 200), np.uint8))
    result = run_export(ExportJob(folder, tmp_path / "out.mp4", options))
    frames = _frames(result.path)
    assert len(frames) == 3
    assert frames[0].shape[:2] == (height + height % 2, width + width % 2)
    assert frames[0][..., 0].mean() > 150  # red person on red


def test_an_8k_picture(tmp_path: Path, options: RunOptions) -> None:
    cv2.imwrite(str(tmp_path / "big.jpg"), np.full((4320, 7680, 3), (200, 0, 0), np.uint8))
    result = run_export(ExportJob(tmp_path / "big.jpg", tmp_path / "out.mp4", options, preset="ultrafast"))
    (frame,) = _frames(result.path)
    assert frame.shape == (4320, 7680, 3)


def test_pictures_of_several_sizes_take_the_first_ones(tmp_path: Path, options: RunOptions) -> None:
    for number, size in enumerate([(64, 128), (100, 90), (63, 127)]):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((*size, 3), 90, np.uint8))
    result = run_export(ExportJob(tmp_path, tmp_path / "out.mp4", options))
    assert [frame.shape[:2] for frame in _frames(result.path)] == [(64, 128)] * 3


def test_progress_ends_at_what_was_written(tmp_path: Path, options: RunOptions) -> None:
    seen: list[ExportProgress] = []
    whole = make_clip(tmp_path / "whole.mp4", frames=50, container_options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.8)])
    result = run_export(ExportJob(cut, tmp_path / "out.mp4", options), on_progress=seen.append)
    assert result.frames < 50
    assert (seen[-1].frames, seen[-1].total) == (result.frames, result.frames)
    assert any("50 frames" in warning for warning in result.warnings)


def test_cancel_leaves_nothing(tmp_path: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mp4")
    calls = iter(range(100))
    with pytest.raises(ExportCancelled):
        run_export(ExportJob(clip, tmp_path / "out.mp4", options), cancelled=lambda: next(calls) == 5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4"]


def test_the_input_is_never_the_output(tmp_path: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mp4")
    before = clip.read_bytes()
    (tmp_path / "link.mp4").symlink_to(clip)
    for out in (clip, tmp_path / "link.mp4"):
        with pytest.raises(UsageError, match="is the input itself"):
            run_export(ExportJob(clip, out, options, overwrite=True))
    assert clip.read_bytes() == before


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mp4")
    out = tmp_path / "out.mp4"
    out.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        run_export(ExportJob(clip, out, options))
    assert out.read_text(encoding="utf-8") == "precious"
    with pytest.raises(ExportCancelled):
        run_export(ExportJob(clip, out, options, overwrite=True), cancelled=lambda: True)
    assert out.read_text(encoding="utf-8") == "precious"
    run_export(ExportJob(clip, out, options, overwrite=True))
    assert len(_frames(out)) == 24


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("nowhere/out.mp4", "no such folder"),
        ("out.avi", "its end does not say what to write"),
        ("folder.mp4", "is a folder"),
    ],
)
def test_outputs_that_cannot_be_meant(tmp_path: Path, options: RunOptions, out: str, message: str) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=2)
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UsageError, match=message):
        run_export(ExportJob(clip, tmp_path / out, options))


def test_no_permission_for_the_folder(tmp_path: Path, options: RunOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=2)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, as in CI, may write everywhere
    with pytest.raises(ExportError, match="no permission to write"):
        run_export(ExportJob(clip, tmp_path / "out.mp4", options))


def test_a_source_that_fails_leaves_nothing(tmp_path: Path, options: RunOptions) -> None:
    (tmp_path / "in.mp4").write_text("no film" * 100)
    with pytest.raises(SourceError):
        run_export(ExportJob(tmp_path / "in.mp4", tmp_path / "out.mp4", options))
    assert not (tmp_path / "out.mp4").exists()


def test_bad_settings(tmp_path: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=2)
    with pytest.raises(UsageError, match="crf 99"):
        run_export(ExportJob(clip, tmp_path / "out.mp4", options, crf=99))
    with pytest.raises(UsageError, match="veryfast"):
        run_export(ExportJob(clip, tmp_path / "out.mp4", options, preset="warp"))


def _noise(index: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "seg_viewer", *arguments]


def test_a_disk_that_fills_up_leaves_nothing_and_says_so(tmp_path: Path, model: Path) -> None:
    """A limit on the size of files stands in for the full disk: both refuse a write in the middle."""
    clip = make_clip(tmp_path / "in.mp4", frames=60, width=320, height=240, picture=_noise)
    done = subprocess.run(
        _command("export", str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(model), "--crf", "5"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
    )
    assert done.returncode == 1, done.stderr
    assert "out.mp4" in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4"]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_file(tmp_path: Path, model: Path, kind: signal.Signals) -> None:
    fast = {"preset": "ultrafast", "crf": "40"}
    clip = make_clip(tmp_path / "in.mp4", frames=150, width=640, height=360, picture=_noise, options=fast)
    process = subprocess.Popen(
        _command("export", str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(model), "--preset", "slow"),
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    wait_until(lambda: list(tmp_path.glob(".out.*")), "the export to begin", 30)
    process.send_signal(kind)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 130, errors
    assert "stopped; nothing was left behind" in errors and "Traceback" not in errors
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4"]


def test_a_real_clip_keeps_times_and_sound(shared_videos: Path, tmp_path: Path, options: RunOptions) -> None:
    clip = shared_videos / "highway_540p_audio.mp4"
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options, preset="ultrafast"))
    assert result.frames == 221
    assert video_times(result.path) == video_times(clip)
    assert audio_packets(result.path) == audio_packets(clip)


def test_a_file_that_somebody_made_meanwhile_is_not_replaced(tmp_path: Path, options: RunOptions) -> None:
    """Two exports to one name, and nobody allowed overwriting: both are kept, and the later one says where."""
    clip, out = make_clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    inner = []

    def the_other() -> bool:
        if not inner:
            inner.append(run_export(ExportJob(clip, out, options, quality="tiny")))
        return False

    result = run_export(ExportJob(clip, out, options), cancelled=the_other)
    assert inner[0].path == out and inner[0].warnings == ()
    assert result.path == tmp_path / "out_2.mp4" and any("out_2.mp4" in warning for warning in result.warnings)
    assert len(_frames(out)) == len(_frames(result.path)) == 24
    assert out.read_bytes() != result.path.read_bytes()  # each is its own
    assert _names(tmp_path) == ["in.mp4", "out.mp4", "out_2.mp4"]


def test_what_a_killed_export_left_is_gone_after_the_next(tmp_path: Path, model: Path, options: RunOptions) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=100, width=320, height=192, picture=_noise)
    command = _command("export", str(clip), "-o", str(tmp_path / "out.mp4"), "--model", str(model), "--preset", "slow")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: any(tmp_path.glob(".out.mp4.*.parts/*.mkv")), "the export to begin", 60)
        process.send_signal(signal.SIGSTOP)  # it lives, and does not come to its end
        try:
            other = run_export(ExportJob(make_clip(tmp_path / "b.mp4"), tmp_path / "out.mp4", options))
            assert other.warnings == () and len(list(tmp_path.glob(".out.mp4.*.parts"))) == 1  # nobody touched it
        finally:
            process.kill()
    assert len(list(tmp_path.glob(".out.mp4.*.parts"))) == 1
    run_export(ExportJob(tmp_path / "b.mp4", tmp_path / "out.mp4", options, overwrite=True))
    assert _names(tmp_path) == ["b.mp4", "in.mp4", "out.mp4"]
