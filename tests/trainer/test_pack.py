"""Data sets in one packed file: training from it makes the same samples, and what is wrong with it is told."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from seg_viewer.core.errors import SourceError, UsageError
from tests.trainer.conftest import write_rgb
from trainer.cli import main
from trainer.data.check import describe, refuse_damaged
from trainer.data.chosen import make_recipe
from trainer.data.pack_file import PackFile, PackWriter, part_path
from trainer.data.samples import Samples, find_all, kind_of, placed
from trainer.data.scan import scan
from trainer.pages.report import whose_pictures
from trainer.recipe import Recipe, Source, read_recipe


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A CamVid; a CARLA whose own bonnet is to be ignored; frames that seg-viewer sent, some of which nobody corrected;
    12-bit pictures."""
    root = tmp_path_factory.mktemp("folders")
    shutil.copytree(data / "camvid", root / "camvid")
    rng = np.random.default_rng(5)
    for number in range(20):
        mask = np.zeros((40, 60, 3), np.uint8)
        mask[10:30, :, 0], mask[15:20, number : number + 5, 0], mask[22, 3, 0], mask[35:, :, 0] = 7, 10, 4, 10
        write_rgb(root / "carla" / "CameraRGB" / f"{number:02}.png", rng.integers(0, 255, (40, 60, 3), dtype=np.uint8))
        write_rgb(root / "carla" / "CameraMask" / f"{number:02}.png", mask)
    for number in range(6):
        ids = rng.integers(0, 4, (30, 40), dtype=np.uint8)
        write_rgb(root / "sent" / "images" / f"{number}.jpg", rng.integers(0, 255, (30, 40, 3), dtype=np.uint8))
        write_rgb(root / "sent" / "answers" / f"{number}.png", ids)
        write_rgb(root / "sent" / "masks" / f"{number}.png", ids if number < 3 else np.roll(ids, 1))
        write_rgb(root / "deep" / "images" / f"{number}.png", rng.integers(0, 4096, (16, 24, 3), dtype=np.uint16))
        write_rgb(root / "deep" / "masks" / f"{number}.png", ids[:16, :24])
    return root


NAMES = ("camvid", "carla", "sent", "deep")


@pytest.fixture(scope="module")
def wanted(folders: Path) -> Recipe:
    """All of them, with weights, finer classes and everything that draws on what is known of the pairs."""
    bonnets = ("background", "ignore", "keep", "background")
    rows = zip(NAMES, (0.4, 0.3, 0.2, 0.1), bonnets, strict=True)
    sources = tuple(
        Source("auto", str(folders / name), weight=weight, name=name, own_bonnet=bonnet)
        for name, weight, bonnet in rows
    )
    return dataclasses.replace(Recipe(()), data=sources).change(
        labels="driving", details="streets", size=(64, 32), epochs=2, batch_size=4, widths=(4, 8), rare=("person",),
        paste=0.5, balance=0.5,
    )  # fmt: skip


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, wanted: Recipe) -> Path:
    """The same in parts."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "r.toml").write_text(wanted.to_toml())
    done = run("pack", "--recipe", folder / "r.toml", "-o", folder / "data.pack", "--part-size", 1)
    assert done.exit_code == 0, done.output
    assert "sent: 5 training, 1 held-out pairs" in done.output and "data.pack: 31 pairs" in done.output
    return folder / "data.pack"


def from_pack(pack: Path, wanted: Recipe) -> Recipe:
    (pack.parent / "r.toml").write_text(wanted.to_toml())
    return make_recipe(str(pack.parent / "r.toml"), [str(pack)], {})


def everything(recipe: Recipe) -> tuple[Samples, list[object]]:
    """Samples of a recipe, and all else that training, scores and reports take from its data."""
    found = find_all(recipe, [])
    scans = [scan(one) for _, one in found]
    refuse_damaged(scans)
    said: list[object] = []
    for (source, one), looked in zip(found, scans, strict=True):
        said += [source.weight, one.name, source.own_bonnet, *describe(one, looked), one.labels, one.details]
        said += [looked.counts.tolist(), looked.sizes.tolist(), len(looked.twins), kind_of(source)]
        for pair in (*one.train, *one.held_out):
            picture, mask = one.read(pair)
            said += [picture.tobytes(), mask.tobytes(), pair.group, pair.part, pair.drive, pair.pseudo]
            said += [pair.picture.name, pair.mask.name]
    said += whose_pictures([source for source, _ in found])
    return Samples(recipe, found, scans), said


def test_a_pack_gives_what_the_folders_give(packed: Path, wanted: Recipe) -> None:
    recipe = from_pack(packed, wanted)
    one, said = everything(wanted)
    other, told = everything(recipe)
    assert told == said
    other = pickle.loads(pickle.dumps(other))  # as it goes to the processes that make samples
    for epoch in (0, 1):
        np.testing.assert_array_equal(one.plan(epoch), other.plan(epoch))
        for place, entry in enumerate(one.plan(epoch).reshape(-1, 2)):
            for mine, theirs in zip(
                one.sample(epoch, place, entry.tolist()), other.sample(epoch, place, entry.tolist()), strict=True
            ):
                np.testing.assert_array_equal(mine, theirs)
    again = placed(recipe, find_all(recipe, []), [])  # what the run folder keeps
    (packed.parent / "kept.toml").write_text(again.to_toml())
    assert [source.name for source in again.data] == list(NAMES)
    assert everything(read_recipe(str(packed.parent / "kept.toml")))[1] == said


def test_a_run_trains_from_a_pack_alone_and_goes_on(packed: Path, wanted: Recipe, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "data.pack"
    shutil.copytree(packed.parent, moved.parent)
    from trainer.training.run import run_training

    recipe = from_pack(moved, wanted).change(steps_per_epoch=1, epochs=1, augment=False)
    assert run_training(recipe, [], tmp_path / "run", Console(quiet=True), workers=1).finished
    assert read_recipe(str(tmp_path / "run" / "recipe.toml")).data[1].own_bonnet == "ignore"


def test_one_file_holds_the_same_and_says_what_it_is(packed: Path, folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.pack"
    shown = run("pack", folders / "camvid", "-o", out, "--labels", "driving")
    assert shown.exit_code == 0 and os.listdir(tmp_path) == ["one.pack"], shown.output
    checked = run("check", out)
    assert (
        checked.exit_code == 0
        and "camvid: 8 training and 3 held-out pictures; labels 'camvid-driving'" in checked.output
    )
    assert "exists already" in run("pack", folders / "camvid", "-o", out).output
    parts = run("pack", folders / "sent", "-o", out, "--part-size", 1, "--overwrite")
    assert parts.exit_code == 0 and sorted(os.listdir(tmp_path)) == ["one.pack", "one.pack.001"]
    whole = run("pack", folders / "sent", "-o", out, "--overwrite")
    assert f"removed {out}.001, a part of the pack before" in whole.output and os.listdir(tmp_path) == ["one.pack"]
    repacked = run("pack", out, "-o", tmp_path / "two.pack")
    assert repacked.exit_code == 0, repacked.output
    assert (tmp_path / "two.pack").stat().st_size == pytest.approx(out.stat().st_size, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["DIR/camvid", "-o", "OUT/data.zip"], "data.zip: the name must end with .pack"),
        (["-o", "OUT/data.pack"], "no data set: give --data FOLDER"),
        (["DIR/nothing", "-o", "OUT/data.pack"], "no such folder"),
        (["DIR/camvid", "-o", "OUT/no/data.pack"], "no such folder; make it first"),
        (["PACK@0.5", "-o", "OUT/data.pack"], "the data sets in a pack have weights"),
        (["PACK", "--split", "random", "-o", "OUT/data.pack"], "what is held out was said when it was packed"),
        (["PACK", "--own-bonnet", "keep", "-o", "OUT/data.pack"], "was packed with it"),
        (["PACK", "--labels", "streets", "-o", "OUT/data.pack"], "was packed with --labels driving, not streets"),
        (["PACK", "-o", "PACK", "--overwrite"], "is the input itself"),
        (["DIR/broken", "-o", "OUT/data.pack"], "0.png: cannot be read as a picture"),
    ],
)
def test_what_cannot_be_packed_is_one_line_and_leaves_nothing(
    packed: Path, folders: Path, tmp_path: Path, arguments: list[str], line: str
) -> None:
    if "DIR/broken" in arguments:
        shutil.copytree(folders / "sent", folders / "broken", dirs_exist_ok=True)
        (folders / "broken" / "images" / "0.jpg").rename(folders / "broken" / "images" / "0.png")
        (folders / "broken" / "images" / "0.png").write_bytes(b"gone")
    texts = [text.replace("DIR", str(folders)).replace("PACK", str(packed)) for text in arguments]
    shown = run("pack", *(text.replace("OUT", str(tmp_path)) for text in texts))
    assert shown.exit_code in (1, 2) and line in shown.output, shown.output
    assert len(shown.output.strip().splitlines()) == 1 and not os.listdir(tmp_path)


@pytest.mark.parametrize("there", [True, False])
def test_data_that_were_named_are_looked_at_before_what_a_recipe_begins_with(tmp_path: Path, there: bool) -> None:
    """The recipe begins with another one, whose data are not here either: what was asked for is named first."""
    noise = tmp_path / "noise.pack"
    if there:
        noise.write_bytes(bytes(range(256)) * 9)
    shown = run("train", "driving-fast", "--data", noise, "--run", tmp_path / "run")
    assert shown.exit_code == 1 and "first the recipe of its start" not in shown.output, shown.output
    line = f"seg-trainer: {noise}: " + ("is no pack of seg-trainer pack" if there else "no such folder")
    assert shown.output.splitlines()[-1].startswith(line)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", ["missing", "no pack", "a part is missing"])
@pytest.mark.parametrize("kind", ["auto", "pack"])
def test_an_optional_pack_that_cannot_be_read_is_left_out_with_a_line(
    packed: Path, folders: Path, tmp_path: Path, kind: str, damage: str
) -> None:
    other = tmp_path / "other.pack"
    if damage == "no pack":
        other.write_bytes(b"no pack")
    if damage == "a part is missing":
        shutil.copy(packed, other)
    camvid = Source("camvid", str(folders / "camvid"))
    said: list[str] = []
    found = find_all(Recipe((camvid, Source(kind, str(other), optional=True))), [], said.append)
    assert [data.name for _, data in found] == ["camvid"]
    assert len(said) == 1 and said[0].startswith(f"left out: {tmp_path / 'other.pack'}"), said
    with pytest.raises(SourceError, match=r"other\.pack"):
        find_all(Recipe((camvid, Source(kind, str(other)))), [], said.append)
    asked = Recipe((Source(kind, str(packed), optional=True),)).change(labels="driving", details="streets")
    whole = find_all(asked, [])
    assert [source.name for source, _ in whole] == list(NAMES)


def written(path: Path, part_bytes: int = 0) -> list[Path]:
    with PackWriter(path, part_bytes, bytes(16)) as writer:
        records = [writer.add(bytes([number]) * 500) for number in range(8)]
        return writer.finish({"records": records, "sets": []})


def read_all(path: Path) -> None:
    pack = PackFile(path)
    from trainer.data.pack_file import Record

    for number, record in enumerate(pack.index["records"]):
        assert bytes(pack.read(Record(*record), number)) == bytes([number]) * 500


@pytest.mark.parametrize("part_bytes", [0, 1200])
def test_nothing_but_the_whole_pack_is_read(tmp_path: Path, part_bytes: int) -> None:
    """Each part cut at any place, missing, of another pack or changed anywhere: told in a line that names the file."""
    path = tmp_path / "data.pack"
    parts = written(path, part_bytes)
    assert parts == [part_path(path, number) for number in range(5 if part_bytes else 1)]
    assert not part_bytes or all(part.stat().st_size <= part_bytes for part in parts)
    read_all(path)
    rng = np.random.default_rng(0)
    for part in parts:
        whole = part.read_bytes()
        for length in (0, 1, 30, len(whole) // 2, len(whole) - 1):
            part.write_bytes(whole[:length])
            with pytest.raises(SourceError, match=rf"{part}: (is cut short|is no pack)"):
                read_all(path)
        for place in (0, 9, 13, 50, *rng.integers(60, len(whole), 5)):
            part.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
            with pytest.raises(SourceError, match=rf"{path}.*: (is|cannot) "):
                read_all(path)
        part.unlink()
        with pytest.raises(SourceError, match=rf"{part}: (is missing; data.pack has 5 parts|cannot be read)"):
            read_all(path)
        part.write_bytes(whole)
    read_all(path)


def test_another_version_a_part_alone_and_parts_of_two_packs(tmp_path: Path) -> None:
    one = written(tmp_path / "data.pack", 1200)
    (tmp_path / "b").mkdir()
    with PackWriter(tmp_path / "b" / "data.pack", 1200, b"another pack ...") as writer:
        for number in range(8):
            writer.add(bytes([number]) * 500)
        other = writer.finish({"records": []})
    for part, text in ((one[1], r"001: is part 1 of a pack; give the first, data\.pack"),):
        with pytest.raises(SourceError, match=text):
            PackFile(part)
    shutil.copy(other[2], one[2])
    with pytest.raises(SourceError, match=r"002: is of another pack than data\.pack"):
        PackFile(one[0])
    head = bytearray(one[0].read_bytes())
    head[8] = 2
    one[0].write_bytes(head)
    with pytest.raises(SourceError, match=r"is a pack of version 2, this program reads version 1"):
        PackFile(one[0])


def test_a_record_larger_than_a_part_and_an_index_that_is(tmp_path: Path) -> None:
    with PackWriter(tmp_path / "a.pack", 600, bytes(16)) as writer:
        with pytest.raises(UsageError, match=r"--part-size: a picture or mask takes 0\.0 MB, more than a part"):
            writer.add(bytes(600))
        writer.add(bytes(500))
        noise = np.random.default_rng(0).integers(0, 2**60, 99).tolist()
        with pytest.raises(UsageError, match="--part-size: the list of what is in it"):
            writer.finish({"noise": json.dumps(noise)})
    assert not os.listdir(tmp_path)
