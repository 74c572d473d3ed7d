"""No text of ours says "1 pictures": what is counted in a text is put through `counted`, or `tn` in the window."""

from __future__ import annotations

import re
from pathlib import Path

from seg_viewer.core.counted import counted

_ROOT = Path(__file__).parents[1]
_COUNT = r"len\([^{}]*\)|[\w.]*\b(?:count|total|pictures|frames|pairs|crops|parts|files|done|vehicles|walkers|left_out)"
_TEXT = re.compile(rf"\{{(?:{_COUNT})(?::,)?\}} (?:[a-z]+ )?([a-z]+s)\b(?!')")
_NEVER_ONE = (
    "tn(",  # it has both
    'many = f"',  # as has this
    "/{len(self._names)} files",  # of so many
    "decoded pictures stay in memory",  # of a training set
    "exports are not finished",  # the singular is another text
    "with notes",
    "of {count} pictures missing",  # of the packets of a stream
    "of {count} pictures damaged",
    "Said {count} times",  # shown from two on
    "give {count} values",  # a network has several stages
    "masks are a model's own",
    "over {len(found)} classes",
    "channels where the old network",
    "of {total} pairs",
    "{len(ways)} tracks",
    "different values",  # more than there are classes
    "its {len(tags)} tags",
    "outputs; save a network",  # not one
    "classes occur",  # of a network, which has two at least
    "for {len(labels)} classes",
    'else f"{len(',  # the singular stands before it
    "classes; at most",  # more than 255
    "in {len(parts)} files",  # where there are several
)
"""Parts of lines whose number is never one, or that say so for themselves."""


def test_what_is_counted_has_a_singular() -> None:
    found = []
    for folder in ("seg_viewer", "trainer"):
        for file in sorted((_ROOT / folder).rglob("*.py")):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if _TEXT.search(line) and not any(each in line for each in _NEVER_ONE):
                    found.append(f"{file.relative_to(_ROOT)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)


def test_counted() -> None:
    assert [counted(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert [counted(n, "class", "classes") for n in (1, 3)] == ["1 class", "3 classes"]
    assert [counted(n, "frame", form=",") for n in (1, 25_279)] == ["1 frame", "25,279 frames"]
