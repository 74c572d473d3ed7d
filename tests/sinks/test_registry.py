"""Which sink writes a file is told by its suffix; the worked example of the documentation adds one."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from seg_viewer import sinks
from seg_viewer.core.errors import UsageError
from seg_viewer.sinks.base import SinkKind
from tests.clips import make_clip
from tests.worked_examples import ROOT, copy_with, example, run

SINK = "Add a sink"


@pytest.fixture
def with_json_lines(tmp_path: Path) -> Path:
    return copy_with(tmp_path / "copy", example(SINK))


def test_one_file_and_one_line_add_a_sink(with_json_lines: Path, tmp_path: Path, model: Path) -> None:
    clip, out = make_clip(tmp_path / "clip.mp4", frames=8), tmp_path / "out.jsonl"
    told = run(with_json_lines, "-m", "seg_viewer", "export", str(clip), "-o", str(out), "--model", str(model))
    assert f"{out}: 8 frames" in told
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["frame"] for line in lines] == list(range(8))
    names = ("background", "road", "car", "person")
    assert [max(line["shares"], key=line["shares"].__getitem__) for line in lines] == [names[k % 4] for k in range(8)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clip.mp4",
        "copy",
        "out.jsonl",
        "out.jsonl.manifest.json",
    ]


_TWO_AT_ONCE = """
import sys
from pathlib import Path
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
clip, out, model = sys.argv[1:]
def somebody_else():
    Path(out).write_text("mine")
    return False
result = run_export(ExportJob(clip, Path(out), RunOptions(model)), cancelled=somebody_else)
print(result.path.name, result.frames)
"""


def test_it_has_the_manners_of_all_sinks(with_json_lines: Path, tmp_path: Path, model: Path) -> None:
    clip, out = make_clip(tmp_path / "clip.mp4", frames=4), tmp_path / "out.jsonl"
    told = run(with_json_lines, "-c", _TWO_AT_ONCE, str(clip), str(out), str(model))
    assert told.strip() == "out_2.jsonl 4" and out.read_text(encoding="utf-8") == "mine"
    command = ["-m", "seg_viewer", "export", str(clip), "-o", str(out), "--model", str(model)]
    assert "exists already" in run(with_json_lines, *command, code=2)
    told = run(with_json_lines, *command[:5], str(tmp_path / "out.avi"), *command[6:], code=2)
    assert re.search(r"ends in \.jsonl, (\S+, )*\.mp4, .+ or \S+$", told.strip())


def test_it_stands_in_the_help(with_json_lines: Path) -> None:
    shown = " ".join(run(with_json_lines, "-m", "seg_viewer", "export", "--help").split())
    assert ".jsonl how much of each picture every class covers" in shown
    assert ".mp4, .mkv, .mov, .webm video with the overlay, the source's times" in shown
    shown = " ".join(run(with_json_lines, "-m", "seg_viewer", "record", "--help").split())
    assert ".mp4, .mkv H.264 video that stays playable" in shown and ".jsonl how much" not in shown


def test_the_example_passes_the_projects_own_checks(with_json_lines: Path) -> None:
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["check", *settings], ["format", "--check", *settings]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, example(SINK).file],
            cwd=with_json_lines,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_suffix_that_nobody_writes_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"out\.avi: its end does not say .* ends in \.mp4, .*\.csv, "):
        sinks.sink_for(Path("out.avi"))
    with pytest.raises(UsageError, match=r"out\.avi: recordings are \.mp4 or \.mkv"):
        sinks.sink_for(Path("out.avi"), live=True)


@pytest.mark.parametrize("name", sinks.MODULES)
def test_each_module_has_its_constant(name: str) -> None:
    kind = importlib.import_module(name).SINK
    assert isinstance(kind, SinkKind) and kind.help and kind.name
    assert kind.suffixes and all(suffix == suffix.lower() and suffix[0] in "./" for suffix in kind.suffixes)
    assert {suffix.endswith("/") for suffix in kind.suffixes} == {kind.is_folder}


@pytest.mark.parametrize("live", [False, True])
def test_no_suffix_chooses_two(live: bool) -> None:
    suffixes = [suffix for kind in sinks.sink_kinds(live=live).values() for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_the_registry_itself_imports_no_sink() -> None:
    code = (
        "import sys, seg_viewer.sinks\n"
        "print([name for name in sys.modules if name.startswith('seg_viewer.sinks.') or name == 'av'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", "table"), ("A.CSV", "table"), ("a.parquet", "table"), ("a.json", "summary"), ("a.coco.json", "COCO"),
     ("a.yolo/", "YOLO"), ("masks/", "masks"), ("a.html", "report"), ("a.sheet.jpg", "contact sheet"),
     ("a.sheet.PNG", "contact sheet"), ("a.mp4", "video")],
)  # fmt: skip
def test_the_longest_end_of_a_name_chooses(name: str, kind: str, tmp_path: Path) -> None:
    assert sinks.sink_for(f"{tmp_path}/{name}").name == kind
