"""Small libraries in the place of large ones, for the frozen program on Linux: `slim` calls `stand_ins`.

- OpenCV's OpenBLAS (39 MB and the Fortran library that it needs): `openblas.c` passes its calls on to numpy's.
- OpenCV's AV1 library (8 MB): `aom.c` says "not supported"; the viewer opens no AVIF pictures, and FFmpeg reads AV1
  through libraries of its own.
- Qt's ICU data (32 MB): what sorts, changes case and names time zones, in the window's languages. Qt calls nothing else
  of ICU (`_QTS_CALLS`) but its converters of old character sets, which the window has no use for; names of days and
  months and the look of numbers are Qt's own, for all languages.

They are made with the C compiler of this machine. Without one, or where a library is not as expected, the large one
stays, and one line says so.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

Entry = tuple[str, str, str]
"""As PyInstaller lists a file: path in the program, path on this machine, kind."""

SOURCES = Path(__file__).parent
COMPILER = "gcc"
_OPENCV = "opencv_python_headless.libs/"
LANGUAGES = sorted({file.stem.partition("-")[0] for file in SOURCES.parent.glob("i18n/*.toml")})
"""What the window speaks beside English."""
_LOCALE = re.compile(r"([a-z]{2,3})(?:_[A-Z][a-z]{3})?(?:_(?:[A-Z]{2}|\d{3}))?(?:_[A-Z]+)?\.res")


_QTS_CALLS = re.compile(r"(?:u_strTo(?:Lower|Upper)|ucal_\w+|ucnv_\w+|ucol_\w+|UCNV_\w+)_\d+")
"""What Qt calls of ICU; where it calls more, the data stays whole."""
# where lines break, other scripts, numbers in words, and the names of currencies, units, languages and countries
_FOLDERS_FOR_OTHERS = ("brkitr", "translit", "rbnf", "curr", "unit", "lang", "region")
# character sets, the letters that network names may have, the names of letters, letters that look alike
_FILES_FOR_OTHERS = re.compile(r".*\.(cnv|spp)|unames\.icu|uts46\.nrm|confusables\.cfu")


class UnexpectedLibraryError(Exception):
    """The library is not what its stand-in was made for."""


def stand_ins(entries: list[Entry], scratch: Path) -> list[Entry]:
    """The entries, the three large libraries replaced where that can be done.

    Args:
        entries: all files.
        scratch: folder for what is made.
    """
    if not shutil.which(COMPILER):
        print(f"No C compiler ({COMPILER}): the program becomes some 75 MB larger", file=sys.stderr)
        return entries
    makers: list[tuple[str, Callable[[Path, Path, list[Entry]], None]]] = [
        (rf"{_OPENCV}libopenblas", openblas),
        (rf"{_OPENCV}libaom-", aom),
        (r"PySide6/Qt/lib/libicudata\.so\.\d+$", icu_data),
    ]
    return [_replaced(entry, scratch, entries, makers) for entry in entries]


def _replaced(entry: Entry, scratch: Path, entries: list[Entry], makers: Iterable) -> Entry:
    path, source, kind = entry
    make = next((make for pattern, make in makers if re.match(pattern, path)), None)
    if make is None or kind in ("SYMLINK", "DATA"):
        return entry
    small = scratch / PurePosixPath(path).name
    small.parent.mkdir(parents=True, exist_ok=True)
    try:
        make(Path(source), small, entries)
    except (UnexpectedLibraryError, subprocess.CalledProcessError) as error:
        print(f"{path} stays as it is: {error}", file=sys.stderr)
        return entry
    return (path, str(small), kind)


def openblas(large: Path, small: Path, entries: list[Entry]) -> None:
    """OpenBLAS for OpenCV that calls numpy's, whose integers have 64 bits.

    Raises:
        UnexpectedLibraryError: numpy's is not there, or OpenCV calls what is not passed on.
    """
    numpys = [Path(source) for path, source, kind in entries if _is_numpys(path, kind)]
    users = [Path(source) for path, source, _ in entries if re.match(r"cv2/cv2\b.*\.so$", path)]
    if len(numpys) != 1 or not users:
        raise UnexpectedLibraryError("numpy's OpenBLAS or OpenCV's module is not where it was")
    _compile(small, large.name, [str(SOURCES / "openblas.c"), str(numpys[0]), "-Wl,-rpath,$ORIGIN/../numpy.libs"])
    _check_calls(large, small, users)


def _is_numpys(path: str, kind: str) -> bool:
    return kind != "SYMLINK" and re.match(r"numpy\.libs/libscipy_openblas64_", path) is not None


def aom(large: Path, small: Path, entries: list[Entry]) -> None:
    """An AV1 library that refuses to encode and to decode.

    Raises:
        UnexpectedLibraryError: libavif calls what is not there.
    """
    users = [Path(source) for path, source, _ in entries if path.startswith(f"{_OPENCV}libavif")]
    _compile(small, large.name, [str(SOURCES / "aom.c")])
    _check_calls(large, small, users)


def icu_data(large: Path, small: Path, entries: list[Entry]) -> None:
    """ICU's data library with what is needed only.

    Raises:
        UnexpectedLibraryError: it holds no package of data, or in another format; or Qt calls ICU for something else.
    """
    calls = set().union(*map(_calls_of_icu, entries))
    if others := {call for call in calls if not _QTS_CALLS.fullmatch(call)}:
        raise UnexpectedLibraryError(f"Qt also calls {', '.join(sorted(others))}")
    name = f"icudt{large.name.rpartition('.')[2]}_dat"
    raw, data = small.with_suffix(".rodata"), small.with_suffix(".dat")
    section = ["objcopy", "--output-target=binary", "--only-section=.rodata", str(large), str(raw)]
    subprocess.run(section, check=True)
    data.write_bytes(reduced(raw.read_bytes()))
    text = f'.section .rodata\n.globl {name}\n.type {name}, @object\n.balign 16\n{name}:\n.incbin "{data}"\n'
    assembly = small.with_suffix(".s")
    assembly.write_text(f'{text}.size {name}, . - {name}\n.section .note.GNU-stack,"",@progbits\n', encoding="utf-8")
    _compile(small, large.name, [str(assembly)])
    _check_calls(large, small, [large], defined=True)


def _calls_of_icu(entry: Entry) -> set[str]:
    """What a library of Qt calls of it: each of its names ends in its version."""
    path, source, kind = entry
    if kind in ("SYMLINK", "DATA") or not path.startswith("PySide6/") or "/libicu" in path:
        return set()
    names = _symbols(Path(source), "--undefined-only")
    return {name for name in names if re.fullmatch(r"[uU]\w*_\d\d|_Z\w*icu_\d\d\w*", name)}


def reduced(package: bytes) -> bytes:
    """A package of ICU data (its `unicode/udata.h` and `ucmndata.h`) without what `is_needed` does not name.

    Raises:
        UnexpectedLibraryError: it is none, or not of this kind of machine.
    """
    size, magic, big_endian, kind = struct.unpack_from("<HH4xB3x4s", package)
    if magic != 0x27DA or big_endian or kind != b"CmnD":
        raise UnexpectedLibraryError("no package of ICU data")
    (count,) = struct.unpack_from("<I", package, size)
    table = [struct.unpack_from("<II", package, size + 4 + 8 * at) for at in range(count)]
    ends = [*(start for _, start in table[1:]), len(package) - size]
    items = []
    for (name_at, start), end in zip(table, ends, strict=True):
        name = package[size + name_at : package.index(b"\0", size + name_at)]
        if is_needed(name.decode().partition("/")[2]):
            items.append((name, package[size + start : size + end]))
    return package[:size] + _table_of(items, size)


def _table_of(items: list[tuple[bytes, bytes]], before: int) -> bytes:
    names_at, names = 4 + 8 * len(items), b""
    places = []
    for name, _ in items:
        places.append(names_at + len(names))
        names += name + b"\0"
    body, rows = bytearray(), b""
    start = names_at + len(names) + -(before + names_at + len(names)) % 16
    for place, (_, data) in zip(places, items, strict=True):
        rows += struct.pack("<II", place, start + len(body))
        body += data + bytes(-len(data) % 16)
    head = struct.pack("<I", len(items)) + rows + names
    return head + bytes(start - len(head)) + bytes(body)


def is_needed(item: str) -> bool:
    """Whether an item stays: it serves what Qt calls, in a language of the window.

    Args:
        item: as "coll/de.res" or "cnvalias.icu".
    """
    folder, _, name = item.rpartition("/")
    if folder in _FOLDERS_FOR_OTHERS or _FILES_FOR_OTHERS.fullmatch(name):
        return False
    locale = _LOCALE.fullmatch(name)
    return locale is None or locale[1] in ("en", *LANGUAGES)


def _compile(to: Path, name: str, what: list[str]) -> None:
    command = [COMPILER, "-O2", "-fPIC", "-shared", "-s", f"-Wl,-soname,{name}", "-o", str(to), *what]
    subprocess.run(command, check=True)


def _check_calls(large: Path, small: Path, users: list[Path], defined: bool = False) -> None:
    """Everything that `users` take from `large` is in `small`.

    Raises: UnexpectedLibraryError
    """
    wanted = set().union(*(_symbols(user, "--defined-only" if defined else "--undefined-only") for user in users))
    missing = (wanted & _symbols(large, "--defined-only")) - _symbols(small, "--defined-only")
    if missing:
        raise UnexpectedLibraryError(f"what calls it needs {', '.join(sorted(missing))}")


def _symbols(file: Path, which: str) -> set[str]:
    done = subprocess.run(["nm", "-D", which, str(file)], capture_output=True, text=True, check=True)
    return {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines() if line}
