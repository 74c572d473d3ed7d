"""What a file says of itself and of its streams: titles, places, times, chapters."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.stream import Disposition, Stream

from seg_viewer.media.beside import Span

if TYPE_CHECKING:
    from av.container.core import Chapter

_NOT_OURS = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "rotate", "vendor_id"}
_NOT_OURS |= {"encoding_tool", "alpha_mode", "stereo_mode", "_statistics_writing_app", "_statistics_tags"}
_NOT_OURS |= {"_statistics_writing_date_utc", "number_of_frames", "number_of_bytes", "bps", "hw"}
"""Keys that are true of the source's own bytes only; the picture is upright already."""

_MP4_KEYS = {
    *("title", "artist", "album_artist", "composer", "album", "date", "comment", "genre", "copyright", "grouping"),
    *("lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords", "location", "creation_time"),
    *("track", "disc", "tmpo", "compilation", "gapless_playback", "hd_video", "media_type", "season_number"),
    *("episode_sort", "encoder", "encoding_tool", "language"),
}
_MOV_KEYS = {
    *("artist", "title", "author", "album", "date", "comment", "genre", "copyright", "make", "model", "location"),
    *("encoder", "encoding_tool", "creation_time", "language"),
}
_KEYS = {"mp4": _MP4_KEYS, "mov": _MOV_KEYS}
"""Tags that a container's usual form has a place for; Matroska has one for any."""

_QUICKTIME_PLACE = "com.apple.quicktime.location.iso6709"
_QUICKTIME_LANGUAGES = {"deu": "ger", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice", "zho": "chi"}
_QUICKTIME_LANGUAGES |= {"sqi": "alb", "mkd": "mac", "fre": "fra", "rum": "ron", "cze": "ces", "slo": "slk"}
"""ISO 639-2 codes, and those of the same languages that FFmpeg knows in MOV, which has numbers for languages."""

_KEPT_DISPOSITIONS = (
    *(Disposition.default, Disposition.dub, Disposition.original, Disposition.comment, Disposition.lyrics),
    *(Disposition.karaoke, Disposition.forced, Disposition.hearing_impaired, Disposition.visual_impaired),
    *(Disposition.clean_effects, Disposition.captions, Disposition.descriptions),
)


def file_tags(tags: Mapping[str, str], container: str) -> dict[str, str]:
    """What of a file's tags is as true of the annotated video, under the names that its container has for it."""
    kept = _kept(tags)
    place = next((text for key, text in kept.items() if key.lower() == _QUICKTIME_PLACE), None)
    known = _KEYS.get(container, set())
    if known and place is not None and not any(key.lower() == "location" for key in kept):
        kept["location"] = place  # MP4's own box for it is written from that name
    return {key.lower() if key.lower() in known else key: text for key, text in kept.items()}


def stream_tags(tags: Mapping[str, str], container: str) -> dict[str, str]:
    """The same for the tags of a stream."""
    kept = _kept(tags)
    for key in [each for each in kept if each.lower() == "name"]:  # MP4's word for a track's title
        kept.setdefault("title", kept.pop(key))
    if container in ("matroska", "webm"):  # a word of MP4's that means nothing there
        kept = {key: text for key, text in kept.items() if key.lower() != "handler_name"}
    if container == "mov":
        kept["language"] = _QUICKTIME_LANGUAGES.get(kept.get("language", "und"), kept.get("language", "und"))
    return kept


def describe(made: Stream, source: Stream, container: str) -> None:
    """Gives a stream the tags and the purpose of the one that it is made of."""
    made.metadata.update(stream_tags(source.metadata, container))
    made.disposition = kept_disposition(source) | made.disposition


def _kept(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in tags.items() if text and _ours(key, tags)}


def _ours(key: str, tags: Mapping[str, str]) -> bool:
    plain = key.lower()
    if plain in _NOT_OURS or plain.split("-")[0] in _NOT_OURS:
        return False
    base, dash, language = key.rpartition("-")  # FFmpeg names some tags twice, with and without their language
    return not (dash and len(language) == 3 and tags.get(base) == tags[key])


def odd_tags(container: str, tags: Mapping[str, str]) -> list[str]:
    """Names of tags that a container's usual form has no place for."""
    known = _KEYS.get(container)
    return [] if known is None else [key for key in tags if key not in known]


def is_place(key: str) -> bool:
    """Whether a tag says where the recording was made, as phones write it; `file_tags` says it again in MP4's way."""
    return key.lower() == _QUICKTIME_PLACE


def keep_all_tags(out: av.container.OutputContainer) -> None:
    """Makes the muxer of MP4 and MOV write every tag under its own name (QuickTime's "mdta" keys)."""
    options = out.container_options if "movflags" in out.container_options else out.options
    flags = options.get("movflags", "")
    if "use_metadata_tags" not in flags:
        options["movflags"] = f"{flags}+use_metadata_tags"


def kept_disposition(stream: Stream) -> int:
    """What a stream is for, FFmpeg's flags: default, forced, for the hard of hearing."""
    return sum(int(each) for each in _KEPT_DISPOSITIONS if stream.disposition & each)


def purposes(disposition: int) -> list[str]:
    """Names of what a stream is for; MP4 says captions of whatever is for the hard of hearing."""
    return [str(each.name) for each in _KEPT_DISPOSITIONS if disposition & each and each != Disposition.captions]


def cut_chapters(chapters: list[Chapter], origin_s: float, span: Span) -> list[Chapter]:
    """Chapters with the times of the result, milliseconds; those outside of it are left out.

    Args:
        chapters: as PyAV gives them.
        origin_s: what the file calls the time that is our 0, seconds.
        span: the part of the file that is wanted.
    """
    made: list[Chapter] = []
    for chapter in chapters:
        tick, before_s = chapter["time_base"] or Fraction(1, 1000), origin_s + span.start_s
        start_s, end_s = float(chapter["start"] * tick) - before_s, float(chapter["end"] * tick) - before_s
        if end_s <= 0 or start_s >= span.length_s:
            continue
        made.append(
            {
                "id": len(made),
                "start": round(max(0.0, start_s) * 1000),
                "end": round(min(end_s, span.length_s) * 1000),
                "time_base": Fraction(1, 1000),
                "metadata": dict(chapter.get("metadata", {})),
            }
        )
    return made
