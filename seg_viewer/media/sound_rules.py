"""What sound each container gets: copied where its players know the codec, otherwise encoded anew, and how."""

from __future__ import annotations

from dataclasses import dataclass

import av

from seg_viewer.media.sample_line import layout_name

_MOV_PCM = {
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_f32le", "pcm_f32be", "pcm_u8", "pcm_alaw", "pcm_mulaw"),
}

# FFmpeg's muxers take more than players play: DTS and MP2 in MP4 are silent in most. None: whatever the muxer takes.
_COPIED: dict[str, set[str] | None] = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    "mov": {"aac", "mp3", "ac3", "eac3", "alac"} | _MOV_PCM,
    "webm": {"opus", "vorbis"},
    "matroska": None,
}

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
# ISO/IEC 14496-3, table 1.19: the layouts that need no programme config element, which many players ignore
_AAC_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")
# RFC 7845, section 5.1.1.2
_OPUS_RATES = (48000,)
_OPUS_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")

_SAME_PLACES = {("5.1(side)", "5.1"), ("5.0(side)", "5.0"), ("quad(side)", "quad")}
"""Names for speakers in the same places: nothing that anybody has to know of changes."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How sound is encoded.

    Args:
        codec: name of the encoder.
        name: of the codec, for people.
        rate: samples per second.
        layout: of the channels, FFmpeg's name.
        bit_rate: bits per second.
    """

    codec: str
    name: str
    rate: int
    layout: str
    bit_rate: int


def copies(container: str, codec: str) -> bool:
    """Whether a codec's packets go into a container as they are."""
    listed = _COPIED.get(container, set())
    return listed is None or codec in listed


def encoding_for(container: str, rate: int, layout: av.AudioLayout) -> Encoding:
    """How sound of a rate and layout is encoded for a container.

    Raises:
        ValueError: there is no layout for so many channels, see `layout_name`.
    """
    opus = container == "webm"
    name = _nearest(layout_name(layout), _OPUS_LAYOUTS if opus else _AAC_LAYOUTS)
    target = next((each for each in (_OPUS_RATES if opus else _AAC_RATES) if each >= rate), 48000)
    channels = av.AudioLayout(name).nb_channels
    per_channel = 64_000 if opus else 80_000
    bit_rate = (96_000 if channels == 1 else per_channel * channels) * min(target, 48_000) // 48_000
    return Encoding("libopus" if opus else "aac", "opus" if opus else "aac", target, name, max(32_000, bit_rate))


def _nearest(name: str, layouts: tuple[str, ...]) -> str:
    """The smallest layout that has a speaker for each channel; else the smallest with as many; else the largest."""
    if name in layouts:
        return name
    wanted = _speakers(name)
    holding = [each for each in layouts if wanted <= _speakers(each)]
    as_many = [each for each in layouts if len(_speakers(each)) >= len(wanted)]
    return [*holding, *as_many, layouts[-1]][0]


def _speakers(name: str) -> set[str]:
    """Those at the side count as those behind where there are no others behind, as with FFmpeg's resampler."""
    found = {channel.name for channel in av.AudioLayout(name).channels}
    if not found & {"BL", "BR"}:
        found = {{"SL": "BL", "SR": "BR"}.get(each, each) for each in found}
    return found


def other_layout(before: str, after: str) -> bool:
    """Whether a change of layout is one that a person has to know of."""
    return before != after and (before, after) not in _SAME_PLACES
