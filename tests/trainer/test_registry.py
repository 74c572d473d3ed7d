"""The formats as a registry: what is made from it, and that one file and one line add one, as the docs say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.trainer.conftest import write_rgb
from tests.worked_examples import ROOT, copy_with, example, run
from trainer.data import formats
from trainer.data.chosen import parse_data, with_split
from trainer.pairs import SPLITS


@pytest.fixture
def with_voc(tmp_path: Path) -> Path:
    """A copy of the trainer, with the example's file and line and nothing else changed; the folder to import from."""
    return copy_with(tmp_path / "copy", example("Add a data-set format"))


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


def test_one_file_and_one_line_add_a_format(with_voc: Path, voc: Path) -> None:
    listed = run(with_voc, "-m", "trainer.cli", "datasets")
    assert re.search(r"^  voc +JPEGImages/ SegmentationClass/ \(Pascal VOC\)$", listed, re.MULTILINE)
    assert "camvid" in listed
    checked = run(with_voc, "-m", "trainer.cli", "check", str(voc), "--labels", "driving")
    assert "voc: 2 training and 1 held-out picture; labels 'voc-driving'" in checked
    read = f"""
from pathlib import Path
from trainer.data import formats
found = formats.find("voc", Path({str(voc)!r}), labels="driving")
print(formats.recognise(Path({str(voc)!r})), formats.terms_of("voc"))
print([pair.picture.name for pair in found.held_out], found.read(found.train[0])[1].ravel()[:5].tolist())
"""
    first, second = run(with_voc, "-c", read).splitlines()
    assert first == "voc Pascal VOC 2012: pictures from Flickr, under its terms of use"
    assert second == "['2.jpg'] [0, 2, 3, 255, 0]"


def test_a_format_that_nobody_registered_is_not_there(voc: Path) -> None:
    assert "voc" not in formats.FORMATS
    with pytest.raises(formats.SourceError, match="no known data set"):
        formats.recognise(voc)


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
