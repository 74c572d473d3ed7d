"""Parts, sizes and several outputs of an export; what it would do, told beforehand."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import click.testing
import cv2
import numpy as np
import pytest

from seg_viewer.cli.main import cli
from seg_viewer.core.errors import UsageError
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.export_job import Wanted
from seg_viewer.jobs.export_plan import plan_export
from seg_viewer.jobs.manifest import manifest_path
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources.between import Moment, Selection
from tests.clips import make_clip, video_times
from tests.jobs.breaking_off import hidden, more_sinks, pictures

__all__ = ["more_sinks"]  # a fixture


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(str(model))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """2 s with sound; frame k is grey, green, blue, red by turns."""
    return make_clip(tmp_path / "in.mp4", frames=50, width=64, height=48, audio="aac")


def _kinds(path: Path) -> list[int]:
    """Which of grey, green, blue, red each picture is, painted or not."""
    means = [picture.mean(axis=(0, 1)) for picture in pictures(path)]
    return [0 if np.ptp(mean) < 30 else (1, 2, 3)[(1, 2, 0).index(int(mean.argmax()))] for mean in means]


def _sound_s(path: Path) -> float:
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


@pytest.mark.parametrize(
    ("start", "end", "every", "expected"),
    [
        (None, None, 1, range(50)),
        ("0.4", "0.8", 1, range(10, 20)),
        ("10f", "20f", 1, range(10, 20)),
        ("0:00.4", "20f", 1, range(10, 20)),
        ("10f", "0.8", 1, range(10, 20)),
        ("0.41", "0.79", 1, range(10, 20)),  # the frame on the screen at 0.41 s; the next one begins at 0.8 s
        (None, "7f", 1, range(7)),
        ("43f", None, 1, range(43, 50)),
        ("1.96", None, 1, range(49, 50)),
        ("5f", "45f", 9, range(5, 45, 9)),
        (None, None, 49, range(0, 50, 49)),
        ("40f", "900f", 2, range(40, 50, 2)),
        ("1.6", "15:00", 1, range(40, 50)),
    ],
)
def test_a_part_by_time_or_number(
    clip: Path, tmp_path: Path, options: RunOptions, start: str | None, end: str | None, every: int, expected: range
) -> None:
    part = Selection(Moment.read(start) if start else None, Moment.read(end) if end else None, every)
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options, selection=part))
    assert result.frames == len(expected)
    assert _kinds(result.path) == [number % 4 for number in expected]
    assert video_times(result.path) == [Fraction(number - expected[0], 25) for number in expected]
    with av.open(str(result.path)) as container:
        stream = container.streams.video[0]
        length_s = float(stream.duration * stream.time_base)
    until = min(50, int(end[:-1]) if end and end.endswith("f") else 20 if end in ("0.8", "0.79") else 50)
    assert length_s == pytest.approx((until - expected[0]) / 25, abs=every / 25 + 0.001)
    if len(expected) > 1:
        assert _sound_s(result.path) == pytest.approx((until - expected[0]) / 25, abs=every / 25 + 0.05)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2", None, "holds no frame in that part; it ends at 2.00 s"),
        ("1:00", "2:00", "holds no frame in that part"),
        ("50f", None, "holds no frame in that part"),
        ("20f", "1f", "not after the start"),
        ("1", "1", "not after the start"),
        ("1:70", None, "no place in a video"),
        ("soon", None, "no place in a video"),
        ("-1f", None, "no place in a video"),
        ("nan", None, "no place in a video"),
        ("1:2:3:4", None, "no place in a video"),
    ],
)
def test_a_part_that_is_none(
    clip: Path, tmp_path: Path, options: RunOptions, start: str, end: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        part = Selection(Moment.read(start), Moment.read(end) if end else None)
        run_export(ExportJob(clip, tmp_path / "out.mp4", options, selection=part))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


# -- sizes ------------------------------------------------------------------------------------------------------------


def _display_aspect(path: Path) -> Fraction:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return Fraction(stream.width, stream.height) * (stream.sample_aspect_ratio or 1)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (98, 54), (54, 98), (130, 34), (63, 47)])
@pytest.mark.parametrize("aspect", [None, Fraction(4, 3), Fraction(8, 9)])
@pytest.mark.parametrize("size", ["32x32", "50x", "x70", "72p", "200x30"])
def test_no_size_distorts(
    tmp_path: Path, options: RunOptions, width: int, height: int, aspect: Fraction | None, size: str
) -> None:
    clip = tmp_path / "in.mkv"
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("libx264rgb" if width % 2 else "libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "rgb24" if width % 2 else "yuv420p"
        stream.sample_aspect_ratio = aspect or Fraction(1)
        for _ in range(2):
            picture = np.full((height, width, 3), 90, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", options, size=Wanted.read(size)))
    assert float(_display_aspect(result.path)) == pytest.approx(float(_display_aspect(clip)), rel=0.01)
    wanted = Wanted.read(size)
    picture = pictures(result.path)[0]
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0
    assert picture.shape[1] <= (wanted.width or 10_000) and picture.shape[0] <= (wanted.height or 10_000)


def test_pictures_of_another_shape_get_black_beside_them(tmp_path: Path, options: RunOptions) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, (height, width) in enumerate([(64, 128), (64, 64), (32, 128), (128, 256)]):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((height, width, 3), 200, np.uint8))
    result = run_export(ExportJob(folder, tmp_path / "out.mp4", options, crf=1))
    first, square, flat, large = (picture.mean(axis=2) for picture in pictures(result.path))
    assert first.shape == square.shape == flat.shape == large.shape == (64, 128)
    assert np.abs(first - 200).max() < 12 and np.abs(large - 200).max() < 12
    assert square[:, 36:92].min() > 180 and square[:, :28].max() < 12 and square[:, 100:].max() < 12
    assert flat[20:44].min() > 180 and flat[:12].max() < 12 and flat[52:].max() < 12


@pytest.mark.parametrize("size", ["", "x", "720", "0x0", "15p", "20000x", "1280x720x3", "axb", "-5p", "1.5p"])
def test_sizes_that_are_none(size: str) -> None:
    with pytest.raises(UsageError, match="size"):
        Wanted.read(size)


# -- outputs ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("more_sinks")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_output_is_the_input(tmp_path: Path, clip: Path, options: RunOptions, place: int) -> None:
    before = clip.read_bytes()
    (tmp_path / "hard.mp4").hardlink_to(clip)
    (tmp_path / "soft.mp4").symlink_to(clip)
    for same in ("in.mp4", "hard.mp4", "soft.mp4"):
        outputs = [tmp_path / "a.mp4", tmp_path / "b.jsonl", tmp_path / "c.mp4"]
        outputs[place] = tmp_path / same
        with pytest.raises(UsageError, match="is the input itself"):
            run_export(ExportJob(clip, tuple(outputs), options, overwrite=True))
    assert clip.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hard.mp4", "in.mp4", "soft.mp4"]


@pytest.mark.usefixtures("more_sinks")
def test_no_folder_is_that_of_the_input(tmp_path: Path, options: RunOptions) -> None:
    folder = tmp_path / "pictures.maps"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.png"), np.zeros((48, 64, 3), np.uint8))
    clip = make_clip(folder / "in.mp4", frames=3)
    for source in (folder, clip, folder / "0.png"):
        for out in (f"{folder}/", f"{tmp_path}/../{tmp_path.name}/pictures.maps/"):
            with pytest.raises(UsageError, match=r"holds the input|is the input itself"):
                run_export(ExportJob(source, out, options, overwrite=True))
    (folder / "1.means").write_text("part of it")
    with pytest.raises(UsageError, match="is part of the input"):
        run_export(ExportJob(folder, folder / "1.means", options, overwrite=True))
    assert sorted(path.name for path in folder.iterdir()) == ["0.png", "1.means", "in.mp4"]


@pytest.mark.usefixtures("more_sinks")
def test_an_output_is_named_once(tmp_path: Path, clip: Path, options: RunOptions) -> None:
    (tmp_path / "there").symlink_to(tmp_path)
    for other in (tmp_path / "a.mp4", f"{tmp_path}/./a.mp4", tmp_path / "there" / "a.mp4"):
        with pytest.raises(UsageError, match="is named twice"):
            run_export(ExportJob(clip, (tmp_path / "a.mp4", tmp_path / "b.jsonl", other), options))
    with pytest.raises(UsageError, match="nothing to write"):
        run_export(ExportJob(clip, (), options))


@pytest.mark.usefixtures("more_sinks")
def test_a_folder_is_made_and_not_mixed_with_what_is_there(tmp_path: Path, clip: Path, options: RunOptions) -> None:
    out = tmp_path / "made.maps"
    result = run_export(ExportJob(clip, (f"{out}/", tmp_path / "a.mp4"), options))
    assert result.files == (out, tmp_path / "a.mp4") and len(list(out.iterdir())) == 50
    with pytest.raises(UsageError, match="exists already"):
        run_export(ExportJob(clip, f"{out}/", options))
    (tmp_path / "file.maps").write_text("a file")
    with pytest.raises(UsageError, match="is a file; choose another name for the folder"):
        run_export(ExportJob(clip, f"{tmp_path}/file.maps/", options))
    with pytest.raises(UsageError, match="no such folder"):
        run_export(ExportJob(clip, f"{tmp_path}/gone/new.maps/", options))


@pytest.mark.usefixtures("more_sinks")
def test_what_a_killed_export_left_of_any_output_goes(tmp_path: Path, clip: Path, options: RunOptions) -> None:
    (tmp_path / ".a.01234567.part.jsonl").write_text("{}")
    (tmp_path / ".b.01234567.part.jsonl").write_text("of another")
    run_export(ExportJob(clip, (tmp_path / "v.mp4", tmp_path / "a.jsonl"), options))
    assert hidden(tmp_path) == [".b.01234567.part.jsonl"]


# -- told beforehand --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("more_sinks")
def test_a_dry_run_tells_and_writes_nothing(tmp_path: Path, clip: Path, options: RunOptions) -> None:
    (tmp_path / "old.mp4").write_text("old")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    job = ExportJob(
        clip, (tmp_path / "old.mp4", tmp_path / "b.jsonl", f"{tmp_path}/c.maps/"), options, overwrite=True,
        selection=Selection(Moment(0.4), Moment(frame=30), 2),
    )  # fmt: skip
    told = plan_export(job)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert told[0].startswith("in.mp4: 64×48, h264, 25.00 frames/s, 2.0 s; model colors")
    assert told[1] == "frames: 10, from 0.40 s on, every 2"
    text = "\n".join(told)
    assert "old.mp4: video with the overlay" in text and "(replaces what is there)" in text and "sound: aac" in text
    assert "b.jsonl: how much of each picture" in text and "c.maps" in text
    assert run_export(job).frames == 10  # as it was told


def test_a_dry_run_refuses_what_the_run_would(tmp_path: Path, clip: Path, options: RunOptions) -> None:
    cases = {
        "is the input": ExportJob(clip, clip, options, overwrite=True),
        "exists already": ExportJob(clip, tmp_path / "old.mp4", options),
        "no such folder": ExportJob(clip, tmp_path / "gone" / "a.mp4", options),
        "holds no frame": ExportJob(clip, tmp_path / "a.mp4", options, selection=Selection(Moment(60.0))),
        "gone.mp4": ExportJob(tmp_path / "gone.mp4", tmp_path / "a.mp4", options),
    }
    (tmp_path / "old.mp4").write_text("old")
    for message, job in cases.items():
        with pytest.raises(UsageError, match=message):
            plan_export(job)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "old.mp4"]


def test_the_command_line_says_the_same(tmp_path: Path, clip: Path, model: Path) -> None:
    out = tmp_path / "{name}_x.mp4"
    words = [
        "export",
        str(clip),
        "-o",
        str(out),
        "--model",
        str(model),
        "--start",
        "0.4",
        "--end",
        "20f",
        "--size",
        "32x",
    ]
    runner = click.testing.CliRunner()
    dry = runner.invoke(cli, [*words, "--dry-run"], catch_exceptions=False)
    assert dry.exit_code == 0 and "frames: 10, from 0.40 s on" in dry.output
    assert not (tmp_path / "in_x.mp4").exists()
    assert runner.invoke(cli, words, catch_exceptions=False).exit_code == 0
    assert [picture.shape for picture in pictures(tmp_path / "in_x.mp4")] == [(24, 32, 3)] * 10
    assert manifest_path(tmp_path / "in_x.mp4").is_file()
    (tmp_path / "folder").mkdir()
    words[3] = str(tmp_path / "folder")
    assert runner.invoke(cli, [*words, "--no-manifest"], catch_exceptions=False).exit_code == 0
    assert os.listdir(tmp_path / "folder") == ["in_seg.mp4"]
