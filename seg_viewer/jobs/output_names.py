"""What the outputs of many sources are called: decided before anything starts, no two the same."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.sinks import sink_kinds

NAME = "{name}"
"""Stands for the source's name without its end in what names an output."""
_SEPARATORS = ("/", os.sep)
_BESIDE_MASKS = ("frames.csv", "labels.json", "labels.toml")


@dataclass(frozen=True)
class NamedOutputs:
    """Sources and what becomes of each.

    Args:
        sources: what is to be exported, each once.
        outputs: names of the files, for each source.
        folders: to be made first.
        notes: what a person has to know of the names, a line each.
    """

    sources: tuple[str, ...]
    outputs: tuple[tuple[str, ...], ...]
    folders: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def name_outputs(sources: Sequence[str], outputs: Sequence[str], *, overwrite: bool = False) -> NamedOutputs:
    """Work out the names. `~` and `{name}` are replaced; a folder takes `NAME_seg.mp4`.

    Args:
        sources: as a person names them.
        outputs: likewise; with one source, the file itself or a folder that exists; with several, a folder, which is
            made where its name ends in a slash, or a name with `{name}` in it.
        overwrite: what is there is replaced.

    Raises: UsageError for names that cannot be meant.
    """
    if not all(text.strip() for text in outputs):
        raise UsageError("-o is empty: name a file")
    texts = [os.path.expanduser(text) for text in outputs]
    if len(sources) == 1:
        stem = _stem(sources[0])
        return NamedOutputs(tuple(sources), (tuple(_of_one(stem, text) for text in texts),))
    notes: list[str] = []
    once = tuple(_each_once(sources, notes))
    folders: list[Path] = []
    templates = [_template(text, len(once), folders) for text in texts]
    names = tuple(
        tuple(template.replace(NAME, stem) for template in templates) for stem in _different(once, notes)
    )  # fmt: skip
    _check(once, names, folders, overwrite=overwrite)
    return NamedOutputs(once, names, tuple(folders), tuple(notes))


def _stem(source: str) -> str:
    return Path(source).stem or "export"


def _of_one(stem: str, text: str) -> str:
    name = text.replace(NAME, stem)
    if Path(name).is_dir() and not name.endswith(_SEPARATORS):
        return os.path.join(name, f"{stem}_seg.mp4")
    if _ends(name) == ["/"] and _holds_other_than_masks(Path(name)):
        raise UsageError(
            f"{name}: with a slash at its end it would become a folder of PNG masks, but it holds other files; "
            f"write {name.rstrip('/' + os.sep)} to put {stem}_seg.mp4 into it, or choose another name"
        )
    return name


def _ends(name: str) -> list[str]:
    """Ends of names that this one has, of all kinds of outputs."""
    return [end for kind in sink_kinds().values() for end in kind.suffixes if name.lower().endswith(end)]


def _holds_other_than_masks(folder: Path) -> bool:
    try:
        return any(not (file.name.startswith("frame_") or file.name in _BESIDE_MASKS) for file in folder.iterdir())
    except OSError:  # it is not there, or no folder: that is told where it is opened
        return False


def _template(text: str, count: int, folders: list[Path]) -> str:
    if NAME in text:
        return text
    path = Path(text)
    ends = _ends(f"{path}/")
    if (path.is_dir() or text.endswith(_SEPARATORS)) and max(map(len, ends), default=1) <= 1:
        if not path.exists() and path not in folders:
            if not path.parent.is_dir():
                raise UsageError(f"{path.parent}: no such folder; make it first")
            folders.append(path)
        return os.path.join(path, f"{NAME}_seg.mp4")
    what = "folder" if text.endswith(_SEPARATORS) else "file"
    raise UsageError(
        f"{text}: is one {what} for {counted(count, 'source')}; name a folder, with a slash at its end, "
        f"or put {NAME} into the name ({path.with_name(NAME + ''.join(path.suffixes))})"
    )


def _each_once(sources: Sequence[str], notes: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    for source in sources:
        real = os.path.realpath(source) if os.path.exists(source) else source
        if real in seen:
            notes.append(f"{source}: is named twice; it is exported once")
            continue
        seen.add(real)
        yield source


def _different(sources: Sequence[str], notes: list[str]) -> Iterator[str]:
    """A stem for each: its own, or with a number where another source has it already."""
    own = {_folded(_stem(source)) for source in sources}
    taken: set[str] = set()
    for source in sources:
        stem = chosen = _stem(source)
        number = 1
        while _folded(chosen) in taken or (number > 1 and _folded(chosen) in own):
            number += 1
            chosen = f"{stem}_{number}"
        if number > 1:
            notes.append(f"{source}: another source is called {stem} too; what is made of this one is called {chosen}")
        taken.add(_folded(chosen))
        yield chosen


def _folded(name: str) -> str:
    """The same for names that some file systems take for the same."""
    return unicodedata.normalize("NFC", name).casefold()


def _check(sources: Sequence[str], names: Sequence[Sequence[str]], folders: Sequence[Path], *, overwrite: bool) -> None:
    inputs = {os.path.realpath(source): source for source in sources}
    made: dict[str, str] = {}
    for source, files in zip(sources, names, strict=True):
        for file in files:
            real, parent = os.path.realpath(file), Path(file).parent
            if real in made and made[real] != source:
                raise UsageError(f"{file}: would be made of {made[real]} and of {source}; choose other names")
            made[real] = source
            if overwrite and real in inputs:
                raise UsageError(
                    f"{file}: is one of the sources, and --overwrite would replace it; choose another name"
                )
            if not parent.is_dir() and parent not in folders:
                raise UsageError(f"{parent}: no such folder; make it first")
