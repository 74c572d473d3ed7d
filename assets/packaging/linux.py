"""Packages for Linux, made of what `make app` has built.

python -m assets.packaging.linux deb|appdir [APP] [OUT]

deb: OUT/seg-viewer_VERSION_ARCH.deb, with what the program needs of the system as its dependencies.
appdir: OUT/seg-viewer.AppDir; an AppImage of it where `appimagetool` is installed.
"""

from __future__ import annotations

import email.utils
import gzip
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from assets.packaging import formats, man_page

NAME = "seg-viewer"
ASSETS = Path(__file__).resolve().parents[1]
MAINTAINER = "seg_viewer contributors <seg-viewer@localhost>"
"""Whoever publishes the package puts an address here."""

DESCRIPTION = """segments driving video: cars blue, people red, road green
 Plays a dashcam video, a camera or a stream through a neural network and paints
 what it finds on the picture; writes the annotated video.
 No safety function: do not steer by it."""
DATA_PACKAGES = ("fontconfig-config", "xkb-data")
"""What the libraries inside read of the system: where fonts are, how keyboards are laid out."""
RECOMMENDED = "fonts-dejavu-core, libportaudio2, xdg-desktop-portal"
"""Letters, sound, the desktop's own dialogs; sound is looked for in the system only."""


def tree(app: Path, root: Path) -> None:
    """Lay out program, desktop entry, icons, MIME types and man page below `root`/usr."""
    from seg_viewer import __version__
    from seg_viewer.cli.main import cli

    usr = root / "usr"
    shutil.copytree(app, usr / "lib" / NAME, symlinks=True)
    (usr / "bin").mkdir()
    (usr / "bin" / NAME).symlink_to(f"../lib/{NAME}/{NAME}")
    share = usr / "share"
    _copy(ASSETS / f"{NAME}.desktop", share / "applications")
    _copy(ASSETS / "icons" / f"{NAME}.svg", share / "icons/hicolor/scalable/apps")
    _copy(ASSETS / "icons" / f"{NAME}.png", share / "icons/hicolor/256x256/apps")
    _write(share / "mime/packages" / f"{NAME}.xml", formats.mime_xml().encode())
    page = man_page.man_page(cli, __version__).encode()
    _write(share / "man/man1" / f"{NAME}.1.gz", gzip.compress(page, 9, mtime=0))
    _write(share / "doc" / NAME / "changelog.gz", gzip.compress(_changelog(__version__).encode(), 9, mtime=0))
    _write(share / "doc" / NAME / "copyright", (ASSETS.parent / "LICENSE").read_bytes() + _WEIGHTS.encode())
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == usr / "lib" / NAME / NAME else 0o644)


_WEIGHTS = """
The weights of the models were trained on data with terms of its own (CamVid: CC BY-NC 4.0; IDD: research): they are for
non-commercial use. The libraries inside keep their own licences.
"""


def _changelog(version: str) -> str:
    """As Debian wants it (deb-changelog, section 5); its date is SOURCE_DATE_EPOCH, or today."""
    date = email.utils.formatdate(float(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    what = "  * Release. What is new: docs/changelog.md of the source."
    return f"{NAME} ({version}) unstable; urgency=medium\n\n{what}\n\n -- {MAINTAINER}  {date}\n"


def deb(app: Path, out: Path) -> Path:
    """Build the Debian package. Raises: click.ClickException when dpkg-deb is missing or fails."""
    from seg_viewer import __version__

    root = out / f"{NAME}.deb-root"
    shutil.rmtree(root, ignore_errors=True)
    try:
        tree(app, root)
        arch = _output("dpkg", "--print-architecture").strip()
        control = root / "DEBIAN" / "control"
        _write(control, _control(__version__, arch, root, system_packages(app)).encode())
        control.parent.chmod(0o755)
        target = out / f"{NAME}_{__version__}_{arch}.deb"
        # zstd: Debian 12, Ubuntu 22.04 and newer, as the C library of what is inside asks for anyway
        _output("dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build", str(root), str(target))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return target


def _control(version: str, arch: str, root: Path, depends: list[str]) -> str:
    fields = {
        "Package": NAME,
        "Version": version,
        "Architecture": arch,
        "Maintainer": MAINTAINER,
        "Installed-Size": sum(path.lstat().st_size for path in root.rglob("*")) // 1024,
        "Depends": ", ".join((*depends, *DATA_PACKAGES)),
        "Recommends": RECOMMENDED,
        "Section": "video",
        "Priority": "optional",
        "Description": DESCRIPTION,
    }
    return "".join(f"{key}: {text}\n" for key, text in fields.items())


def appdir(app: Path, out: Path) -> Path:
    """Lay out the AppDir, and make an AppImage of it where `appimagetool` is; gives the path of what was made."""
    root = out / f"{NAME}.AppDir"
    shutil.rmtree(root, ignore_errors=True)
    tree(app, root)
    for name in (f"{NAME}.desktop", f"{NAME}.svg"):
        shutil.copy(ASSETS / ("icons" if name.endswith(".svg") else ".") / name, root / name)
    (root / ".DirIcon").symlink_to(f"{NAME}.svg")
    (root / "AppRun").symlink_to(f"usr/bin/{NAME}")
    if not shutil.which("appimagetool"):
        return root
    target = out / f"{NAME}-{os.uname().machine}.AppImage"
    _output("appimagetool", str(root), str(target))
    return target


def system_packages(app: Path) -> list[str]:
    """Debian packages of the libraries that the program needs and does not hold, as `Depends` names them."""
    inside = {path.name for path in app.rglob("*")}
    wanted: set[str] = set()
    glibc = (0, 0)
    for text in headers(path for path in app.rglob("*") if path.is_file() and not path.is_symlink()):
        wanted |= set(re.findall(r"NEEDED +(\S+)", text))
        glibc = max([glibc, *((int(a), int(b)) for a, b in re.findall(r"GLIBC_(\d+)\.(\d+)", text))])
    found = {_package_of(library) for library in sorted(wanted - inside)} - {"libc6"}
    return [f"libc6 (>= {glibc[0]}.{glibc[1]})", *sorted(found)]


def headers(files: Iterable[Path]) -> Iterator[str]:
    """What `objdump -p` says of each program and library among the files."""
    for path in files:
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF":
                yield _output("objdump", "-p", str(path))


def _package_of(library: str) -> str:
    for place in re.findall(rf"^\s*{re.escape(library)} .*=> (\S+)$", _output("/sbin/ldconfig", "-p"), re.MULTILINE):
        for path in (place, place.removeprefix("/usr"), str(Path(place).resolve())):
            done = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True)
            if not done.returncode:
                return done.stdout.split(":")[0]
    raise click.ClickException(f"{library}: no package of this system has it, but the program needs it")


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise click.ClickException(f"{command[0]} is missing; install it and try again") from None
    if done.returncode:
        raise click.ClickException(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _copy(file: Path, folder: Path) -> None:
    _write(folder / file.name, file.read_bytes())


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


@click.command(help=__doc__)
@click.argument("kind", type=click.Choice(("deb", "appdir")))
@click.argument("app", type=click.Path(path_type=Path), default=Path("dist") / NAME)
@click.argument("out", type=click.Path(path_type=Path), default=Path("dist"))
def main(kind: str, app: Path, out: Path) -> None:
    if not (app / NAME).is_file():
        raise click.ClickException(f"{app}: no program is there; run 'make app' first")
    out.mkdir(parents=True, exist_ok=True)
    made = (deb if kind == "deb" else appdir)(app, out)
    click.echo(made)
    if made.suffix == ".AppDir":
        click.echo("appimagetool is not installed: run it on this folder to make the AppImage", file=sys.stderr)


if __name__ == "__main__":
    main()
