"""What all tests share: made clips, made models, an own cache folder."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from seg_viewer.core import assets
from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL
from seg_viewer.core.machine import as_scheduled
from seg_viewer.pipeline import map_cache
from tests.models import color_model

# A shell that runs the tests in the background has SIGINT ignored, nohup SIGHUP, and programs started here would
# inherit that.
if threading.current_thread() is threading.main_thread():
    for number, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        if hasattr(signal, number) and signal.getsignal(getattr(signal, number)) == signal.SIG_IGN:
            signal.signal(getattr(signal, number), usual)

# how long an example takes says how busy the machine is, not whether a test is right
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# the same examples each time, so that a run can be repeated; HYPOTHESIS_PROFILE="any machine" looks for new ones
settings.register_profile("repeatable", settings.get_profile("any machine"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """An AV1 clip that a test makes leaves the tests after it no real-time priority."""
    with as_scheduled():
        return (yield)


@pytest.fixture(scope="module", autouse=True)
def _old_objects_rest() -> None:
    """No collection looks again through what earlier modules left: TensorFlow alone has a million objects."""
    gc.freeze()


LONG = (
    "trainer/test_training.py", "trainer/test_models.py", "trainer/test_details.py", "trainer/test_going_on.py",
    "trainer/test_several_devices.py", "trainer/test_api.py", "trainer/test_commands.py", "trainer/test_steppers.py",
    "trainer/test_light.py", "gui/test_app.py", "trainer/test_on_a_gpu.py", "trainer/test_teacher.py",
    "trainer/test_from_onnx.py", "sources/test_carla.py", "trainer/test_subpixel.py", "gui/test_view.py",
    "gui/test_shell.py", "jobs/test_export_parts.py", "engines/nvidia/test_contract.py", "gui/test_export_dialog.py",
    "trainer/test_feed.py", "trainer/test_quantize.py", "trainer/test_pack.py", "jobs/test_record_sound.py",
    "sources/test_carla_orphans.py", "test_contributing.py", "test_examples.py", "packaging/test_wheel.py",
)  # fmt: skip
"""Files that take longest, for what they have of tests: they come first, so that none is left alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then those of many tests; within a file all stays as it is."""
    counts = Counter(item.path for item in items)
    here = Path(__file__).parent
    place = {here / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: (place.get(item.path, len(LONG)), -counts[item.path], str(item.path)))


TOLD = "told"
"""Property of a test whose text the end of the run shows."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have to tell beside that they passed."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == TOLD and report.when == "call":
                terminalreporter.write_line(str(text))


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compiled models go to a folder of this run, never to the user's; class maps to one of each test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    maps = tmp_path_factory.getbasetemp() / "maps" / uuid4().hex
    monkeypatch.setattr(map_cache, "default_folder", lambda: maps)
    return


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The colour model, 64×32."""
    return color_model(tmp_path_factory.mktemp("models") / "colors.onnx")


@pytest.fixture
def two_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the shipped models: driving-fast, 64×32, and driving-fine, 96×64; colour models both."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    color_model(folder / f"{FAST_MODEL}.onnx", name=FAST_MODEL)
    color_model(folder / f"{FINE_MODEL}.onnx", 96, 64, name=FINE_MODEL)
    real = assets.asset_path
    monkeypatch.setattr(assets, "asset_path", lambda *parts: folder if parts == ("models",) else real(*parts))
    return folder


@pytest.fixture(scope="session")
def shared_videos() -> Path:
    """Real clips; skips where they are not at hand."""
    folder = SHARED / "videos"
    if not folder.is_dir():
        pytest.skip(f"{folder.name}: the real clips lie beside a developer's checkout only")
    return folder
