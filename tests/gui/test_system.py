"""The system's packages are installed only for somebody who said so."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from seg_viewer.gui import system


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def asked_of_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Qt misses a library, we are root, and `apt-get` writes down what it is asked for."""
    log = tmp_path / "asked"
    log.touch()
    program = tmp_path / "apt-get"
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    program.chmod(0o755)
    monkeypatch.setattr(system, "missing_qt_libraries", lambda **_: ["libxcb-cursor0"])
    monkeypatch.setattr(system, "_has_fonts", lambda: True)
    monkeypatch.setattr(system.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(sys, "argv", ["system", "--install"])
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("SYSTEM", "CI"):
        monkeypatch.delenv(name, raising=False)
    return log


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="apt-get is Debian's")
@pytest.mark.parametrize(
    ("said", "environ", "installs"),
    [
        (None, {}, False),
        (None, {"SYSTEM": "1"}, True),
        (None, {"CI": "true"}, True),
        (None, {"CI": "true", "SYSTEM": "0"}, False),
        ("y\n", {"SYSTEM": "0"}, False),
        ("y\n", {}, True),
        ("yes\n", {}, True),
        ("\n", {}, False),
        ("n\n", {}, False),
        ("", {}, False),
    ],
)
def test_packages_are_installed_for_those_who_said_so(
    monkeypatch, capsys, asked_of_apt, said, environ, installs
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO() if said is None else _Terminal(said))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    system.main()
    told = capsys.readouterr().out
    assert "sudo apt-get install libxcb-cursor0" in told
    calls = asked_of_apt.read_text().splitlines()
    assert [call.split()[-1] for call in calls] == (["-qq", "libxcb-cursor0"] if installs else [])
    assert ("[y/N]" in told) is (said is not None and not environ)
    assert ("SYSTEM=1" in told) is (said is None and not environ)


def test_who_is_not_root_is_told_and_not_asked(monkeypatch, capsys, asked_of_apt) -> None:
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(sys, "stdin", _Terminal("y\n"))
    system.main()
    assert asked_of_apt.read_text() == "" and "[y/N]" not in capsys.readouterr().out
