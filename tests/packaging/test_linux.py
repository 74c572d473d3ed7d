"""Packages for Linux, made of a program that is small."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from assets.packaging import linux
from seg_viewer import __version__

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("dpkg-deb", "objdump", "dpkg"))), reason="dpkg-deb and objdump are Debian's"
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "dist" / "seg-viewer"
    (folder / "_internal").mkdir(parents=True)
    shutil.copy("/bin/echo", folder / "seg-viewer")
    (folder / "_internal" / "data").write_text("x")
    (folder / "_internal" / "link").symlink_to("data")
    return folder


def test_the_debian_package_holds_program_entry_icon_types_and_page(app: Path, tmp_path: Path) -> None:
    package = linux.deb(app, tmp_path / "out")
    assert package.name.startswith(f"seg-viewer_{__version__}_") and list(package.parent.iterdir()) == [package]
    fields = subprocess.run(["dpkg-deb", "--info", package], capture_output=True, text=True, check=True).stdout
    assert "libc6 (>= 2." in fields and "fontconfig-config" in fields
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    said = subprocess.run([root / "usr/bin/seg-viewer", "it", "runs"], capture_output=True, text=True, check=True)
    assert said.stdout == "it runs\n"
    share = root / "usr/share"
    entry = (share / "applications/seg-viewer.desktop").read_text(encoding="utf-8")
    assert "Exec=seg-viewer %U" in entry and "Icon=seg-viewer" in entry
    assert (share / "icons/hicolor/scalable/apps/seg-viewer.svg").is_file()
    assert "video/h264" in (share / "mime/packages/seg-viewer.xml").read_text(encoding="utf-8")
    assert b"SEG" in gzip.decompress((share / "man/man1/seg-viewer.1.gz").read_bytes())
    changes = gzip.decompress((share / "doc/seg-viewer/changelog.gz").read_bytes()).decode()
    assert changes.startswith(f"seg-viewer ({__version__}) ") and f" -- {linux.MAINTAINER}  " in changes
    assert "non-commercial" in (share / "doc/seg-viewer/copyright").read_text(encoding="utf-8")
    assert (root / "usr/lib/seg-viewer/_internal/link").readlink() == Path("data")


def test_an_appdir_runs_where_it_lies(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    folder = linux.appdir(app, tmp_path / "out")
    said = subprocess.run([folder / "AppRun", "it", "runs"], capture_output=True, text=True, check=True)
    assert said.stdout == "it runs\n"
    assert (folder / "seg-viewer.desktop").is_file() and (folder / "seg-viewer.svg").is_file()
    assert (folder / ".DirIcon").resolve() == (folder / "seg-viewer.svg").resolve()


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="desktop-file-validate is not installed")
def test_the_desktop_entry_is_valid() -> None:
    done = subprocess.run(
        ["desktop-file-validate", linux.ASSETS / "seg-viewer.desktop"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")
