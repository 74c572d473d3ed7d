"""What an input may be made with: codecs, containers, times, colours; and which of them go together."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

WIDTH, HEIGHT = 64, 48
FLASH_S = 1
SECONDS = 2
TONE_S = 0.12
BITS = 8
TICKS = 90_000
CORNERS = ((190, 50, 50), (50, 170, 50), (50, 60, 190), (190, 180, 60))
"""Top left, top right, bottom left, bottom right, RGB."""

RATES = {"25": Fraction(25), "29.97": Fraction(30_000, 1001), "17.53": Fraction(1753, 100), "vfr": Fraction(25)}
VFR_MS = (40, 40, 5, 155, 33, 33, 1, 93, 40, 60)
"""Intervals of a variable rate, repeated."""
STARTS = {"0": Fraction(0), "0.7": Fraction(7, 10), "5": Fraction(5), "3600": Fraction(3600)}
ASPECTS = {"1:1": Fraction(1), "4:3": Fraction(4, 3), "8:9": Fraction(8, 9)}
ORIENTATIONS = {f"{'m' if mirrored else 'r'}{turn}": (turn, mirrored) for mirrored in (False, True)
                for turn in (0, 90, 180, 270)}  # fmt: skip
"""Counter-clockwise turn in degrees, then mirrored or not: the eight of EXIF."""
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6}


@dataclass(frozen=True)
class Colour:
    """Tags as in ITU-T H.273, and how many bits; 2 is unspecified."""

    primaries: int
    transfer: int
    matrix: int
    full: bool = False
    bits: int = 8


COLOURS = {
    "untagged": Colour(2, 2, 2),
    "bt709": Colour(1, 1, 1),
    "bt709full": Colour(1, 1, 1, full=True),
    "bt601": Colour(6, 6, 6),
    "pal": Colour(5, 6, 5),
    "srgb": Colour(1, 13, 1),
    "bt2020": Colour(9, 14, 9),
    "pq": Colour(9, 16, 9, bits=10),
    "hlg": Colour(9, 18, 9, bits=10),
}

# encoder, its pixel formats of 8 and 10 bits, options
VIDEO: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "h264": ("libx264", "yuv420p", "yuv420p10le", {"preset": "ultrafast", "crf": "10"}),
    "h264b": ("libx264", "yuv420p", "yuv420p10le", {"preset": "veryfast", "crf": "10", "bf": "2"}),
    "hevc": ("libx265", "yuv420p", "yuv420p10le", {"preset": "ultrafast", "x265-params": "log-level=none:crf=8"}),
    "vp9": ("libvpx-vp9", "yuv420p", "", {"deadline": "realtime", "cpu-used": "8", "crf": "8", "b": "0"}),
    "vp8": ("libvpx", "yuv420p", "", {"deadline": "realtime", "cpu-used": "8", "b": "2M"}),
    "av1": ("libsvtav1", "yuv420p", "yuv420p10le", {"preset": "12", "crf": "10", "svtav1-params": "lp=1"}),
    "mpeg2": ("mpeg2video", "yuv420p", "", {"b": "4M"}),
    "mpeg4": ("mpeg4", "yuv420p", "", {"b": "4M"}),
    "mjpeg": ("mjpeg", "yuvj420p", "", {"qscale": "2", "b": "8M"}),
    "wmv2": ("wmv2", "yuv420p", "", {"b": "4M"}),
    "ffv1": ("ffv1", "yuv420p", "yuv420p10le", {}),
    "prores": ("prores_ks", "yuv422p10le", "yuv422p10le", {}),
    "flv1": ("flv", "yuv420p", "", {"b": "4M"}),
}
TAGGED = {"h264", "h264b", "hevc", "vp9", "av1", "mpeg2", "prores"}
"""Whose streams, or whose containers for them, say what colours mean."""
ANY_TIME = {"h264", "h264b", "hevc", "vp9", "vp8", "av1", "ffv1", "mjpeg"}
"""Encoders that take a variable rate."""

AUDIO: dict[str, tuple[str, int, tuple[str, ...], dict[str, str]]] = {
    "none": ("", 0, ("mono",), {}),
    "aac": ("aac", 48_000, ("mono", "stereo", "5.1"), {}),
    "mp3": ("libmp3lame", 44_100, ("mono", "stereo"), {}),
    "mp2": ("mp2", 48_000, ("mono", "stereo"), {}),
    "ac3": ("ac3", 48_000, ("mono", "stereo", "5.1"), {}),
    "eac3": ("eac3", 48_000, ("mono", "stereo", "5.1"), {}),
    "dts": ("dca", 48_000, ("mono", "stereo"), {}),
    "opus": ("libopus", 48_000, ("mono", "stereo", "5.1"), {"b": "96k"}),
    "vorbis": ("vorbis", 48_000, ("stereo",), {"strict": "experimental"}),
    "flac": ("flac", 48_000, ("mono", "stereo", "5.1"), {}),
    "wma": ("wmav2", 44_100, ("mono", "stereo"), {"b": "128k"}),
    "pcm": ("pcm_s16le", 48_000, ("mono", "stereo", "5.1"), {}),
    "pcm11024": ("pcm_s16le", 11_024, ("mono", "stereo"), {}),
}
"""Encoder, samples a second, layouts, options."""

CONTAINERS: dict[str, tuple[str, str, frozenset[str], frozenset[str]]] = {
    name: (suffix, muxer, frozenset(video.split()), frozenset(audio.split()))
    for name, suffix, muxer, video, audio in (
        ("mp4", ".mp4", "mp4", "h264 h264b hevc vp9 av1 mpeg4 mpeg2",
         "none aac mp3 mp2 ac3 eac3 dts opus vorbis flac pcm"),
        ("mov", ".mov", "mov", "h264 h264b hevc mjpeg prores mpeg4", "none aac mp3 ac3 pcm pcm11024"),
        ("mkv", ".mkv", "matroska", "h264 h264b hevc vp8 vp9 av1 mpeg2 mpeg4 mjpeg ffv1",
         "none aac mp3 mp2 ac3 eac3 dts opus vorbis flac pcm pcm11024"),
        ("webm", ".webm", "webm", "vp8 vp9 av1", "none opus vorbis"),
        ("ts", ".ts", "mpegts", "h264 h264b hevc mpeg2", "none aac mp3 mp2 ac3 eac3 dts opus"),
        ("asf", ".wmv", "asf", "wmv2 mpeg4", "none wma mp3 pcm ac3"),
        ("avi", ".avi", "avi", "mpeg4 mjpeg h264", "none mp3 mp2 ac3 pcm pcm11024"),
        ("flv", ".flv", "flv", "h264 h264b flv1", "none aac mp3"),
    )
}  # fmt: skip
"""Suffix, muxer, what it holds of `VIDEO` and of `AUDIO`."""


@dataclass(frozen=True)
class Recipe:
    """How an input is made; every field is a key of the table of its name.

    Args:
        scan: "progressive" or "tff", top field first.
    """

    container: str = "mp4"
    video: str = "h264"
    audio: str = "aac"
    start: str = "0"
    rate: str = "25"
    layout: str = "stereo"
    orientation: str = "r0"
    aspect: str = "1:1"
    colour: str = "untagged"
    scan: str = "progressive"

    @property
    def name(self) -> str:
        usual = Recipe()
        fields = ("start", "rate", "layout", "orientation", "aspect", "colour", "scan")
        rest = [
            str(getattr(self, name)).replace(":", "x") for name in fields if getattr(self, name) != getattr(usual, name)
        ]
        return "-".join((self.container, self.video, self.audio, *rest))

    def why_not(self) -> str:
        """Why nobody can make this; "" where it can be made."""
        _suffix, _muxer, video, audio = CONTAINERS[self.container]
        colour = COLOURS[self.colour]
        problems = {
            "the container does not hold this picture": self.video not in video,
            "the container does not hold this sound": self.audio not in audio,
            "the sound has no such layout": self.layout not in AUDIO[self.audio][2],
            "no sound, no layout to choose": self.audio == "none" and self.layout != "mono",
            "no place for a start": self.start != "0" and self.container == "avi",
            "no place for times": self.rate == "vfr"
            and (self.video not in ANY_TIME or self.container in ("avi", "asf", "flv")),
            "a rate that this codec does not know": self.rate == "17.53" and self.video == "mpeg2",
            "only QuickTime's family turns pictures": self.orientation != "r0" and self.container not in ("mp4", "mov"),
            "no place for pixel aspects": self.aspect != "1:1"
            and (self.video in ("mjpeg", "wmv2", "flv1", "vp8", "vp9", "av1", "ffv1")
                 and self.container not in ("mp4", "mov")),
            "no place for tags": self.colour != "untagged" and self.video not in TAGGED,
            "no 10 bits": colour.bits == 10 and not VIDEO[self.video][2],
            "MPEG-2 and ProRes have one range": colour.full and self.video in ("mpeg2", "prores"),
            "AVI has no tags": self.container == "avi" and self.colour not in ("untagged", "bt709"),
            "interlaced is for H.264 and MPEG-2": self.scan != "progressive" and self.video not in ("h264", "mpeg2"),
            "interlaced and variable": self.scan != "progressive" and (self.rate != "25" or colour.bits == 10),
            "AVI keeps no order": self.container == "avi" and self.video == "h264b",
            "sound of 5.1 in AVI or FLV": self.layout == "5.1" and self.container in ("avi", "flv", "asf"),
        }  # fmt: skip
        return next((why for why, true in problems.items() if true), "")
