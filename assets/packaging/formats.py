"""What desktops are told that the viewer opens: MIME types on Linux, kinds of documents on macOS.

tests/packaging holds it to the suffixes that the sources read.
"""

from __future__ import annotations

from html import escape

APP_ID = "io.github.seg_viewer"

KNOWN = {
    "video/mp4": (".mp4", ".m4v", ".f4v"),
    "video/x-matroska": (".mkv",),
    "video/webm": (".webm",),
    "video/quicktime": (".mov",),
    "video/x-msvideo": (".avi",),
    "video/mpeg": (".mpg", ".mpeg", ".vob"),
    "video/mp2t": (".ts", ".m2ts", ".mts"),
    "video/x-flv": (".flv",),
    "video/x-ms-wmv": (".wmv",),
    "application/vnd.ms-asf": (".asf",),
    "video/3gpp": (".3gp",),
    "video/3gpp2": (".3g2",),
    "video/ogg": (".ogv",),
    "video/x-ogm+ogg": (".ogm",),
    "video/dv": (".dv",),
    "application/vnd.rn-realmedia": (".rm", ".rmvb"),
    "application/mxf": (".mxf",),
    "video/x-mjpeg": (".mjpeg", ".mjpg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "audio/x-mpegurl": (".m3u", ".m3u8"),
}
"""Types that desktops know (shared-mime-info), and the suffixes they know for them."""

OURS = {
    "image/apng": ("Animated PNG", (".apng",)),
    "video/h264": ("H.264 video, raw", (".h264", ".264")),
    "video/h265": ("H.265 video, raw", (".h265", ".265", ".hevc")),
    "video/x-dav": ("DAV surveillance video", (".dav",)),
    "video/x-ivf": ("IVF video", (".ivf",)),
    "video/x-mpeg2-raw": ("MPEG-2 video, raw", (".m2v",)),
    "video/x-nut": ("NUT video", (".nut",)),
    "video/x-obu": ("AV1 video, raw", (".obu",)),
    "video/x-wtv": ("Windows TV recording", (".wtv",)),
    "video/x-yuv4mpeg": ("YUV4MPEG video", (".y4m",)),
}
"""Types that a desktop does not know until the package says what they are: name, suffixes."""

ADDRESSES = ("x-scheme-handler/rtsp", "x-scheme-handler/rtmp")


def suffixes() -> list[str]:
    """Every suffix, as ".mp4"."""
    return [suffix for each in (*KNOWN.values(), *(kinds for _, kinds in OURS.values())) for suffix in each]


def mime_line() -> str:
    """The line `MimeType` of the desktop entry."""
    return "MimeType=" + "".join(f"{kind};" for kind in (*KNOWN, *OURS, *ADDRESSES))


def mime_xml() -> str:
    """For /usr/share/mime/packages: the types of `OURS`."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">',
    ]
    for kind, (name, ends) in OURS.items():
        lines += [f'  <mime-type type="{kind}">', f"    <comment>{escape(name)}</comment>"]
        # weaker than what a desktop may come to know itself
        lines += [*(f'    <glob pattern="*{end}" weight="40"/>' for end in ends), "  </mime-type>"]
    return "\n".join((*lines, "</mime-info>", ""))


def info_plist(version: str) -> dict[str, object]:
    """What macOS is told beside name and icon: documents, and why camera and network are asked for."""
    documents = {
        "CFBundleTypeName": "Video",
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": "Alternate",  # the system's player stays the first
        "CFBundleTypeExtensions": [suffix.removeprefix(".") for suffix in suffixes()],
    }
    folders = {
        "CFBundleTypeName": "Folder of pictures or videos",
        "CFBundleTypeRole": "Viewer",
        "LSHandlerRank": "Alternate",
        "LSItemContentTypes": ["public.folder"],
    }
    return {
        "CFBundleDisplayName": "seg-viewer",
        "CFBundleVersion": version,
        "CFBundleDocumentTypes": [documents, folders],
        "LSApplicationCategoryType": "public.app-category.video",
        "NSCameraUsageDescription": "The camera's picture is segmented and shown when you open a camera.",
        "NSLocalNetworkUsageDescription": "Cameras and streams in your network are opened by their address.",
        "NSHighResolutionCapable": True,
    }
