"""The stand-in for `sounddevice` offers what the real package offers, and no more is used of it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from pathlib import Path

import pytest

from seg_viewer.player import sound_device
from seg_viewer.player.sound_device import PortAudioDevice, SoundError, load_sounddevice, sound_here
from tests.player import loudspeaker
from tests.player.loudspeaker import Loudspeaker


@pytest.fixture(scope="module")
def real() -> ast.Module:
    """The package's source: importing it needs PortAudio, which a machine that tests need not have."""
    spec = importlib.util.find_spec("sounddevice")
    if spec is None or spec.origin is None:
        pytest.skip("sounddevice is not installed")
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def named(body: list[ast.stmt], name: str) -> ast.ClassDef | ast.FunctionDef:
    return next(each for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name == name)


def methods(real: ast.Module, name: str) -> dict[str, ast.FunctionDef]:
    """Of a class, those of its bases included."""
    found: dict[str, ast.FunctionDef] = {}
    kind = named(real.body, name)
    assert isinstance(kind, ast.ClassDef)
    for base in kind.bases:
        if isinstance(base, ast.Name) and any(getattr(each, "name", "") == base.id for each in real.body):
            found |= methods(real, base.id)
    return found | {each.name: each for each in kind.body if isinstance(each, ast.FunctionDef)}


def test_the_stand_in_has_the_surface_of_the_real_package(real: ast.Module):
    stream = methods(real, "OutputStream")
    wanted = set(inspect.signature(loudspeaker.OutputStream.__init__).parameters) - {"self"}
    assert wanted <= {each.arg for each in stream["__init__"].args.args}
    assert {"start", "close", "latency"} <= stream.keys()
    assert "ignore_errors" in {each.arg for each in stream["close"].args.args}
    for name in ("query_devices", "_terminate", "_initialize"):
        ours = inspect.signature(getattr(Loudspeaker, name)).parameters.keys() - {"self"}
        function = named(real.body, name)
        assert isinstance(function, ast.FunctionDef)
        assert ours == {each.arg for each in function.args.args}
    assert isinstance(named(real.body, "PortAudioError"), ast.ClassDef)
    assert "output_underflow" in methods(real, "CallbackFlags")


def test_no_more_of_the_package_is_used_than_the_stand_in_has():
    source = ast.parse(Path(sound_device.__file__).read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("library", "self._library")
    }
    assert used == {"OutputStream", "query_devices", "PortAudioError", "_terminate", "_initialize"}
    stream = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("stream", "self._stream")
    }
    assert stream == {"start", "close", "latency"}


@pytest.mark.parametrize(
    ("error", "text"),
    [(ImportError("no module"), "seg-viewer[sound]"), (OSError("PortAudio library not found"), "PortAudio is missing")],
)
def test_what_is_missing_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, text: str
):
    (tmp_path / "sounddevice.py").write_text(f"raise {type(error).__name__}({str(error)!r})")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(SoundError, match="install") as caught:
        load_sounddevice()
    assert text in str(caught.value)


def test_a_device_whose_times_are_unset_has_the_delay_of_its_stream():
    library = Loudspeaker(delay_s=0.2)
    device = PortAudioDevice(library)
    delays: list[float] = []
    device.start(lambda out, delay_s: (out.fill(0), delays.append(delay_s)), 0.1)
    library.delay_s = 0.05
    library.play()
    library.delay_s = -3.0  # as it looks where a host leaves its times at 0
    library.play()
    device.close()
    device.close()
    assert delays == pytest.approx([0.05, 0.2])


def test_the_doctor_names_what_plays_or_says_why_nothing_does(monkeypatch: pytest.MonkeyPatch):
    library = Loudspeaker()
    monkeypatch.setattr(sound_device, "load_sounddevice", lambda: library)
    assert sound_here() == "loud"
    library.channels = 0
    with pytest.raises(SoundError, match="the system has no sound device"):
        sound_here()
