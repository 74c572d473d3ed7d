"""`seg-viewer cache`, and `--no-cache`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from seg_viewer.cli.main import cli
from seg_viewer.pipeline.map_cache import MapCache
from tests.clips import make_clip


def _run(*words: str) -> str:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def _export(clip: Path, out: Path, model: Path, *more: str) -> str:
    return _run("export", str(clip), "-o", str(out), "--model", str(model), "--overwrite", *more)


def test_the_cache_is_shown_cleared_and_left_alone(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=10)
    assert "0.0 MB of 1074 MB, 0 videos" in _run("cache")
    assert "from the cache" not in _export(clip, tmp_path / "out.mp4", model, "--no-cache")
    assert "0 videos" in _run("cache")
    assert "from the cache" not in _export(clip, tmp_path / "out.mp4", model)
    kept = MapCache().size_bytes()
    shown = _run("cache")
    assert ", 1 video" in shown and str(MapCache().folder) in shown and kept > 0
    assert "10 class maps from the cache" in _export(clip, tmp_path / "out.mp4", model)
    assert "from the cache" not in _export(clip, tmp_path / "out.mp4", model, "--no-cache")
    assert f"{kept / 1e6:.1f} MB removed" in _run("cache", "--clear")
    assert MapCache().size_bytes() == 0 and "0 videos" in _run("cache")


def test_what_cannot_be_removed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Path) -> None:
    _export(make_clip(tmp_path / "clip.mp4", frames=3), tmp_path / "out.mp4", model)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(str(self))

    with monkeypatch.context() as held:  # as on Windows, where another window has the files open
        held.setattr(Path, "unlink", refuse)
        result = CliRunner().invoke(cli, ["cache", "--clear"])
    assert result.exit_code == 1 and "could not be removed; close other windows first" in str(result.exception)
