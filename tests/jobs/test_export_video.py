"""Every output that is a video: what its pictures show, in which codec, with the source's times, resumed too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.paint import DIVIDER
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.media.codecs import CODECS, CONTAINERS
from tests.clips import CYCLE, make_clip, video_times

WIDTH, HEIGHT, FRAMES = 128, 64, 50  # 25 s: three segments
PAINTED = ("a.mp4", "a.mkv", "a.mov", "a.webm")
VIDEOS = (*PAINTED, "a.side.mp4", "a.mask.mp4", "a.ids.mkv", "a.overlay.mov", "a.overlay.webm")
PAIRS = [(codec, container) for container, held in CONTAINERS.items() for codec in held]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", frames=FRAMES, rate=2, audio="aac")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, clip: Path, model: Path) -> Path:
    """All of them, in one pass."""
    folder = tmp_path_factory.mktemp("made")
    result = run_export(ExportJob(clip, tuple(folder / name for name in VIDEOS), _options(model)))
    assert [path.name for path in result.files] == list(VIDEOS) and result.frames == FRAMES
    return folder


def _options(model: Path) -> RunOptions:
    return RunOptions(str(model), style=OverlayStyle(0.5))


def _pictures(path: Path, pixel_format: str, decoder: str | None = None) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        if decoder is None:
            return [frame.to_ndarray(format=pixel_format) for frame in file.decode(stream)]
        context = av.CodecContext.create(decoder, "r")
        frames = [frame for packet in file.demux(stream) if packet.size for frame in context.decode(packet)]
        return [frame.to_ndarray(format=pixel_format) for frame in [*frames, *context.decode(None)]]


def _middle(picture: NDArray[np.uint8], left: int = 20, right: int = 100) -> NDArray[np.float64]:
    return np.asarray(picture[20:40, left:right].reshape(-1, picture.shape[2]).mean(axis=0))


def _expected(index: int) -> NDArray[np.float64]:
    label, color = DRIVING[index % 4], np.array(CYCLE[index % 4], float)
    return np.asarray(color + (0.5 * (np.array(label.color) - color) if label.painted else 0))


@pytest.mark.parametrize("name", VIDEOS)
def test_times_and_sound_are_those_of_the_source(made: Path, clip: Path, name: str) -> None:
    exact = Fraction(0) if Path(name).suffix in (".mp4", ".mov") else Fraction(1, 1000)  # Matroska counts milliseconds
    both = list(zip(video_times(made / name), video_times(clip), strict=True))
    assert max(abs(ours - theirs) for ours, theirs in both) <= exact
    with av.open(str(made / name)) as file:
        assert len(file.streams.audio) == (0 if {".mask", ".ids", ".overlay"} & {Path(Path(name).stem).suffix} else 1)


@pytest.mark.parametrize("name", PAINTED)
def test_the_annotated_video(made: Path, name: str) -> None:
    for index, picture in enumerate(_pictures(made / name, "rgb24")):
        assert np.abs(_middle(picture) - _expected(index)).max() < 16


def test_side_by_side(made: Path) -> None:
    for index, picture in enumerate(_pictures(made / "a.side.mp4", "rgb24")):
        assert picture.shape == (HEIGHT, 2 * WIDTH + DIVIDER, 3)
        assert np.abs(_middle(picture) - CYCLE[index % 4]).max() < 16
        right = WIDTH + DIVIDER
        assert np.abs(_middle(picture, right + 20, right + 100) - _expected(index)).max() < 16


def test_masks_are_black_where_nothing_is_shown(made: Path) -> None:
    for index, picture in enumerate(_pictures(made / "a.mask.mp4", "rgb24")):
        label = DRIVING[index % 4]
        assert np.abs(_middle(picture) - (label.color if label.painted else (0, 0, 0))).max() < 10


def test_ids_are_exact(made: Path) -> None:
    pictures = _pictures(made / "a.ids.mkv", "gray")
    assert [np.unique(picture).tolist() for picture in pictures] == [[index % 4] for index in range(FRAMES)]
    assert pictures[0].shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize(("name", "decoder"), [("a.overlay.mov", None), ("a.overlay.webm", "libvpx-vp9")])
def test_the_overlay_alone_has_its_opacity(made: Path, name: str, decoder: str | None) -> None:
    for index, picture in enumerate(_pictures(made / name, "rgba", decoder)):
        label, shown = DRIVING[index % 4], _middle(picture)
        assert abs(shown[3] - (128 if label.painted else 0)) < 4
        if label.painted:
            assert np.abs(shown[:3] - label.color).max() < 10


def test_players_are_told_of_the_transparency(made: Path) -> None:
    with av.open(str(made / "a.overlay.webm")) as file:
        assert {key.lower(): value for key, value in file.streams.video[0].metadata.items()}["alpha_mode"] == "1"


def test_what_was_broken_off_is_the_same_in_the_end(made: Path, clip: Path, model: Path, tmp_path: Path) -> None:
    job = ExportJob(clip, tuple(tmp_path / name for name in VIDEOS), _options(model))
    frames = iter(range(FRAMES))

    def stop() -> bool:
        if next(frames) == 45:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt, match="first 20 s are kept"):
        run_export(job, cancelled=stop)
    assert not any((tmp_path / name).exists() for name in VIDEOS)
    result = run_export(ExportJob(clip, job.out, job.options, resume=True))
    assert (result.frames, result.resumed) == (FRAMES, 40)
    for name in VIDEOS:
        with av.open(str(made / name)) as unbroken, av.open(str(tmp_path / name)) as resumed:
            packets = [[(p.pts, p.dts, bytes(p)) for p in file.demux(video=0)] for file in (unbroken, resumed)]
        assert packets[0] == packets[1], name


@pytest.mark.parametrize("quality", ["balanced", "fast"])
@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_each_codec_in_each_container(
    clip: Path, model: Path, tmp_path: Path, codec: str, container: str, quality: str
) -> None:
    job = ExportJob(clip, tmp_path / f"a.{container}", _options(model), codec=codec, quality=quality)
    result = run_export(job)
    with av.open(str(result.path)) as file:
        name = file.streams.video[0].codec_context.codec.canonical_name
    assert name == {"h265": "hevc"}.get(codec, codec) and len(video_times(result.path)) == FRAMES
    for index, picture in enumerate(_pictures(result.path, "rgb24")):
        assert np.abs(_middle(picture) - _expected(index)).max() < 20


@pytest.mark.parametrize(
    ("codec", "container"), [(c, k) for k, held in CONTAINERS.items() for c in CODECS if c not in held]
)
def test_what_does_not_go_together_is_refused(
    clip: Path, model: Path, tmp_path: Path, codec: str, container: str
) -> None:
    with pytest.raises(UsageError, match=rf"does not go into \.{container}: choose"):
        run_export(ExportJob(clip, tmp_path / f"a.{container}", _options(model), codec=codec))
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_burnt_in(made: Path, model: Path, tmp_path: Path) -> None:
    large = make_clip(tmp_path / "large.mp4", frames=2, width=640, height=360)
    plain, told = (
        run_export(ExportJob(large, tmp_path / f"{stats}.mp4", _options(model), stats=stats)) for stats in (False, True)
    )
    without, with_ = (_pictures(result.path, "rgb24")[0].astype(int) for result in (plain, told))
    corner = (slice(0, 120), slice(0, 260))
    assert np.abs(with_ - without)[corner].max() > 60
    with_[corner] = without[corner] = 0
    assert np.abs(with_ - without).max() < 12


def test_a_picture_that_is_too_small_for_numbers_is_told(model: Path, tmp_path: Path) -> None:
    tiny = make_clip(tmp_path / "tiny.mp4", frames=2, width=32, height=16)
    result = run_export(ExportJob(tiny, tmp_path / "a.mp4", _options(model), stats=True))
    assert any("too small for numbers" in line for line in result.warnings)
