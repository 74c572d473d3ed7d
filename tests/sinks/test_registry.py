"""The worked example of the documentation adds a sink: one new file and one line, in a package of its own."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from seg_viewer import sinks
from seg_viewer.cli.main import cli
from seg_viewer.core.errors import UsageError
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sinks.base import SinkKind
from tests.clips import make_clip

DOC = Path(__file__).parents[2] / "docs" / "contributing-sinks.part.md"
MODULE = "seg_viewer.sinks.json_lines"


@pytest.fixture
def json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two code blocks of the documentation, in a temporary package."""
    blocks = re.findall(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    new_file, line = blocks
    assert line.strip() == f'"{MODULE}",'
    package = tmp_path / "package" / "more_sinks"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "json_lines.py").write_text(new_file, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setattr(sinks, "MODULES", (*sinks.MODULES, "more_sinks.json_lines"))


@pytest.mark.usefixtures("json_lines")
def test_the_command_writes_what_the_suffix_says(tmp_path: Path, model: Path) -> None:
    clip, out = make_clip(tmp_path / "clip.mp4", frames=8), tmp_path / "out.jsonl"
    done = CliRunner().invoke(cli, ["export", str(clip), "-o", str(out), "--model", str(model)])
    assert done.exception is None, done.output
    assert "8 frames" in done.output
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(8))
    names = ("background", "road", "car", "person")
    assert [max(line["shares"], key=line["shares"].__getitem__) for line in lines] == [names[k % 4] for k in range(8)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.jsonl", "package"]


@pytest.mark.usefixtures("json_lines")
def test_it_has_the_manners_of_all_sinks(tmp_path: Path, model: Path) -> None:
    clip, out = make_clip(tmp_path / "clip.mp4", frames=4), tmp_path / "out.jsonl"
    job = ExportJob(clip, out, RunOptions(str(model)))
    out.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        run_export(job)
    out.unlink()

    def somebody_else(*_progress: object) -> bool:
        out.write_text("mine")
        return False

    result = run_export(job, cancelled=somebody_else)
    assert out.read_text() == "mine" and result.path == tmp_path / "out_2.jsonl" and result.frames == 4


def test_a_suffix_that_nobody_writes_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"out\.avi: only \.mp4 can be written"):
        sinks.sink_for(Path("out.avi"))
    with pytest.raises(UsageError, match=r"out\.avi: recordings are \.mp4 or \.mkv"):
        sinks.sink_for(Path("out.avi"), live=True)


@pytest.mark.parametrize("name", sinks.MODULES)
def test_each_module_has_its_constant(name: str) -> None:
    kind = importlib.import_module(name).SINK
    assert isinstance(kind, SinkKind) and kind.help and kind.name
    assert kind.suffixes and all(suffix == suffix.lower() and suffix[0] == "." for suffix in kind.suffixes)


def test_no_suffix_chooses_two() -> None:
    for live in (False, True):
        suffixes = [suffix for kind in sinks.sink_kinds(live=live) for suffix in kind.suffixes]
        assert len(suffixes) == len(set(suffixes))


def test_the_registry_itself_imports_no_sink() -> None:
    code = (
        "import sys, seg_viewer.sinks\n"
        "print([name for name in sys.modules if name.startswith('seg_viewer.sinks.') or name == 'av'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
