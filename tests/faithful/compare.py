"""Whether a result is true to its source: rules in words, and what a program may leave out if it says so.

`faults` returns what is wrong. What was told excuses just that: "left out: 2 chapters" excuses missing chapters, and no
late sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tests.faithful.measure import Measure, Tags, Track

SOUND_S = 0.020
LENGTH_S = 0.1
SEAM_S = 0.1
ASPECT = 0.01
TONE_HZ = 70
"""Channels are 150 Hz apart, and the window is short."""
CORNER = 10.0
"""Levels of 255 that a corner's mean may differ by: a wrong matrix or range shows as more."""
SAME: dict[str, dict[int, int]] = {"primaries": {}, "transfer": {6: 1, 14: 1, 15: 1}, "matrix": {5: 6}}
"""Values that H.273 calls "functionally the same as" another."""
HDR = {16: "PQ", 18: "HLG"}

EXCUSES = {
    "sound lost": r"left out:.*(sound|audio)|(sound|audio).*(left out|empty|holds nothing|no packet|cannot be)",
    "sound rate": r"resampl|[0-9] ?k?Hz",
    "subtitles": r"left out:.*subtitle",
    "chapters": r"left out:.*chapter",
    "metadata": r"left out:.*(metadata|title|date|place|comment)",
    "data": r"left out:.*(data|gps|klv|bin)",
    "attachment": r"left out:.*attach",
    "cover": r"left out:.*(cover|picture)",
    "size": r"size|scaled",
}
"""Kind of fault → what has to be told for it to be none. The other kinds have no excuse."""

TELLS = {
    "interlaced": r"interlac",
    "seams": r"jump|discontinu|again|re-?based|spliced|join|restart|seam",
    "hdr": r"tone|hdr|pq|hlg|bt\.?709",
    "video damaged": r"pictures?.* could not be read",
    "sound damaged": (
        r"declares [0-9]+ frames|stopped early|cut off|(sound|audio).*(damaged|did not decode|silen|unreadable)"
        r"|(damaged|did not decode).*(sound|audio)"
    ),
}
"""What of a source has to be told, and by what words."""


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: its kind, and one line."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def faults(source: Measure, result: Measure, told: Sequence[str], *, ours: bool = True) -> list[Fault]:
    """What is wrong with `result`.

    Args:
        source, result: as measured, or as known.
        told: warnings, notes and what was said of the sound.
        ours: the source has our bar of numbers, flash and beep.
    """
    words = "\n".join(told)
    found = [
        *_times(source, result, _carried(words)),
        *_picture(source, result, words),
        *(_content(source, result) if ours else ()),
        *_sounds(source, result),
        *_beside(source, result),
        *_untold(source, result, words),
    ]
    return [fault for fault in found if not _excused(fault.kind, words)]


def _excused(kind: str, words: str) -> bool:
    return kind in EXCUSES and re.search(EXCUSES[kind], words, re.IGNORECASE) is not None


def _tick(measure: Measure) -> Fraction:
    """Coarsest unit that the container has for times, seconds."""
    return Fraction(1, 1000) if re.search("matroska|webm|flv|asf", measure.container) else Fraction(1, 10_000)


def _carried(words: str) -> int:
    """How many pictures are told to stand in place of ones that could not be read."""
    return sum(map(int, re.findall(r"([0-9]+) pictures? could not be read; the one before", words)))


def _times(source: Measure, result: Measure, carried: int) -> Iterator[Fault]:
    if len(source.times_s) < len(result.times_s) <= len(source.times_s) + carried:
        # plain decoding gave nothing at those times
        wrong = [min(abs(float(a - b)) for b in result.times_s) for a in source.times_s]
        if max(wrong) > float(_tick(source) + _tick(result)):
            yield Fault("times", f"some frames are off, by up to {max(wrong):.4f} s")
    elif len(source.times_s) != len(result.times_s):
        yield Fault("frames", f"{len(source.times_s)} became {len(result.times_s)}")
    else:
        wrong = times_off(source, result)
        if wrong:
            yield Fault("times", f"{len(wrong)} of {len(source.times_s)} frames, by up to {max(wrong):.4f} s")
    if abs(source.length_s - result.length_s) > (LENGTH_S if not source.seams else LENGTH_S + SEAM_S * source.seams):
        yield Fault("length", f"{source.length_s:.3f} s of picture became {result.length_s:.3f} s")
    if result.start_s > 60:
        yield Fault("start", f"the result begins at {result.start_s:.1f} s")


def times_off(source: Measure, result: Measure) -> list[float]:
    """By how much, seconds, the frames are off that are not at their times, counted from the first frame."""
    tick = float(_tick(source) + _tick(result))
    seam = float(SEAM_S * source.seams)
    first_a, first_b = source.times_s[0], result.times_s[0]
    apart = (abs(float((a - first_a) - (b - first_b))) for a, b in zip(source.times_s, result.times_s, strict=False))
    return [seconds for seconds in apart if seconds > tick + seam]


def _picture(source: Measure, result: Measure, words: str) -> Iterator[Fault]:
    if abs(result.aspect / source.aspect - 1) > ASPECT and not _rounded(source, result):
        yield Fault("aspect", f"shown as {source.aspect:.3f}, became {result.aspect:.3f}")
    yield from _colours(source.tags, result.tags)
    if not _same_look(source, result):
        pairs = zip(source.corners.round().tolist(), result.corners.round().tolist(), strict=True)
        yield Fault("look", ", ".join(f"{a} → {b}" for a, b in pairs))
    if result.interlaced and not source.interlaced:
        yield Fault("interlaced", "flagged interlaced, and is not")


def _rounded(source: Measure, result: Measure) -> bool:
    """Odd sizes become even ones: a row or column of a tiny picture is more than a hundredth of it."""
    sides = {source.width, source.height}, {result.width, result.height}
    return any(side % 2 for side in sides[0]) and all(
        any(abs(side - other) <= 1 for other in sides[1]) for side in sides[0]
    )


def _colours(source: Tags, result: Tags) -> Iterator[Fault]:
    if source.transfer in HDR:
        mapped = (result.primaries, result.transfer, result.matrix) == (1, 1, 1)
        kept = (result.primaries, result.transfer, result.matrix) == (source.primaries, source.transfer, source.matrix)
        if not mapped and not (kept and result.bits >= 10):
            yield Fault("tags", f"{HDR[source.transfer]} became {result}: neither BT.709 nor 10 bits with true tags")
        return
    if result.transfer in HDR or (result.transfer in (14, 15) and source.transfer != result.transfer):
        yield Fault("tags", f"{source} became {result}")
        return
    for name, same in SAME.items():
        was, now = getattr(source, name), getattr(result, name)
        if was not in (0, 2, 3) and same.get(was, was) != same.get(now, now):
            yield Fault("tags", f"{name} {was} became {now}")
    if source.primaries != 2 and source.full != result.full:
        yield Fault("tags", f"range {'full' if source.full else 'limited'} became the other")


def _same_look(source: Measure, result: Measure) -> bool:
    """Corners have the same colours; tone-mapped ones at least the same order of their channels."""
    if source.tags.transfer in HDR and result.tags.transfer not in HDR:
        coloured = np.ptp(source.corners, axis=1) > 90
        same = source.corners.argmax(axis=1) == result.corners.argmax(axis=1)
        return bool(same[coloured][:3].all())
    return bool(np.abs(source.corners - result.corners).max() <= CORNER)


def _content(source: Measure, result: Measure) -> Iterator[Fault]:
    if len(source.numbers) == len(result.numbers):
        wrong = sum(a != b for a, b in zip(source.numbers, result.numbers, strict=True))
        if wrong:
            yield Fault("pictures", f"{wrong} of {len(source.numbers)} are other pictures, or in another order")
    if len(source.flashes_s) != len(result.flashes_s):
        yield Fault("flash", f"{len(source.flashes_s)} became {len(result.flashes_s)}")


def _sounds(source: Measure, result: Measure) -> Iterator[Fault]:
    if len(result.sounds) < len(source.sounds):
        yield Fault("sound lost", f"{len(source.sounds)} tracks became {len(result.sounds)}")
    elif len(result.sounds) > len(source.sounds):
        yield Fault("sound", f"{len(source.sounds)} tracks became {len(result.sounds)}")
    for number, (was, now) in enumerate(zip(source.sounds, result.sounds, strict=False), 1):
        yield from _sound(number, was, now, source, result)


def sound_offset_s(was: Track, now: Track, source: Measure, result: Measure) -> float | None:
    """By how much the result's sound is later against its picture than the source's; None where nothing tells.

    Beeps tell where both have as many; else the begin of the tracks.
    """
    origins = _marks(source, result)
    if was.beeps_s and len(was.beeps_s) == len(now.beeps_s):
        late = [(b - origins[1]) - (a - origins[0]) for a, b in zip(was.beeps_s, now.beeps_s, strict=True)]
        return max(late, key=abs)
    if was.beeps_s or now.beeps_s:
        return None
    return (now.start_s - origins[1]) - (was.start_s - origins[0])


def _marks(source: Measure, result: Measure) -> tuple[float, float]:
    if source.flashes_s and result.flashes_s:
        return source.flashes_s[0], result.flashes_s[0]
    return source.start_s, result.start_s


def _sound(number: int, was: Track, now: Track, source: Measure, result: Measure) -> Iterator[Fault]:
    offset = sound_offset_s(was, now, source, result)
    allowed = SOUND_S + SEAM_S * source.seams
    if offset is None:
        yield Fault("sound", f"track {number}: {len(was.beeps_s)} beeps became {len(now.beeps_s)}")
    elif abs(offset) > allowed:
        yield Fault("sound offset", f"track {number}: {offset * 1000:+.0f} ms")
    if abs(now.length_s - was.length_s) > LENGTH_S + SEAM_S * source.seams:
        yield Fault("sound length", f"track {number}: {was.length_s:.3f} s became {now.length_s:.3f} s")
    if was.layout != now.layout:
        yield Fault("sound layout", f"track {number}: {was.layout} became {now.layout}")
    elif was.tones_hz and any(abs(a - b) > TONE_HZ for a, b in zip(was.tones_hz, now.tones_hz, strict=False)):
        yield Fault("sound channels", f"track {number}: tones {was.tones_hz} became {now.tones_hz}")
    if was.language != now.language:
        yield Fault("sound language", f"track {number}: '{was.language}' became '{now.language}'")
    if was.rate != now.rate:
        yield Fault("sound rate", f"track {number}: {was.rate} Hz became {now.rate} Hz")
    if now.damaged > was.damaged:
        yield Fault("sound damaged", f"track {number}: {now.damaged} packets of the result do not decode")


def _beside(source: Measure, result: Measure) -> Iterator[Fault]:
    texts = [_shifted(texts, source.start_s) for _language, texts in source.subtitles]
    kept = [_shifted(texts, result.start_s) for _language, texts in result.subtitles]
    if texts != kept:
        yield Fault("subtitles", f"{len(texts)} tracks became {len(kept)}: {texts} → {kept}")
    elif [language for language, _ in source.subtitles] != [language for language, _ in result.subtitles]:
        yield Fault("subtitles", "their languages differ")
    if [_chapter(c, source.start_s) for c in source.chapters] != [_chapter(c, result.start_s) for c in result.chapters]:
        yield Fault("chapters", f"{source.chapters} became {result.chapters}")
    lost = {k: v for k, v in source.metadata.items() if not _kept(k, v, result.metadata)}
    if lost:
        yield Fault("metadata", f"lost or changed: {lost}")
    for kind, count in source.extras.items():
        if result.extras.get(kind, 0) < count:
            yield Fault(kind, f"{count} became {result.extras.get(kind, 0)}")


def _shifted(texts: Sequence[tuple[float, str]], start_s: float) -> list[tuple[float, str]]:
    return [(round(time - start_s, 1), text.strip()) for time, text in texts if text.strip()]


def _chapter(chapter: tuple[float, float, str], start_s: float) -> tuple[float, str]:
    return round(chapter[0] - start_s, 1), chapter[2]


def _kept(name: str, value: str, result: dict[str, str]) -> bool:
    if name in ("creation_time", "date"):  # containers write the same moment in ways of their own
        return any(value[:10] == result.get(key, "")[:10] for key in ("creation_time", "date"))
    return result.get(name) == value


def _untold(source: Measure, result: Measure, words: str) -> Iterator[Fault]:
    facts = {
        "interlaced": source.interlaced,
        "seams": source.seams > 0,
        "hdr": source.tags.transfer in HDR and result.tags.transfer not in HDR,
        "video damaged": source.damaged > 0,
        "sound damaged": any(track.damaged for track in source.sounds),
    }
    for fact, true in facts.items():
        if true and not re.search(TELLS[fact], words, re.IGNORECASE):
            yield Fault("not told", fact)
