"""The formats as a registry: what is made from it, and that one file and one line add one, as the docs say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trainer
from tests.trainer.conftest import write_rgb
from trainer.commands.options import parse_data, with_split
from trainer.data import formats
from trainer.pairs import SPLITS

ROOT = Path(__file__).parents[2]
EXAMPLE = "docs/contributing-formats.part.md"


def _example() -> tuple[str, str]:
    """The worked example: the new file, and the line that is added elsewhere."""
    page = (ROOT / EXAMPLE).read_text(encoding="utf-8")
    section = page[page.index("## Add a data-set format") :].split("\n## ")[0]
    (file,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (line,) = re.findall(r"^```diff\n\+(.*\n)```$", section, re.MULTILINE)
    return file, line


@pytest.fixture
def with_voc(tmp_path: Path) -> Path:
    """A copy of the trainer, with the example's file and line and nothing else changed; the folder to import from."""
    file, line = _example()
    copy = tmp_path / "copy" / "trainer"
    shutil.copytree(Path(trainer.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "data" / "formats" / "voc.py").write_text(file, encoding="utf-8")
    registry = copy / "data" / "formats" / "__init__.py"
    text = registry.read_text(encoding="utf-8")
    last = '    "trainer.data.formats.penn_fudan",\n'
    assert text.count(last) == 1
    registry.write_text(text.replace(last, last + line), encoding="utf-8")
    return copy.parent


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Three pictures as Pascal VOC has them, one of them held out, and a fourth without a mask."""
    root = tmp_path / "VOC2012"
    for number in range(4):
        write_rgb(root / "JPEGImages" / f"{number}.jpg", np.full((20, 30, 3), 60 * number, np.uint8))
    (root / "SegmentationClass").mkdir()
    for number in range(3):
        mask = Image.fromarray(np.resize(np.array([0, 7, 15, 255, 3], np.uint8), (20, 30)), "P")
        mask.putpalette([(7 * value) % 256 for value in range(768)])
        mask.save(root / "SegmentationClass" / f"{number}.png")
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("2\n")
    return root


def _run(imported_from: Path, *line: str) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(imported_from), str(ROOT))), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *line],
        cwd=imported_from, env=environment, capture_output=True, encoding="utf-8", timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_file_and_one_line_add_a_format(with_voc: Path, voc: Path) -> None:
    listed = _run(with_voc, "-m", "trainer.cli", "datasets")
    assert re.search(r"^  voc +JPEGImages/ SegmentationClass/ \(Pascal VOC\)$", listed, re.MULTILINE)
    assert "camvid" in listed
    checked = _run(with_voc, "-m", "trainer.cli", "check", str(voc), "--labels", "driving")
    assert "voc: 2 training and 1 held-out pictures; labels 'voc-driving'" in checked
    read = f"""
from pathlib import Path
from trainer.data import formats
found = formats.find("voc", Path({str(voc)!r}), labels="driving")
print(formats.recognise(Path({str(voc)!r})), formats.terms_of("voc"))
print([pair.picture.name for pair in found.held_out], found.read(found.train[0])[1].ravel()[:5].tolist())
"""
    first, second = _run(with_voc, "-c", read).splitlines()
    assert first == "voc Pascal VOC 2012: pictures from Flickr, under its terms of use"
    assert second == "['2.jpg'] [0, 2, 3, 255, 0]"


def test_a_format_that_nobody_registered_is_not_there(voc: Path) -> None:
    assert "voc" not in formats.FORMATS
    with pytest.raises(formats.SourceError, match="no known data set"):
        formats.recognise(voc)


def test_what_registers_no_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no_format.py").write_text("FORMAT = 'camvid'\n")
    (tmp_path / "same_name.py").write_text("from trainer.data.formats.camvid import FORMAT\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TypeError, match=r"no_format has no constant FORMAT = Format\(…\)"):
        formats.load_formats([*formats.MODULES, "no_format"])
    with pytest.raises(ValueError, match="same_name: the name 'camvid' is taken"):
        formats.load_formats([*formats.MODULES, "same_name"])


@pytest.mark.parametrize("name", formats.FORMATS)
def test_what_people_read_comes_from_the_registry(name: str) -> None:
    made = formats.FORMATS[name]
    table = (ROOT / "docs" / "training.md").read_text(encoding="utf-8").replace("`", "")
    assert f"| {made.name} | {made.files} | {made.held_out} |\n" in table
    assert made.split in SPLITS
    assert made.terms or made.ours
    assert formats.terms_of(name) == made.terms
    assert parse_data(f"{name}=somewhere").kind == name
    split = with_split(parse_data(f"{name}=somewhere"), None, 0.2, None, 0).split
    assert (split["by"], split["held_out"]) == (made.split, 0.2)


def test_the_docs_list_no_other_format() -> None:
    table = (ROOT / "docs" / "training.md").read_text(encoding="utf-8").split("| format | files |")[1].split("\n\n")[0]
    assert re.findall(r"^\| (\w+) \|", table, re.MULTILINE) == list(formats.FORMATS)
