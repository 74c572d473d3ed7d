"""The way out where a package is missing fits the program: pip's command, or what the frozen one leaves to do."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.core.installing import again, extra
from seg_viewer.engines import available_engines
from seg_viewer.gui.phrases import Phrases
from seg_viewer.gui.words import read_phrases
from seg_viewer.player.sound_device import SoundError, load_sounddevice
from seg_viewer.sources import open_source
from tests.house import ROOT


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)


def test_pip_brings_an_extra() -> None:
    assert extra("ray") == "pip install 'seg-viewer[ray]'"
    assert again("openvino") == "pip install --force-reinstall openvino"


@pytest.mark.parametrize(
    ("receipt", "way"), [("pipx_metadata.json", "pipx install --force"), ("uv-receipt.toml", "uv tool install")]
)
def test_what_installed_the_program_brings_its_extras(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, receipt: str, way: str
) -> None:
    (tmp_path / receipt).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert extra("sound") == f"{way} 'seg-viewer[sound]'"


@pytest.mark.usefixtures("frozen")
def test_nobody_is_sent_to_pip_from_the_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    way = "this program cannot be extended; install the one for Python: pipx install 'seg-viewer["
    packages = ("openvino", "onnxruntime", "tensorrt", "tensorrt_rtx", "tensorrt_bindings", "tensorrt_rtx_bindings")
    for name in (*packages, "sounddevice", "carla"):
        monkeypatch.setitem(sys.modules, name, None)
    find, gone = importlib.util.find_spec, dict.fromkeys((*packages, "carla"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: gone[name] if name in gone else find(name))
    told = [choice.problem for choice in available_engines()]
    for open_it, error in ((lambda: open_source("carla://h"), UsageError), (load_sounddevice, SoundError)):
        with pytest.raises(error) as caught:
            open_it()
        told.append(str(caught.value))
    assert len(told) == 6 and not [line for line in told if re.search(r"\bpip install", line)]
    assert [way in line for line in told].count(True) >= 3
    assert "install the program again" in told[2]
    german = Phrases(read_phrases("de"), ",")
    assert [line for line in told if "cannot be extended" in german.say(line)] == []


def test_every_extra_is_named_in_one_place_and_exists() -> None:
    files = {file: file.read_text(encoding="utf-8") for file in (ROOT / "seg_viewer").rglob("*.py")}
    named = {found for text in files.values() for found in re.findall(r"\bextra\([\"'](\w[\w-]*)[\"']\)", text)}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert len(named) >= 5 and named <= set(extras)
    assert [file.name for file, text in files.items() if "pip install 'seg-viewer[" in text] == []
