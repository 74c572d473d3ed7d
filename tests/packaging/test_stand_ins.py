"""Small libraries in the place of large ones do what is asked of them."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets.packaging import stand_ins

PACKAGES = Path(importlib.util.find_spec("cv2").origin).parents[1]
FOLDERS = ("opencv_python_headless.libs", "numpy.libs", "cv2", "PySide6/Qt/lib")
RNG = np.random.default_rng(21)
Address = ctypes.c_void_p


def _entries() -> list[stand_ins.Entry]:
    files = [file for folder in FOLDERS for file in sorted((PACKAGES / folder).glob("*.so*")) if file.is_file()]
    return [(file.relative_to(PACKAGES).as_posix(), str(file), "BINARY") for file in files]


pytestmark = pytest.mark.skipif(
    sys.platform != "linux"
    or not all(map(shutil.which, ("gcc", "nm", "objcopy")))
    or not any("libopenblas" in path for path, _, _ in _entries()),
    reason="the wheels of Linux, and a C compiler",
)


def _compile(code: str, library: Path) -> None:
    """A shared library of C code, which may call what nobody has."""
    subprocess.run(["gcc", "-shared", "-o", library, "-xc", "-"], input=code, text=True, check=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By its beginning, each library that was made, in a folder as the program has it."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "numpy.libs").symlink_to(PACKAGES / "numpy.libs")
    before = _entries()
    after = stand_ins.stand_ins(before, folder / "opencv_python_headless.libs")
    changed = [(old[0], Path(new[1])) for old, new in zip(before, after, strict=True) if old != new]
    return {Path(path).name.split("-")[0].split(".")[0]: small for path, small in changed}


def test_all_three_are_made_and_small(made: dict[str, Path]) -> None:
    assert set(made) == {"libopenblasp", "libaom", "libicudata"}
    assert sum(file.stat().st_size for file in made.values()) < 6e6


def _f(array: np.ndarray) -> Address:
    return array.ctypes.data_as(Address)


def _i(number: int) -> object:
    return ctypes.byref(ctypes.c_int32(number))


class Lapack:
    """Calls one function of LAPACK as OpenCV does: integers of 32 bits, by address."""

    def __init__(self, file: Path, kind: str) -> None:
        self.library, self.kind = ctypes.CDLL(str(file)), kind
        self.type = np.float32 if kind == "s" else np.float64

    def __call__(self, name: str, *arguments: object) -> None:
        info = np.full(1, 99, np.int32)
        given = [_i(each) if isinstance(each, int) else _f(each) if isinstance(each, np.ndarray) else each
                 for each in arguments]  # fmt: skip
        getattr(self.library, f"{self.kind}{name}_")(*given, _f(info))
        assert info[0] == 0

    def random(self, rows: int, columns: int) -> np.ndarray:
        """In columns, as Fortran keeps it."""
        return np.asfortranarray(RNG.standard_normal((rows, columns)).astype(self.type))

    def zeros(self, *shape: int) -> np.ndarray:
        return np.zeros(shape, self.type, order="F")


@pytest.fixture(scope="module", params=["s", "d"])
def lapack(request: pytest.FixtureRequest, made: dict[str, Path]) -> Lapack:
    return Lapack(made["libopenblasp"], request.param)


def _close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-3 if found.dtype == np.float32 else 1e-9)


N, M, WORK = 40, 55, 20_000


def test_equations_and_their_pivots(lapack: Lapack) -> None:
    a, b = lapack.random(N, N), lapack.random(N, 3)
    a += 8 * np.eye(N, dtype=a.dtype)
    lu, x, pivots = a.copy("F"), b.copy("F"), np.full(N + 1, -7, np.int32)
    lapack("gesv", N, 3, lu, N, pivots, x, N)
    _close(a @ x, b)
    other, same = a.copy("F"), np.full(N + 1, -7, np.int32)
    lapack("getrf", N, N, other, N, same)
    _close(other, lu)
    assert np.array_equal(same, pivots) and pivots[N] == -7 and 1 <= pivots[:N].min() <= pivots[:N].max() <= N
    lower, upper = np.tril(lu, -1) + np.eye(N, dtype=a.dtype), np.triu(lu)
    swapped = a.copy()
    for row, pivot in enumerate(pivots[:N]):
        swapped[[row, pivot - 1]] = swapped[[pivot - 1, row]]
    _close(lower @ upper, swapped)


def test_equations_of_positive_matrices(lapack: Lapack) -> None:
    a = lapack.random(N, N)
    a = np.asfortranarray(a @ a.T / N + np.eye(N, dtype=a.dtype))
    b = lapack.random(N, 2)
    root, x = a.copy("F"), b.copy("F")
    lapack("posv", b"L", N, 2, root, N, x, N)
    _close(a @ x, b)
    again = a.copy("F")
    lapack("potrf", b"L", N, again, N)
    _close(np.tril(again) @ np.tril(again).T, a)


def test_least_squares_and_triangles(lapack: Lapack) -> None:
    a, b, work = lapack.random(M, N), lapack.random(M, 1), lapack.zeros(WORK)
    x = b.copy("F")
    lapack("gels", b"N", M, N, 1, a.copy("F"), M, x, M, work, WORK)
    _close(x[:N], np.linalg.lstsq(a, b, rcond=None)[0])
    r = a.copy("F")
    lapack("geqrf", M, N, r, M, lapack.zeros(N), work, WORK)
    _close(np.abs(np.triu(r[:N])), np.abs(np.linalg.qr(a)[1]))


def test_singular_and_own_values(lapack: Lapack) -> None:
    a, work = lapack.random(M, N), lapack.zeros(WORK)
    s, u, vt, whole = lapack.zeros(N), lapack.zeros(M, N), lapack.zeros(N, N), np.zeros(8 * N, np.int32)
    lapack("gesdd", b"S", M, N, a.copy("F"), M, s, u, M, vt, N, work, WORK, whole)
    _close(u @ np.diag(s) @ vt, a)
    b = lapack.random(N, N)
    real, imaginary, none = lapack.zeros(N), lapack.zeros(N), lapack.zeros(1, 1)
    lapack("geev", b"N", b"N", N, b.copy("F"), N, real, imaginary, none, 1, none, 1, work, WORK)
    _close(np.sort(real), np.sort(np.linalg.eigvals(b).real).astype(real.dtype))


@pytest.mark.parametrize(("kind", "dtype"), [("s", "f4"), ("d", "f8"), ("c", "c8"), ("z", "c16")])
def test_products(made: dict[str, Path], kind: str, dtype: str) -> None:
    a, b, c = (
        (RNG.standard_normal(shape) + (1j * RNG.standard_normal(shape) if kind in "cz" else 0)).astype(dtype)
        for shape in ((M, N), (N, 30), (M, 30))
    )
    number = {"s": ctypes.c_float, "d": ctypes.c_double}.get(kind, lambda value: _f(np.array(value, dtype)))
    two, three = number(2), number(3)
    wanted = 2 * (a @ b) + 3 * c
    rows, plain = 101, 111  # CblasRowMajor, CblasNoTrans
    gemm = getattr(ctypes.CDLL(str(made["libopenblasp"])), f"cblas_{kind}gemm")
    gemm(rows, plain, plain, M, 30, N, two, _f(a), N, _f(b), 30, three, _f(c), 30)
    np.testing.assert_allclose(c, wanted, rtol=0, atol=2e-3)


_IN_A_PROGRAM = """
import sys
import cv2
import numpy as np
from PySide6.QtCore import QCollator, QLocale
maps = open("/proc/self/maps").read()
print(sum(name in maps for name in sys.argv[2:]))
a = np.random.default_rng(0).standard_normal((120, 120))
print(np.abs(cv2.gemm(a, cv2.invert(a)[1], 1, None, 0) - np.eye(120)).max() < 1e-6)
print(np.abs(cv2.SVDecomp(a)[0].ravel() - np.linalg.svd(a)[1]).max() < 1e-9)
print(cv2.imread(sys.argv[1]))
order = QCollator(QLocale("de_DE"))
order.setNumericMode(True)
words = ["zebra10", "Öl", "zebra9", "Zaun", "ofen", "Apfel", "äpfel"]
print(",".join(sorted(words, key=order.sortKey)))
"""


def test_opencv_and_qt_work_with_them(made: dict[str, Path], tmp_path: Path) -> None:
    picture = tmp_path / "a.avif"
    assert cv2.imwrite(str(picture), np.zeros((64, 64, 3), np.uint8)) and cv2.imread(str(picture)) is not None
    command = [sys.executable, "-c", _IN_A_PROGRAM, picture, *map(str, made.values())]
    environ = os.environ | {"LD_PRELOAD": ":".join(map(str, made.values())), "OPENCV_LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, env=environ, capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.splitlines() == ["3", "True", "True", "None", "Apfel,äpfel,ofen,Öl,Zaun,zebra9,zebra10"], done


def test_icu_data_keeps_what_is_needed_where_icu_looks_for_it() -> None:
    names = ["icudt73l/coll/de.res", "icudt73l/coll/zh.res", "icudt73l/gb18030.cnv", "icudt73l/cnvalias.icu"]
    head = struct.pack("<HHHHBBBB4s", 32, 0x27DA, 20, 0, 0, 0, 2, 0, b"CmnD").ljust(32, b"\0")
    items = [(name.encode(), name.encode() * 3) for name in names]
    package = head + stand_ins._table_of(items, len(head))
    small = stand_ins.reduced(package)
    (count,) = struct.unpack_from("<I", small, 32)
    found = {}
    for at in range(count):
        name_at, data_at = struct.unpack_from("<II", small, 36 + 8 * at)
        name = small[32 + name_at : small.index(b"\0", 32 + name_at)]
        assert (32 + data_at) % 16 == 0
        found[name] = small[32 + data_at :][: 3 * len(name)]
    assert found == {name: data for name, data in items if b"zh" not in name and b"gb" not in name}
    with pytest.raises(stand_ins.UnexpectedLibraryError, match="no package"):
        stand_ins.reduced(b"\x7fELF".ljust(64, b"\0"))


@pytest.mark.parametrize(
    ("item", "stays"),
    [
        ("root.res", True), ("de_AT.res", True), ("en_US_POSIX.res", True), ("pool.res", True), ("res_index.res", True),
        ("supplementalData.res", True), ("coll/ucadata.icu", True), ("nfkc.nrm", True), ("zone/de.res", True),
        ("fr.res", False), ("zh_Hant_TW.res", False), ("es_419.res", False), ("ibm-949_P11A-1999.cnv", False),
        ("brkitr/cjdict.dict", False), ("translit/root.res", False), ("unames.icu", False), ("curr/de.res", False),
        ("unit/pool.res", False), ("rfc3491.spp", False),
    ],
)  # fmt: skip
def test_what_of_icu_is_needed(item: str, stays: bool) -> None:
    assert stand_ins.is_needed(item) is stays


def test_icu_data_stays_whole_where_qt_calls_more_of_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = next(entry for entry in _entries() if "libicudata" in entry[0])
    user = tmp_path / "libQt6Core.so.6"
    code = "extern void ucol_open_73(void), ubrk_open_73(void); void f(void) { ucol_open_73(); ubrk_open_73(); }"
    _compile(code, user)
    entries = [data, ("PySide6/Qt/lib/libQt6Core.so.6", str(user), "BINARY")]
    assert stand_ins.stand_ins(entries, tmp_path / "made") == entries
    assert "stays as it is: Qt also calls ubrk_open_73" in capfd.readouterr().err


def test_a_library_that_is_another_stays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    aom = next(entry for entry in _entries() if "libaom" in entry[0])
    user = tmp_path / "user.so"
    code = "extern int aom_img_wrap(void); int f(void) { return aom_img_wrap(); }"
    _compile(code, user)
    entries = [aom, ("opencv_python_headless.libs/libavif-1.so", str(user), "BINARY")]
    assert stand_ins.stand_ins(entries, tmp_path / "made") == entries
    assert "stays as it is: what calls it needs aom_img_wrap" in capfd.readouterr().err


def test_without_a_compiler_all_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stand_ins, "COMPILER", "no-such-compiler")
    assert stand_ins.stand_ins(_entries(), tmp_path) == _entries()
    assert "No C compiler" in capsys.readouterr().err
