"""Which camera a source is, from one start to the next: what is set up for it is remembered under that."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from seg_viewer.core.redact import redact
from seg_viewer.core.typed_path import typed_path
from seg_viewer.sources.demo import DEMO

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CAMERA = re.compile(r"(camera:|/dev/video\d+)", re.IGNORECASE)
_SCREEN = re.compile(r"screen($|[:?])", re.IGNORECASE)


def camera_of(source: str) -> str:
    """The camera behind what `open_source` takes.

    An address without user, password and what is chosen for one viewing; a camera without its options, unless its
    picture is mirrored; a screen with the part of it that is shown; of a file, or a folder of pictures, the folder that
    it lies in: clips of one camera lie together.
    """
    if _ADDRESS.match(source):
        parts = urlsplit(redact(source).partition("#")[0])
        query = f"?{parts.query}" if parts.query and parts.scheme != "carla" else ""
        return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path}{query}"
    if _CAMERA.match(source):
        which, _, options = source.partition("?")
        return which + ("?mirror=1" if "mirror=1" in options.split("&") else "")
    if _SCREEN.match(source) or source == DEMO:
        return source
    return str(typed_path(source).absolute().parent)
