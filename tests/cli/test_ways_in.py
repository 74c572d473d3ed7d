"""`seg-viewer SOURCE` opens; a word that is neither command nor source is told."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from seg_viewer.cli.main import cli, main
from seg_viewer.core.assets import asset_path
from tests.house import ROOT


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[str, ...], Any]]:
    """What the window was to be opened with; the window itself is tested in tests/gui."""
    calls: list[tuple[tuple[str, ...], Any]] = []

    def run_viewer(sources: tuple[str, ...], options: Any, **_more: Any) -> int:
        calls.append((tuple(sources), options))
        return 0

    monkeypatch.setattr("seg_viewer.gui.app.run_viewer", run_viewer)
    return calls


def _run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["seg-viewer", *words])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


@pytest.mark.parametrize(
    ("words", "sources"),
    [
        ([], ()),
        (["view"], ()),
        (["a.mp4"], ("a.mp4",)),
        (["a.mp4", "b.mp4", "gone.mp4"], ("a.mp4", "b.mp4", "gone.mp4")),
        (["view", "a.mp4", "b.mp4"], ("a.mp4", "b.mp4")),
        (["--debug", "a.mp4"], ("a.mp4",)),
        (["./export"], ("./export",)),
        (["viewing"], ("viewing",)),
        (["--", "-a.mp4"], ("-a.mp4",)),
        (["a b ü 日本.mp4"], ("a b ü 日本.mp4",)),
        (["folder"], ("folder",)),
        (["demo"], ("demo",)),
        (["rtsp://HOST/PATH"], ("rtsp://HOST/PATH",)),
        (["camera:0?fps=30"], ("camera:0?fps=30",)),
        (["screen"], ("screen",)),
        (["carla://localhost:2000"], ("carla://localhost:2000",)),
        (["URL"], ("URL",)),
    ],
    ids=str,
)
def test_what_can_be_opened_is_opened(monkeypatch, tmp_path: Path, opened, words, sources) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mp4", "export", "viewing", "-a.mp4", "a b ü 日本.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    url = (tmp_path / "a.mp4").as_uri()
    assert _run(monkeypatch, *[url if word == "URL" else word for word in words]) == 0
    assert [call[0] for call in opened] == [tuple(url if s == "URL" else s for s in sources)]


@pytest.mark.parametrize("words", [["a.mp4", "--opacity", "0.3"], ["--opacity", "0.3", "a.mp4"], ["--opacity=0.3"]])
def test_options_of_view_work_without_its_name(monkeypatch, tmp_path: Path, opened, words) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").touch()
    assert _run(monkeypatch, *words) == 0
    ((sources, options),) = opened
    assert options.style.opacity == 0.3 and sources == tuple(word for word in words if word == "a.mp4")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("exprot", "no such command or file: exprot; did you mean export?"),
        ("Export", "no such command or file: Export; did you mean export?"),
        ("record_carla", "no such command or file: record_carla; did you mean record-carla?"),
        ("0", "no such command or file: 0; did you mean camera:0?"),
        ("qwertz", "no such command or file: qwertz (seg-viewer --help lists the commands)"),
        ("driev.mp4", "driev.mp4: no such file or folder; did you mean drive.mp4?"),
        ("none/x.mp4", "none/x.mp4: no such file or folder"),
        ("-", "no such command or file: - "),
        ("--modle", "'--model'"),
    ],
)
def test_a_typo_is_one_line_and_opens_nothing(monkeypatch, tmp_path, capsys, opened, word, says) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drive.mp4").touch()
    assert _run(monkeypatch, word) == 2
    told = capsys.readouterr().err.strip()
    assert says in told and (word.startswith("--") or "\n" not in told)
    assert opened == []


@pytest.mark.parametrize("words", [[""], ["view", ""], ["view", " "], ["a.mp4", ""], ["--debug", ""]], ids=str)
def test_an_empty_source_is_told_and_is_not_the_folder_one_is_in(monkeypatch, tmp_path, capsys, opened, words) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").touch()
    assert _run(monkeypatch, *words) == 2
    assert "SOURCE is empty" in capsys.readouterr().err and opened == []


def test_scores_are_of_one_source(monkeypatch, tmp_path, capsys, opened) -> None:
    (tmp_path / "a.mp4").touch()
    path = str(tmp_path / "a.mp4")
    assert _run(monkeypatch, path, path, "--truth-csv", str(tmp_path / "t.csv")) == 2
    assert "takes the scores of one SOURCE" in capsys.readouterr().err and opened == []


def test_help_says_both() -> None:
    text = " ".join(CliRunner().invoke(cli, ["--help"]).output.split())
    assert "[SOURCE]... | COMMAND [ARGS]..." in text and "several are a playlist" in text


def test_the_desktop_entry_opens_files_and_names_what_is_there() -> None:
    entry = dict(
        line.split("=", 1)
        for line in (ROOT / "assets" / "seg-viewer.desktop").read_text(encoding="utf-8").splitlines()
        if "=" in line
    )
    assert entry["Exec"] == "seg-viewer %U" and entry["Terminal"] == "false"
    assert asset_path("icons", f"{entry['Icon']}.svg").is_file()
    kinds = entry["MimeType"].rstrip(";").split(";")
    assert len(kinds) == len(set(kinds)) > 10 and all(re.fullmatch(r"[a-z-]+/[\w.+-]+", kind) for kind in kinds)
