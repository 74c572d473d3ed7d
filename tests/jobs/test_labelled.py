"""Frames sent to a data set: what the trainer reads, each once, and taken back exactly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.jobs.labelled import remove_labelled, save_labelled
from seg_viewer.media.rgb_picture import RgbPicture
from trainer.cli import main as trainer


def _shot(number: int = 0, labels: LabelSet = DRIVING, *, margin: bool = False) -> Shot:
    picture = np.random.default_rng(number).integers(0, 255, (48, 96, 3), np.uint8)
    ids = np.zeros((16, 32), np.uint8)
    ids[8:, :16], ids[4:8, 20:], ids[0:3, 0:3] = 1, 2, 3
    sure = np.full((16, 32), 77, np.uint8) if margin else None
    frame = Frame(number, number / 10, RgbPicture(picture), pts=number, source="abcdef0123456789")
    return Shot(frame, (ClassMap(ids, labels, "hash", sure),))


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_trainer_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "dataset"
    for number in range(8):
        save_labelled(_shot(number, margin=True), folder, "drive 1")
    done = CliRunner().invoke(trainer, ["check", str(folder)])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "96x48 (8)" in said and "damaged" not in said and said.count("note:") == 1
    assert "note: 8 of 8 masks are a model's own answers that nobody has corrected" in said
    for name, share in (("background", 0), ("road", 25), ("car", 9.38), ("person", 1.76)):
        assert f"{name} {share:.2f} %" in said or name == "background", said


def test_what_is_written_is_the_frame_its_classes_and_how_sure(tmp_path: Path) -> None:
    shot = _shot(3, margin=True)
    saved = save_labelled(shot, tmp_path / "d", "drive")
    names = [path.relative_to(tmp_path / "d").parts[0] for path, _ in saved.files]
    assert saved.new and sorted(names) == ["answers", "images", "margins", "masks"]
    by_part = dict(zip(names, [path for path, _ in saved.files], strict=True))
    assert {path.name for path in by_part.values()} == {"drive_abcdef01_3.png"}
    picture = cv2.imread(str(by_part["images"]))[:, :, ::-1]
    assert np.array_equal(picture, shot.frame.picture.rgb())
    assert by_part["answers"].read_bytes() == by_part["masks"].read_bytes()
    margin = cv2.imread(str(by_part["margins"]), cv2.IMREAD_UNCHANGED)
    assert margin.shape == (48, 96) and set(np.unique(margin)) == {77}
    assert "not the truth" in (tmp_path / "d" / "README.txt").read_text(encoding="utf-8")
    assert "person = [3]" in (tmp_path / "d" / "labels.toml").read_text(encoding="utf-8").replace('"', "")


def test_the_same_frame_is_there_once(tmp_path: Path) -> None:
    first = save_labelled(_shot(), tmp_path / "d", "drive")
    before = _files(tmp_path / "d")
    again = save_labelled(_shot(), tmp_path / "d", "drive")
    assert first.new and not again.new and again.files == () and _files(tmp_path / "d") == before
    remove_labelled(again)
    assert _files(tmp_path / "d") == before


def test_undo_removes_exactly_that_frame(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    save_labelled(_shot(1), folder, "drive")
    (folder / "images" / "mine.png").write_bytes(b"x")
    before = _files(folder)
    remove_labelled(saved := save_labelled(_shot(2, margin=True), folder, "drive"))
    assert _files(folder) == before
    remove_labelled(saved)
    assert save_labelled(_shot(2), folder, "drive").new


def test_a_mask_that_was_corrected_stays(tmp_path: Path) -> None:
    saved = save_labelled(_shot(), tmp_path / "d", "drive")
    mask = next(path for path, _ in saved.files if path.parent.name == "masks")
    mask.write_bytes(mask.read_bytes() + b"corrected")
    before = _files(tmp_path / "d")
    with pytest.raises(ExportError, match="was changed since"):
        remove_labelled(saved)
    assert _files(tmp_path / "d") == before


def test_other_classes_get_a_folder_of_their_own(tmp_path: Path) -> None:
    other = LabelSet([Label(0, "nothing", (0, 0, 0)), Label(1, "a", (1, 2, 3)), Label(2, "b", (4, 5, 6)),
                      Label(3, "c", (7, 8, 9))])  # fmt: skip
    assert save_labelled(_shot(1), tmp_path / "d", "x").folder == tmp_path / "d"
    assert save_labelled(_shot(1, other), tmp_path / "d", "x").folder == tmp_path / "d-2"
    recoloured = LabelSet([replace(label, color=(9, 9, 9)) for label in DRIVING])
    assert save_labelled(_shot(2, recoloured), tmp_path / "d", "x").folder == tmp_path / "d"


@pytest.mark.parametrize("name", ["", "../../etc/x", "a/b:c\n", "x" * 400, "ü 日本"])
def test_any_name_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    saved = save_labelled(_shot(), tmp_path / "d", name)
    assert all(path.parent.parent == tmp_path / "d" and path.is_file() for path, _ in saved.files)


def test_what_cannot_be_written_is_one_line_and_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="choose another"):
        save_labelled(_shot(), tmp_path / "file", "x")
    folder = tmp_path / "d"
    save_labelled(_shot(1), folder, "x")
    before = _files(folder)
    (folder / "images").rename(folder / "aside")
    (folder / "images").touch()  # the picture comes last: its mask is there by then
    with pytest.raises(ExportError, match="images"):
        save_labelled(_shot(2), folder, "x")
    assert len(list((folder / "masks").iterdir())) == len([name for name in before if name.startswith("masks")])
