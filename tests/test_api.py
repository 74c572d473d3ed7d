"""What `import seg_viewer` offers to programs and notebooks."""

from __future__ import annotations

import gc
import inspect
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import seg_viewer
from seg_viewer import api
from seg_viewer.core.frame import Frame
from seg_viewer.core.labels import DRIVING
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sources.base import SourceInfo
from seg_viewer.sources.live import LiveStatus
from tests.clips import CYCLE, make_clip
from tests.house import ROOT
from tests.models import color_model
from tests.waiting import wait_until


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("seg-")]


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    assert _threads() == []
    yield
    gc.collect()
    wait_until(lambda: _threads() == [], "all threads to end")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "in.mp4", frames=24)


def test_importing_costs_nothing() -> None:
    code = (
        "import sys, seg_viewer; seg_viewer.__version__; dir(seg_viewer)\n"
        "print([n for n in ('numpy', 'cv2', 'av', 'openvino', 'onnx', 'click') if n in sys.modules])\n"
        "seg_viewer.models(); print('numpy' in sys.modules, 'openvino' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert told.stdout.splitlines() == ["[]", "True False"]


def test_the_lazy_names_the_stub_and_the_module_agree() -> None:
    stub = (ROOT / "seg_viewer" / "__init__.pyi").read_text(encoding="utf-8")
    named = set(re.findall(r"^from seg_viewer\.api import (\w+) as \1$", stub, re.MULTILINE))
    assert named == set(api.__all__) == set(seg_viewer._API)
    assert set(api.__all__) <= set(dir(seg_viewer))
    for name in api.__all__:
        assert getattr(seg_viewer, name) is getattr(api, name)
        assert inspect.getdoc(getattr(api, name))
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = seg_viewer.nothing_such


def test_a_star_import_leaves_pythons_own_open_alone() -> None:
    names: dict[str, object] = {}
    exec("from seg_viewer import *", names)  # noqa: S102
    assert "open" not in names


def test_type_checkers_see_the_types(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import seg_viewer\n"
        "for shot in seg_viewer.open('a.mp4'):\n"
        "    reveal_type(shot)\n"
        "    reveal_type(shot.overlay(opacity=1))\n"
        "reveal_type(seg_viewer.export('a.mp4', 'b.mp4').path)\n"
        "seg_viewer.open('a.mp4', sise='720p')\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"),
         "--config-file", str(ROOT / "pyproject.toml"), str(program)],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert 'is "seg_viewer.api.Shot"' in done.stdout, done.stdout
    assert re.search(r'is "numpy.ndarray\[.*unsignedinteger\[.*8', done.stdout), done.stdout
    assert 'is "pathlib.Path"' in done.stdout
    assert 'Unexpected keyword argument "sise"' in done.stdout


def test_every_frame_of_a_file_comes_with_its_classes(clip: Path, model: Path) -> None:
    with seg_viewer.open(clip, model=model) as shots:
        assert (shots.info.width, shots.info.height, shots.labels) == (128, 64, DRIVING)
        seen = list(shots)
        assert shots.engine and shots.warnings == () and shots.drops == {}
    assert [shot.index for shot in seen] == list(range(24))
    assert [shot.time_s for shot in seen] == pytest.approx([k / 25 for k in range(24)])
    for shot in seen:
        assert isinstance(shot, seg_viewer.Shot)
        assert shot.classes.shape == (32, 64) and shot.classes.dtype == np.uint8
        assert (shot.classes == shot.index % 4).all()
        full = shot.full_classes()
        assert full.shape == (64, 128) and full.dtype == np.uint8 and (full == shot.index % 4).all()
        assert shot.shares()[DRIVING[shot.index % 4].name] == 1 and sum(shot.shares().values()) == 1
        assert shot.mask("car").all() == (shot.index % 4 == 2)


def test_an_overlay_is_a_new_painted_picture(clip: Path, model: Path) -> None:
    road = next(seg_viewer.open(clip, model=model, start="1f"))
    before = road.rgb()
    painted = road.overlay(opacity=1)
    assert painted.shape == (64, 128, 3) and painted.dtype == np.uint8 and painted.flags.writeable
    assert (painted == DRIVING[1].color).all()
    half = road.overlay(0.5).astype(float)
    assert np.abs(half - (before + 0.5 * (np.array(DRIVING[1].color) - before.astype(float)))).max() <= 0.5
    painted[:] = 0
    assert (road.rgb() == before).all() and (road.overlay(opacity=1) == DRIVING[1].color).all()
    assert (road.overlay(1, hidden={"road"}) == before).all() and (road.overlay(0) == before).all()
    assert (road.overlay(1, hidden="road") == before).all()
    assert np.abs(before.mean(axis=(0, 1)) - CYCLE[1]).max() < 14  # RGB, not BGR


def test_colours_follow_what_was_asked_for(clip: Path, model: Path) -> None:
    road = next(seg_viewer.open(clip, model=model, start="1f"))
    assert (road.overlay(1, palette="okabe-ito") == (240, 228, 66)).all()
    for color in ("#010203", (1, 2, 3)):
        assert (road.overlay(1, palette="okabe-ito", colors={"road": color}) == (1, 2, 3)).all()
    assert (road.overlay(1) == DRIVING[1].color).all()  # not that of the call before
    assert len(np.unique(road.overlay(1, hatched=True).reshape(-1, 3), axis=0)) > 1
    for wrong, says in (
        ({"palette": "neon"}, "no palette 'neon'"),
        ({"colors": {"tram": "#ffffff"}}, "class 'tram'"),
        ({"colors": {"road": "blue"}}, "'blue' is no colour"),
        ({"colors": {"road": (1, 2, 300)}}, "class 'road'"),
        ({"colors": {"road": 7}}, "int"),
    ):
        with pytest.raises(seg_viewer.UsageError, match=says):
            road.overlay(**wrong)  # type: ignore[arg-type]


def test_an_outline_is_drawn_where_classes_meet(tmp_path: Path, model: Path) -> None:
    picture = np.full((64, 128, 3), 90, np.uint8)
    picture[:, 64:] = (0, 0, 200)  # BGR: red
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    (shot,) = seg_viewer.open(tmp_path / "one.png", model=model)
    drawn = (shot.overlay(0.2, outline=True) == DRIVING.by_name("person").color).all(axis=2)
    assert drawn.any() and not drawn.all() and not drawn[:, :60].any()


def _are_blocks(plane: np.ndarray, size: int) -> bool:
    """Whether a picture is made of blocks of one value each."""
    rows, columns = (length // size for length in plane.shape)
    blocks = plane.reshape(rows, size, columns, size)
    return bool((blocks == blocks[:, :1, :, :1]).all())


@pytest.mark.parametrize("smooth", [True, False])
def test_borders_run_smoothly_in_a_large_picture_or_along_the_pixels_of_the_map(tmp_path: Path, smooth: bool) -> None:
    picture = np.zeros((128, 256, 3), np.uint8)
    rows, columns = np.mgrid[0:128, 0:256]
    picture[rows > 0.4 * columns] = (0, 0, 250)  # BGR: red
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    model = color_model(tmp_path / "small.onnx", 32, 16)
    (shot,) = seg_viewer.open(tmp_path / "one.png", model=model)
    assert shot.classes.shape == (16, 32) and len(np.unique(shot.classes)) > 1
    white = {"person": "#ffffff"}
    assert _are_blocks((shot.overlay(1, colors=white, smooth=smooth) == 255).all(axis=2), 8) is not smooth
    out = tmp_path / "out.mkv"
    look = {"opacity": 1.0, "colors": white, "smooth": smooth}
    seg_viewer.export(tmp_path / "one.png", out, model=model, codec="ffv1", manifest=False, **look)  # type: ignore[arg-type]
    with av.open(str(out)) as made:
        painted = next(made.decode(video=0)).to_ndarray()[:128, :256] == 235
    assert _are_blocks(painted, 8) is not smooth and _are_blocks(painted, 2)


def test_a_notebook_shows_the_painted_picture(clip: Path, model: Path) -> None:
    shot = next(seg_viewer.open(clip, model=model, start="3f"))
    shown = cv2.cvtColor(cv2.imdecode(np.frombuffer(shot._repr_png_(), np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert (shown == shot.overlay()).all()
    assert repr(shot) == "<Shot 3 at 0.120 s, 128×64: background 0%, road 0%, car 0%, person 100%>"


def test_shots_say_what_they_are(clip: Path, model: Path) -> None:
    shots = seg_viewer.open(clip, model=model)
    assert repr(shots) == "<Shots of in.mp4 (128×64, 25.00 frames/s, 1.0 s), colors (64×32), open>"
    shots.close()
    assert repr(shots).endswith("closed>")


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"start": 0.2, "end": 0.4}, [5, 6, 7, 8, 9]),
        ({"start": "0:00.2", "end": "10f"}, [5, 6, 7, 8, 9]),
        ({"start": np.float64(0.21), "end": np.float32(0.3)}, [5, 6, 7]),
        ({"every": 7}, [0, 7, 14, 21]),
        ({"start": "3f", "every": 10}, [3, 13, 23]),
        ({"start": 22 / 25}, [22, 23]),
    ],
)
def test_a_part_is_taken(clip: Path, model: Path, chosen: dict[str, object], expected: list[int]) -> None:
    shots = list(seg_viewer.open(clip, model=model, **chosen))
    assert [shot.index for shot in shots] == expected
    assert [int(shot.classes[0, 0]) for shot in shots] == [k % 4 for k in expected]


@pytest.mark.parametrize(
    ("size", "expected"),
    [("64x", (32, 64)), ("32p", (32, 64)), ((64, 64), (32, 64)), ("256x128", (128, 256)), (None, (64, 128))],
)
def test_a_size_is_kept_in_shape(clip: Path, model: Path, size: object, expected: tuple[int, int]) -> None:
    shot = next(seg_viewer.open(clip, model=model, size=size))
    assert shot.overlay().shape[:2] == shot.full_classes().shape == expected


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"source": "gone.mp4"}, "gone.mp4"),
        ({"model": "no-such-model"}, "no-such-model"),
        ({"start": "soon"}, "no place"),
        ({"start": -1}, "no place"),
        ({"start": float("nan")}, "no place"),
        ({"start": 2, "end": 1}, "not after the start"),
        ({"every": 0}, "every 0"),
        ({"size": "huge"}, "huge"),
        ({"size": (1, 1)}, "1x1"),
    ],
)
def test_what_cannot_be_meant_is_one_line(clip: Path, model: Path, chosen: dict[str, object], message: str) -> None:
    with pytest.raises(seg_viewer.UsageError, match=message) as caught:
        seg_viewer.open(**({"source": clip, "model": model} | chosen))
    assert len(str(caught.value).splitlines()) == 1
    assert _threads() == []


def test_wrong_looks_are_named(clip: Path, model: Path, tmp_path: Path) -> None:
    shot = next(seg_viewer.open(clip, model=model))
    for look in ({"opacity": 1.5}, {"opacity": float("nan")}, {"hidden": ["dragon"]}):
        with pytest.raises(seg_viewer.UsageError, match=r"opacity|dragon.*road, car, person"):
            shot.overlay(**look)
    with pytest.raises(seg_viewer.UsageError, match="dragon"):
        shot.mask("dragon")
    for look in ({"opacity": -0.1}, {"hide": ["dragon"]}):
        with pytest.raises(seg_viewer.UsageError, match=r"opacity|dragon"):
            seg_viewer.export(clip, tmp_path / "out.mp4", model=model, **look)


def test_a_part_with_nothing_in_it_is_empty(clip: Path, model: Path) -> None:
    assert list(seg_viewer.open(clip, model=model, start=100, end=200)) == []


def test_a_source_that_breaks_ends_the_loop_with_its_reason(tmp_path: Path, model: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no film" * 100)
    with pytest.raises(seg_viewer.SourceError, match=r"bad\.mp4"):
        seg_viewer.open(tmp_path / "bad.mp4", model=model)
    with pytest.raises(seg_viewer.EngineError):
        next(seg_viewer.open(make_clip(tmp_path / "in.mp4", frames=3), model=model, device="NOWHERE"))


# -- leaving early ------------------------------------------------------------------------------------------------


class _Reader:
    """Counts whether each opened source was closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.closed = 0
        real = api.open_source

        def opened(source: str | Path) -> object:
            found = real(source)
            close = found.close

            def closing() -> None:
                self.closed += 1
                close()

            found.close = closing  # type: ignore[method-assign]
            return found

        monkeypatch.setattr(api, "open_source", opened)


def _break(clip: Path, model: Path) -> None:
    for _shot in seg_viewer.open(clip, model=model):
        break


def _raise(clip: Path, model: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        for _shot in seg_viewer.open(clip, model=model):
            _ = 1 // 0


def _forget(clip: Path, model: Path) -> None:
    shots = seg_viewer.open(clip, model=model)
    next(shots)
    del shots


def _forget_at_once(clip: Path, model: Path) -> None:
    seg_viewer.open(clip, model=model)


def _forget_in_a_circle(clip: Path, model: Path) -> None:
    shots = seg_viewer.open(clip, model=model)
    holder: list[object] = [shots]
    holder.append(holder)


def _with_block(clip: Path, model: Path) -> None:
    with seg_viewer.open(clip, model=model) as shots:
        next(shots)
    assert list(shots) == []  # closed: nothing more comes


def _close_twice(clip: Path, model: Path) -> None:
    shots = seg_viewer.open(clip, model=model)
    shots.close()
    shots.close()


def _to_the_end(clip: Path, model: Path) -> None:
    assert len(list(seg_viewer.open(clip, model=model))) == 24


@pytest.mark.parametrize(
    "leave",
    [_break, _raise, _forget, _forget_at_once, _forget_in_a_circle, _with_block, _close_twice, _to_the_end],
)
def test_however_a_loop_is_left_threads_end_and_the_source_is_closed(
    leave: object, clip: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = _Reader(monkeypatch)
    leave(clip, model)  # type: ignore[operator]
    gc.collect()
    wait_until(lambda: reader.closed and not _threads(), "the source to be closed")


def test_a_program_that_leaves_the_loop_by_an_error_ends(clip: Path, model: Path) -> None:
    code = "import seg_viewer, sys\nfor shot in seg_viewer.open(sys.argv[1], model=sys.argv[2]):\n    1 / 0"
    done = subprocess.run(
        [sys.executable, "-c", code, str(clip), str(model)], cwd=ROOT, capture_output=True, encoding="utf-8",
        timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("ZeroDivisionError") and done.stdout == ""


# -- live ---------------------------------------------------------------------------------------------------------


class _Camera:
    """A live source that makes frames as fast as they are taken, until it is interrupted."""

    def __init__(self) -> None:
        self.info = SourceInfo("camera:7", 128, 64, rate=30, live=True)
        self.warnings: list[str] = []
        self.status = LiveStatus(True)
        self.on_drop = lambda _cause: None
        self.made = 0
        self.closed = False
        self._stop = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        while not self._stop.wait(0.001):
            yield Frame(self.made, self.made / 30, RgbPicture(np.full((64, 128, 3), CYCLE[self.made % 4], np.uint8)))
            self.made += 1

    def seek(self, time_s: float) -> None:
        raise seg_viewer.SourceError("camera:7 cannot seek")

    def interrupt(self) -> None:
        self._stop.set()

    def packets(self) -> None:
        return None

    def close(self) -> None:
        self._stop.set()
        self.closed = True


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> _Camera:
    made = _Camera()
    monkeypatch.setattr(api, "open_source", lambda _text: made)
    return made


def test_of_what_is_live_the_newest_frame_comes(camera: _Camera, model: Path) -> None:
    with seg_viewer.open("camera:7", model=model, size="32p") as shots:
        first = next(shots)
        wait_until(lambda: camera.made > first.index + 50, "the camera to go on while nobody takes a frame")
        behind = next(shots), next(shots)  # what was under way, and then what is new
        assert behind[-1].index > first.index + 20
        assert sum(shots.drops.values()) > 10
        assert behind[-1].overlay().shape == (32, 64, 3)
        assert (behind[-1].classes == behind[-1].index % 4).all()
    assert camera.closed


@pytest.mark.parametrize("chosen", [{"start": 1}, {"end": "5f"}, {"every": 2}])
def test_what_is_live_has_no_parts(camera: _Camera, model: Path, chosen: dict[str, object]) -> None:
    with pytest.raises(seg_viewer.UsageError, match="camera:7: is live"):
        seg_viewer.open("camera:7", model=model, **chosen)
    assert camera.closed


# -- export -------------------------------------------------------------------------------------------------------


def test_export_writes_and_tells(clip: Path, model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[seg_viewer.ExportProgress] = []
    out = tmp_path / "out.mp4"
    result = seg_viewer.export(
        str(clip), str(out), model=model, start=0.2, end="20f", every=2, size=(64, 64), on_progress=seen.append
    )
    assert isinstance(result, seg_viewer.ExportResult) and result.path == out and result.frames == 8
    assert seen[-1].frames == 8
    with av.open(str(out)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 8 and pictures[0].shape == (32, 64, 3)
    assert capfd.readouterr() == ("", "")
    with pytest.raises(seg_viewer.UsageError, match="exists already"):
        seg_viewer.export(clip, out, model=model)
    assert seg_viewer.export(clip, out, model=model, overwrite=True, manifest=False).frames == 24


def test_several_outputs_in_one_pass(clip: Path, model: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "a.mp4", str(tmp_path / "b.mp4")]
    assert seg_viewer.export(clip, outputs, model=model, end=0.2).files == (outputs[0], Path(outputs[1]))
    with pytest.raises(seg_viewer.UsageError, match="nothing to write"):
        seg_viewer.export(clip, [], model=model)


def test_an_error_of_the_call_back_ends_the_export(clip: Path, model: Path, tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def stop(_progress: seg_viewer.ExportProgress) -> None:
        raise Enough

    with pytest.raises(Enough):
        seg_viewer.export(clip, tmp_path / "out.mp4", model=model, on_progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_models_and_what_they_are(two_shipped: Path, model: Path) -> None:
    assert seg_viewer.models() == ("driving-fast", "driving-fine")
    spec = seg_viewer.read_model("driving-fine")
    assert isinstance(spec, seg_viewer.ModelSpec) and (spec.width, spec.height) == (96, 64)
    assert seg_viewer.read_model(model).labels == DRIVING
    with pytest.raises(seg_viewer.UsageError, match="no-such"):
        seg_viewer.read_model("no-such")
    with pytest.raises(seg_viewer.ModelFileError):
        seg_viewer.read_model(two_shipped / "gone.onnx")
