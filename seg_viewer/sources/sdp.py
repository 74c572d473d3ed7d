"""RTP streams that an SDP file describes (RFC 8866): unicast or multicast, without a server to ask."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.errors import UsageError
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.av_file import file_url
from seg_viewer.sources.address import SDP, Address
from seg_viewer.sources.base import SourceKind
from seg_viewer.sources.network import NetworkStream

_SUFFIX = ".sdp"


def _address(path: Path) -> Address:
    if not path.is_file():
        raise UsageError(f"{path}: no such file or folder")
    return Address(file_url(path), path.name, SDP, host="")


SOURCE = SourceKind(
    "SDP file",
    lambda text: Path(text).suffix.lower() == _SUFFIX,
    lambda text: NetworkStream(_address(typed_path(text))),
    forms=(("FILE.sdp", ""),),
    live=True,
    suffixes=(_SUFFIX,),
)
