"""What desktops are told that the viewer opens is what it opens."""

from __future__ import annotations

import plistlib
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from assets.packaging import formats
from seg_viewer.sources.animation import SOURCE as ANIMATION
from seg_viewer.sources.video_file import VIDEO_SUFFIXES
from tests.house import ROOT

GLOBS = Path("/usr/share/mime/globs2")
SPEC = "{http://www.freedesktop.org/standards/shared-mime-info}"


def test_every_kind_of_video_has_a_type_and_no_other() -> None:
    told = formats.suffixes()
    assert len(told) == len(set(told))
    assert set(told) == {*VIDEO_SUFFIXES, *ANIMATION.suffixes, ".m3u", ".m3u8"}


def test_the_desktop_entry_names_these_types() -> None:
    lines = (ROOT / "assets" / "seg-viewer.desktop").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("MimeType=")] == [formats.mime_line()]


@pytest.mark.skipif(not GLOBS.is_file(), reason="shared-mime-info is not installed")
def test_known_types_are_those_of_the_desktop() -> None:
    known: dict[str, set[str]] = {}
    for line in GLOBS.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\d+:([^:]+):\*(\.[^:]+)(:.*)?", line):
            known.setdefault(found[2].lower(), set()).add(found[1])
    for kind, ends in formats.KNOWN.items():
        assert [end for end in ends if end in known and kind not in known[end]] == [], kind


def test_other_types_are_defined() -> None:
    root = ElementTree.fromstring(formats.mime_xml())  # noqa: S314 - our own
    globs = {kind.get("type"): [glob.get("pattern") for glob in kind.iter(f"{SPEC}glob")] for kind in root}
    assert globs == {kind: [f"*{end}" for end in ends] for kind, (_, ends) in formats.OURS.items()}
    assert all(kind.findtext(f"{SPEC}comment") for kind in root)


def test_macos_is_told_of_documents_and_why_the_camera_is_asked_for() -> None:
    plist = plistlib.loads(plistlib.dumps(formats.info_plist("1.2.3")))
    assert "camera" in plist["NSCameraUsageDescription"] and plist["CFBundleVersion"] == "1.2.3"
    videos, folders = plist["CFBundleDocumentTypes"]
    assert {f".{end}" for end in videos["CFBundleTypeExtensions"]} == set(formats.suffixes())
    assert folders["LSItemContentTypes"] == ["public.folder"]


def test_the_windows_installer_offers_the_same() -> None:
    script = (ROOT / "assets" / "packaging" / "windows.iss").read_text(encoding="utf-8")
    assert re.findall(r'SupportedTypes"; ValueType: string; ValueName: "(\.\w+)"', script) == formats.suffixes()
