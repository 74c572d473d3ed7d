"""Decoding by hardware, through FFmpeg and PyAV: what is there, and whether it works with a file.

Nothing is taken for granted. A file is opened with a device only after its first picture came from that device: FFmpeg
has decoders that begin with a device and then go on without it, and PyAV calls both by the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

from seg_viewer.media.av_file import demuxed, open_input

OFF, AUTO = "off", "auto"
CHOICES = (OFF, AUTO)
"""What a person can choose: never, or where it works."""

SOFTWARE = "processor"
"""What decodes where no device does, in words."""

_ORDER = ("cuda", "videotoolbox", "d3d11va", "d3d12va", "dxva2", "vaapi", "vdpau", "qsv", "vulkan", "mediacodec")
_PATIENCE = 64
"""Packets until the first picture of a file."""
_ERRORS = (av.FFmpegError, OSError, RuntimeError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class HardwareCheck:
    """Whether a device decodes.

    Args:
        device: as FFmpeg calls it; "" for none.
        problem: why it does not, half a sentence; "" where it does.
    """

    device: str
    problem: str = ""


def devices_for(codec: av.Codec) -> list[str]:
    """Devices that this FFmpeg could decode a codec with, the ones to try first first."""
    built = hwdevices_available()
    names = [config.device_type.name for config in codec.hardware_configs if config.is_supported]
    return sorted({name for name in names if name in built}, key=lambda name: (*_ORDER, name).index(name))


def acceleration(device: str) -> HWAccel:
    """What `av.open` wants for a device; a picture that it cannot decode is decoded by the processor."""
    return HWAccel(device, allow_software_fallback=True)


def check_file(path: Path, index: int) -> HardwareCheck:
    """Try to decode the first picture of a stream with each device that there is.

    Args:
        path: of a file that can be opened.
        index: of the stream in it.
    """
    with open_input(path) as container:
        codec = container.streams.video[0].codec_context.codec
        for stream in container.streams.video:
            if stream.index == index:
                codec = stream.codec_context.codec
    devices = devices_for(codec)
    if not devices:
        return HardwareCheck("", f"this FFmpeg has no hardware decoder for {codec.canonical_name}")
    problems = []
    for device in devices:
        try:
            if not (problem := _tried(path, index, device)):
                return HardwareCheck(device)
        except _ERRORS as error:
            problem = _reason(error)
        problems.append(f"{device}: {problem}")
    return HardwareCheck("", "; ".join(problems))


def check_devices(codec: str = "h264") -> list[HardwareCheck]:
    """Whether each device that this FFmpeg was built with can be begun for a codec; no picture is decoded."""
    decoder = av.Codec(codec, "r")
    able, checks = devices_for(decoder), []
    for device in hwdevices_available():
        problem = "" if device in able else f"this FFmpeg cannot decode {codec} with it"
        if not problem:
            try:
                acceleration(device).create(decoder)
            except _ERRORS as error:
                problem = _reason(error)
        checks.append(HardwareCheck(device, problem))
    return checks


def _tried(path: Path, index: int, device: str) -> str:
    """Why a device does not decode a stream; "" where it does. Raises: any of `_ERRORS`."""
    with open_input(path, hwaccel=acceleration(device)) as container:
        stream = next(stream for stream in container.streams.video if stream.index == index)
        context = stream.codec_context
        if not context.is_hwaccel:
            return "takes no such video"
        wanted = [config.format for config in context.codec.hardware_configs if config.device_type.name == device]
        names = {each.name for each in wanted if each is not None}
        for number, packet in enumerate(demuxed(container, stream)):
            if packet.decode():
                # the decoder's own pixel format is that of the device only as long as the device decodes
                return "" if context.format is not None and context.format.name in names else "takes no such video"
            if number > _PATIENCE:
                break
    return "gives no picture"


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
