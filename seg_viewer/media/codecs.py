"""Which codecs video is written in: their encoders, the containers that hold them, and the named points of quality.

The figures behind the points are in docs/export.md; `benchmarks/export_quality.py` measures them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seg_viewer.core.errors import UsageError
from seg_viewer.core.machine import usable_cores

QUALITIES = ("high", "balanced", "fast", "tiny")
"""high: for cutting and archives; balanced: the usual one; fast: the least work; tiny: the smallest file."""
USUAL_QUALITY = "balanced"

X26X_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
"""x264's and x265's speeds: faster makes larger files."""


@dataclass(frozen=True)
class CodecKind:
    """A codec that video can be written in.

    Args:
        name: what a person chooses it by.
        title: its name in texts.
        software: FFmpeg's encoder on the processor.
        points: quality → that encoder's options.
        hardware: FFmpeg's encoders on other chips, best first, each with its options but for the quality; `{q}` in a
            value is `hardware_q` of the quality.
        hardware_q: quality → constant quantizer or the like.
        crf: lowest and highest value, or None where the codec knows none.
        presets: names of speeds that may be chosen instead of a point's own.
        preset_option: what the encoder calls a preset.
        usual_crf: of a preset that was chosen without a crf.
        even: the size must be even where chroma is halved.
        formats: FFmpeg's pixel formats that pictures may keep, as players know them; the first one is for the rest.
            Empty: whatever the encoder takes.
        alpha_format: for pictures with alpha; "" where the codec has none.
        rgb_format: for RGB without loss; "" where the codec has none.
        full_range: whether the stream can say that luma spans 0…255.
        tags: container → four-character code, where the usual one is not what players look for.
        min_side: least width and height, pixels.
    """

    name: str
    title: str
    software: str
    points: Mapping[str, Mapping[str, str]]
    hardware: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hardware_q: Mapping[str, int] = field(default_factory=dict)
    crf: tuple[int, int] | None = None
    presets: tuple[str, ...] = ()
    preset_option: str = "preset"
    usual_crf: int = 20
    even: bool = True
    formats: tuple[str, ...] = ("yuv420p",)
    alpha_format: str = ""
    rgb_format: str = ""
    full_range: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    min_side: int = 2

    def options(self, quality: str, crf: int | None = None, preset: str | None = None) -> dict[str, str]:
        """The software encoder's options at a point, with what a person chose otherwise."""
        point = dict(self.points[quality])
        if preset is not None:  # a speed is a set of tools: the point's own tools would change it
            kept = {name: value for name, value in point.items() if name in _NOT_OF_A_SPEED}
            point = {**kept, self.preset_option: preset, "crf": str(self.usual_crf)}
        if crf is not None:
            point.pop("qp", None)
            point["crf"] = str(crf)
        return point


_NOT_OF_A_SPEED = {"deadline", "row-mt", "b", "x265-params", "svtav1-params", "threads"}

# The analysis of "ultrafast" with what gives much for little: the deblocking filter (better and smaller for nothing),
# half-pixel search, arithmetic coding, one B-frame, 8×8 transforms and their intra prediction. A constant quantizer
# needs no look at the frames ahead, which costs ultrafast a fifth of its time. "stitchable": parameter sets do not
# depend on the pictures.
_X264_LEAN = {
    "preset": "ultrafast",
    "deblock": "0:0",
    "bf": "1",
    "coder": "ac",
    "x264-params": "stitchable=1:subme=1:8x8dct=1:partitions=i8x8",
}
_X264_LEANEST = {"preset": "ultrafast", "deblock": "0:0", "bf": "1", "x264-params": "stitchable=1"}
_X265 = "log-level=none:info=0:open-gop=0:repeat-headers=0"
_SVT = {"svtav1-params": "lp=1"}
_VPX = {"b": "0", "row-mt": "1"}
_NVENC = {"rc": "constqp", "qp": "{q}"}
_QSV = {"global_quality": "{q}"}
_AMF = {"rc": "cqp", "qp_i": "{q}", "qp_p": "{q}"}
_APPLE = {"allow_sw": "0"}
_HARDWARE_Q = {"high": 20, "balanced": 24, "fast": 25, "tiny": 29}

CODECS = {
    kind.name: kind
    for kind in (
        CodecKind(
            "h264",
            "H.264",
            "libx264",
            {
                "high": {"preset": "veryfast", "crf": "18", "x264-params": "stitchable=1"},
                "balanced": {**_X264_LEAN, "qp": "26"},
                "fast": {**_X264_LEANEST, "qp": "25"},
                "tiny": {"preset": "medium", "crf": "26", "x264-params": "stitchable=1"},
            },
            {
                "h264_nvenc": _NVENC,
                "h264_videotoolbox": _APPLE,
                "h264_qsv": _QSV,
                "h264_amf": _AMF,
            },
            _HARDWARE_Q,
            (0, 51),
            X26X_PRESETS,
        ),
        CodecKind(
            "h265",
            "H.265",
            "libx265",
            {
                "high": {"preset": "superfast", "crf": "20", "x265-params": _X265},
                "balanced": {"preset": "superfast", "crf": "24", "x265-params": _X265},
                "fast": {"preset": "ultrafast", "crf": "23", "x265-params": _X265},
                "tiny": {"preset": "veryfast", "crf": "27", "x265-params": _X265},
            },
            {
                "hevc_nvenc": _NVENC,
                "hevc_videotoolbox": _APPLE,
                "hevc_qsv": _QSV,
                "hevc_amf": _AMF,
            },
            _HARDWARE_Q,
            (0, 51),
            X26X_PRESETS,
            usual_crf=24,
            formats=("yuv420p", "yuv420p10le"),
            min_side=16,
            tags={"mp4": "hvc1", "mov": "hvc1"},  # Apple's players take H.265 under this name only
        ),
        CodecKind(
            "av1",
            "AV1",
            "libsvtav1",
            {
                "high": {"preset": "8", "crf": "24", **_SVT},
                "balanced": {"preset": "9", "crf": "32", **_SVT},
                "fast": {"preset": "11", "crf": "34", **_SVT},
                "tiny": {"preset": "8", "crf": "40", **_SVT},
            },
            {"av1_nvenc": _NVENC, "av1_qsv": _QSV, "av1_amf": _AMF},
            {"high": 80, "balanced": 110, "fast": 115, "tiny": 150},
            (1, 63),
            tuple(str(speed) for speed in range(4, 12)),
            usual_crf=32,
            formats=("yuv420p", "yuv420p10le"),
            min_side=4,
        ),
        CodecKind(
            "vp9",
            "VP9",
            "libvpx-vp9",
            {
                "high": {**_VPX, "deadline": "realtime", "cpu-used": "6", "crf": "22"},
                "balanced": {**_VPX, "deadline": "realtime", "cpu-used": "8", "crf": "34"},
                "fast": {**_VPX, "deadline": "realtime", "cpu-used": "8", "crf": "38"},
                "tiny": {**_VPX, "deadline": "good", "cpu-used": "5", "crf": "36"},
            },
            {"vp9_qsv": _QSV},
            {"high": 60, "balanced": 90, "fast": 100, "tiny": 130},
            (0, 63),
            tuple(str(speed) for speed in range(9)),
            preset_option="cpu-used",
            usual_crf=34,
            even=False,
            alpha_format="yuva420p",
            min_side=1,
        ),
        CodecKind(
            "ffv1",
            "FFV1",
            "ffv1",
            {quality: {"level": "3", "slicecrc": "1", "coder": "1"} for quality in QUALITIES},
            even=False,
            formats=(),
            alpha_format="bgra",
            rgb_format="bgr0",
            min_side=1,
        ),
        CodecKind(
            "prores",
            "ProRes",
            "prores_ks",
            {
                "high": {"profile": "hq"},
                "balanced": {"profile": "hq"},
                "fast": {"profile": "standard"},
                "tiny": {"profile": "lt"},
            },
            formats=("yuv422p10le", "yuv444p10le"),
            alpha_format="yuva444p10le",
            full_range=False,
        ),
    )
}

CONTAINERS = {
    "mp4": ("h264", "h265", "av1"),
    "mkv": ("h264", "h265", "av1", "vp9", "ffv1", "prores"),
    "mov": ("h264", "h265", "prores"),
    "webm": ("vp9", "av1"),
}
"""End of a name → the codecs that players expect in it, the usual one first."""
MUXERS = {"mp4": "mp4", "mkv": "matroska", "mov": "mov", "webm": "webm"}
"""End of a name → FFmpeg's name of that container."""


@dataclass(frozen=True)
class VideoChoice:
    """How a video is to be encoded; a plain value that can be kept, compared and sent.

    Args:
        codec: one of `CODECS`, or None for the container's usual one.
        quality: one of `QUALITIES`: a point that was measured.
        crf: constant rate factor instead of the point's; lower is better and larger.
        preset: the encoder's speed instead of the point's tools.
        hardware: try encoders on other chips first; where none works, the software one encodes and says so.
    """

    codec: str | None = None
    quality: str = USUAL_QUALITY
    crf: int | None = None
    preset: str | None = None
    hardware: bool = False

    def kind(self, container: str) -> CodecKind:
        """The codec in a container, one of `CONTAINERS`.

        Raises: UsageError for what does not go together or does not exist, in one line with the way out.
        """
        if container not in CONTAINERS:
            raise UsageError(f".{container}: video is written to {_listed(['.' + name for name in CONTAINERS])}")
        name = self.codec or CONTAINERS[container][0]
        if name not in CODECS:
            raise UsageError(f"codec '{name}': choose {_listed(list(CODECS))}")
        kind = CODECS[name]
        if name not in CONTAINERS[container]:
            fitting = [f".{end}" for end, held in CONTAINERS.items() if name in held]
            held = _listed([CODECS[each].name for each in CONTAINERS[container]])
            raise UsageError(
                f"{kind.title} does not go into .{container}: choose {held}, or a name that ends in {_listed(fitting)}"
            )
        if self.quality not in QUALITIES:
            raise UsageError(f"quality '{self.quality}': choose {_listed(list(QUALITIES))}")
        self._check_numbers(kind)
        return kind

    def _check_numbers(self, kind: CodecKind) -> None:
        if self.crf is not None and kind.crf is None:
            raise UsageError(f"crf {self.crf}: {kind.title} knows none; choose a quality ({_listed(list(QUALITIES))})")
        if self.crf is not None and kind.crf is not None and not kind.crf[0] <= self.crf <= kind.crf[1]:
            raise UsageError(f"crf {self.crf}: {kind.title} takes {kind.crf[0]} (best) to {kind.crf[1]} (smallest)")
        if self.preset is not None and self.preset not in kind.presets:
            choose = f"choose {_listed(list(kind.presets))}" if kind.presets else f"{kind.title} has none"
            raise UsageError(f"preset '{self.preset}': {choose}")


def encoder_threads() -> int:
    """Threads of one encoder.

    Beside a network that takes every core, a second thread costs a fifth more work for nothing; with many cores, the
    network is so fast that one could not keep up.
    """
    return max(1, usable_cores() // 4)


def _listed(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
