"""Inputs as the field has them: spliced, damaged, patched, with more in them than a picture and a sound."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from tests.faithful.beside import LANGUAGES, beside, cover, font, positions, tracks
from tests.faithful.inputs import Film, Sound, add_video, film, frame_times, make
from tests.faithful.measure import Measure, Unmeasurable, measure
from tests.faithful.picture_files import DURATIONS_S, durations, known, pictures, raw_mjpeg
from tests.faithful.recipe import HEIGHT, SECONDS, TICKS, WIDTH, Recipe

Truth = Callable[[Path], Measure]


@dataclass(frozen=True)
class Trouble:
    """One input and what is right for it.

    Args:
        name: of the kind of trouble.
        make: writes the file into a folder.
        tell: what has to be told (regular expressions; each must be found).
        refuse: it has to be refused, by one line that this finds; "" where a result is expected.
        may_refuse: refusing is right too.
        truth: what the file holds, where plain decoding would not say; takes the file.
        ours: it has our bar of numbers, flash and beep.
    """

    name: str
    make: Callable[[Path], Path]
    tell: tuple[str, ...] = ()
    refuse: str = ""
    may_refuse: bool = False
    truth: Truth = measure
    ours: bool = True


def _spliced(*parts: Recipe) -> Callable[[Path], Path]:
    """Transport streams one behind the other, as `cat` and dashcams join them."""

    def write(folder: Path) -> Path:
        files = [make(part, folder / f"part{number}") for number, part in enumerate(parts)]
        whole = folder / "spliced.ts"
        whole.write_bytes(b"".join(file.read_bytes() for file in files))
        for file in files:
            file.unlink()
        return whole

    return write


def _ts(audio: str, **rest: Any) -> Recipe:
    return Recipe("ts", audio=audio, layout="mono" if audio == "none" else "stereo", **rest)


def _wrapped(folder: Path) -> Path:
    start = Fraction(2**33, TICKS) - 1
    return film(folder / "wrapped.ts", "mpegts", Recipe("ts"), Sound("aac"), start=start)


def _patched(recipe: Recipe, *patches: tuple[bytes, bytes]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = make(recipe, folder / "patched")
        data = path.read_bytes()
        for old, new in patches:
            assert data.count(old) == 1, f"{old!r} is there {data.count(old)} times"
            data = data.replace(old, new)
        path.write_bytes(data)
        return path

    return write


def _change(recipe: Recipe, change: Callable[[list[Any]], None], kind: str) -> Callable[[Path], Path]:
    """Lets `change` edit the packets of the video or audio, in their order, before they are written."""

    def write(folder: Path) -> Path:
        def edit(under_way: Film) -> None:
            packets = [packet for _time, packet in under_way.timed if packet.stream.type == kind]
            change(packets)
            gone = {id(packet) for _time, packet in under_way.timed if packet.stream.type == kind}
            gone -= {id(packet) for packet in packets}
            kept = [packet for _time, packet in under_way.timed if id(packet) not in gone]
            under_way.timed = [(packet.dts * packet.time_base, packet) for packet in kept]

        sounds = [Sound(recipe.audio, recipe.layout)] if recipe.audio != "none" else []
        return film(
            folder / f"changed.{recipe.container}", {"mkv": "matroska"}[recipe.container], recipe, *sounds, after=edit
        )

    return write


def _same_times(packets: list[Any]) -> None:
    packets[30].pts = packets[30].dts = packets[29].pts


def _swapped(packets: list[Any]) -> None:
    """Two are stored in the wrong order: what comes first is shown later."""
    step = packets[1].dts - packets[0].dts
    for packet in packets:
        packet.dts -= step
    one, other = packets[10], packets[11]
    one.pts, other.pts = other.pts, one.pts


def _filled(byte: bytes, *numbers: int) -> Callable[[list[Any]], None]:
    def change(packets: list[Any]) -> None:
        for number in numbers:
            packets[number].update(byte * packets[number].size)

    return change


def _zeroed_in_place(recipe: Recipe, *numbers: int) -> Callable[[Path], Path]:
    """Content of some video packets is zeros in the file that was made; muxers would not take such VP9."""

    def write(folder: Path) -> Path:
        path = make(recipe, folder / "zeroed")
        _zero(path, numbers)
        return path

    return write


def _zero(path: Path, numbers: Sequence[int]) -> None:
    data = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [(packet.pos, bytes(packet)) for packet in container.demux(container.streams.video[0])]
    for position, content in (packets[number] for number in numbers):
        assert position is not None
        place = data.index(content, position)
        data = data[:place] + bytes(len(content)) + data[place + len(content) :]
    path.write_bytes(data)


def _hole(packets: list[Any]) -> None:
    del packets[len(packets) // 5 : 2 * len(packets) // 5]


def _healthy(recipe: Recipe) -> Truth:
    """What a file would hold that nothing had happened to; a damaged picture is the one before."""

    def truth(path: Path) -> Measure:
        twin = make(recipe, path.parent / "twin")
        try:
            return measure(twin)
        finally:
            twin.unlink()

    return truth


def _gap(seconds: int, duration_s: float | None = None, video: str = "h264") -> Callable[[Path], Path]:
    """A picture that stands for long, as a camera that records changes writes it; or whose clock somebody has set.

    Args:
        seconds: how long.
        duration_s: what the file says of its length, or None for the truth.
        video: codec.
    """

    def write(folder: Path) -> Path:
        under_way = Film(folder / "gap.mkv", "matroska")
        times = frame_times("vfr")
        add_video(under_way, Recipe("mkv", video, rate="vfr"), [*times, *(time + seconds for time in times)])
        path = under_way.close()
        if duration_s is not None:
            head, mark, rest = path.read_bytes().partition(b"\x44\x89\x88")  # Duration, of eight bytes (RFC 9559)
            path.write_bytes(head + mark + struct.pack(">d", 1000 * duration_s) + rest[8:])
        return path

    return write


def _late_untold(folder: Path) -> Path:
    """What is from before the clock was set is damaged."""
    path = _gap(86_400 * 365, 4.0, "mjpeg")(folder)
    _zero(path, range(len(frame_times("vfr"))))
    return path


def _twice(path: Path) -> Measure:
    """Two pieces put end to end, of a file that `_gap` made."""
    seen = measure(path)
    middle = len(seen.times_s) // 2
    offset = seen.times_s[middle] - seen.times_s[0] - SECONDS
    times = [*seen.times_s[:middle], *(time - offset for time in seen.times_s[middle:])]
    return replace(seen, times_s=tuple(times), end_s=seen.end_s - float(offset), seams=1)


def _empty_track(folder: Path) -> Path:
    def announce(under_way: Film) -> None:
        under_way.out.add_stream("aac", rate=48_000, layout="stereo")

    return film(folder / "empty.ts", "mpegts", Recipe("ts"), after=announce)


def _resized(folder: Path) -> Path:
    files = []
    for number, size in enumerate(((WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT))):
        part = Film(folder / f"part{number}.ts", "mpegts", Fraction(2 * number))
        add_video(part, Recipe("ts"), frame_times("25"), width=size[0], height=size[1])
        files.append(part.close())
    whole = folder / "resized.ts"
    whole.write_bytes(b"".join(file.read_bytes() for file in files))
    for file in files:
        file.unlink()
    return whole


def _two_pictures(suffix: str, muxer: str) -> Callable[[Path], Path]:
    """The first stream is a small grey one; the second is what a person wants to see."""

    def write(folder: Path) -> Path:
        def first(under_way: Film) -> None:
            stream = under_way.out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
            stream.disposition = Disposition(0)
            for index in range(50):
                frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 90, np.uint8), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                for packet in stream.encode(frame):
                    under_way.put(packet, packet.time_base or Fraction(1, 25), stream)
            for packet in stream.encode(None):
                under_way.put(packet, packet.time_base or Fraction(1, 25), stream)

        def second(under_way: Film) -> None:
            under_way.out.streams.video[1].disposition = Disposition.default

        return film(folder / f"two{suffix}", muxer, Recipe(), Sound("aac"), before=first, after=second)

    return write


def _cut(folder: Path) -> Path:
    path = film(folder / "cut.mp4", "mp4", Recipe(), Sound("aac"), options={"movflags": "+faststart"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.8)])
    return path


def _flipped(seed: int) -> Callable[[Path], Path]:
    """Bytes of the header are others."""

    def write(folder: Path) -> Path:
        path = film(folder / "flipped.mp4", "mp4", Recipe(), Sound("aac"), options={"movflags": "+faststart"})
        data = bytearray(path.read_bytes())
        rng = np.random.default_rng(seed)
        header = data.index(b"mdat")
        for place in rng.integers(40, header, 12):
            data[place] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(data))
        return path

    return write


def _maybe(path: Path) -> Measure:
    """What can be decoded; a file of which nothing can be has an empty truth that no result is compared with."""
    try:
        return measure(path)
    except Unmeasurable:
        return replace(known([0.0], 0.04)(path), container="broken")


_MJPEG = Recipe("mkv", video="mjpeg")
_AAC = Recipe("mkv")
_JUMP = (r"jump|discontinu|again|re-?based|spliced|join|restart|seam",)
_LOST_PICTURES = (r"[0-9]+ pictures?.*could not be read",)
_LOST_SOUND = (r"(sound|audio).*(damaged|did not decode|silen|unreadable)|(damaged|did not decode).*(sound|audio)",)
_NO_SOUND = (r"left out:.*(sound|audio)|(sound|audio).*(left out|unknown|not known|cannot)",)

TROUBLES = [
    Trouble("spliced-none", _spliced(*[_ts("none")] * 3), _JUMP),
    Trouble("spliced-aac", _spliced(*[_ts("aac")] * 3), _JUMP),
    Trouble("spliced-mp2", _spliced(*[_ts("mp2")] * 2), _JUMP),
    Trouble("spliced-ac3", _spliced(*[_ts("ac3")] * 2), _JUMP),
    Trouble("spliced-ahead", _spliced(_ts("aac"), _ts("aac", start="3600")), _JUMP),
    Trouble("spliced-sound-later", _spliced(_ts("none"), _ts("aac")), _JUMP),
    Trouble("spliced-mp2-later", _spliced(*[_ts("none")] * 2, _ts("mp2")), _JUMP),
    Trouble("spliced-sound-between", _spliced(_ts("aac"), _ts("none"), _ts("aac")), _JUMP),
    Trouble("wrapped", _wrapped),
    Trouble("gap", _gap(5400)),
    Trouble("clock-set", _gap(86_400 * 365 * 50), _JUMP, truth=_twice),
    Trouble("clock-set-untold", _gap(86_400 * 365 * 50, 4.0), refuse="clock leaps by 18250 days.*--end.*--start"),
    Trouble("clock-set-first", _late_untold, refuse="clock leaps by 365 days.*--start"),
    Trouble("unknown-sound-mp4", _patched(Recipe("mp4"), (b"mp4a", b"zzzz"), (b"esds", b"xxxx")), _NO_SOUND),
    Trouble("unknown-sound-mkv", _patched(Recipe("mkv"), (b"A_AAC", b"A_ZZZ")), _NO_SOUND),
    Trouble("unknown-picture-mp4", _patched(Recipe("mp4"), (b"avc1\0", b"zzzz\0")), refuse="codec|decod|zzzz"),
    Trouble("unknown-picture-mkv", _patched(Recipe("mkv"), (b"V_MPEG4/ISO/AVC", b"V_ZZZZZ/ISO/AVC")),
            refuse="codec|decod|ZZZ"),
    Trouble("same-times-sound", _change(_AAC, _same_times, "audio"), (r"(sound|audio).*time|time.*(sound|audio)",)),
    Trouble("swapped-times", _change(_MJPEG, _swapped, "video")),
    Trouble("damaged-mjpeg", _change(_MJPEG, _filled(b"\0", 20, 21, 35), "video"), _LOST_PICTURES,
            truth=_healthy(_MJPEG), ours=False),
    Trouble("damaged-first", _change(_MJPEG, _filled(b"\0", 0, 1), "video"), _LOST_PICTURES, ours=False),
    *[Trouble(f"damaged-{codec}", _zeroed_in_place(Recipe("mkv", codec), 20, 21, 35), _LOST_PICTURES,
              truth=_healthy(Recipe("mkv", codec)), ours=False)
      for codec in ("h264", "h264b", "hevc", "mpeg2", "mpeg4", "vp8", "vp9", "av1")],
    Trouble("damaged-aac", _change(_AAC, _filled(b"\0", 10, 11, 12, 70), "audio"), _LOST_SOUND, truth=_healthy(_AAC)),
    Trouble("damaged-vorbis", _change(Recipe("mkv", audio="vorbis"), _filled(b"\xff", 10, 11), "audio"), _LOST_SOUND,
            truth=_healthy(Recipe("mkv", audio="vorbis"))),
    Trouble("hole-aac", _change(_AAC, _hole, "audio")),
    Trouble("hole-pcm", _change(Recipe("mkv", audio="pcm"), _hole, "audio")),
    Trouble("hole-vorbis", _change(Recipe("mkv", audio="vorbis"), _hole, "audio")),
    Trouble("empty-track", _empty_track,
            (r"(sound|audio).*(left out|empty|no packet|holds nothing)|left out:.*(sound|audio)",)),
    Trouble("size-midway", _resized, (r"size|scaled",)),
    Trouble("durations-gif", pictures(".gif", "gif", "rgb8", DURATIONS_S, 100), truth=durations),
    Trouble("durations-apng", pictures(".apng", "apng", "rgb24", DURATIONS_S, 1000), truth=durations),
    Trouble("animated-webp", pictures(".webp", "libwebp_anim", "yuv420p", [0.5, 1.0, 0.25], 1000),
            truth=known([0, 0.5, 1.5], 2.25)),  # the encoder writes the mean of those before for the last one
    Trouble("raw-mjpeg", raw_mjpeg, truth=known([k / 25 for k in range(25)], 1.0)),
    Trouble("two-pictures-ts", _two_pictures(".ts", "mpegts")),
    Trouble("two-pictures-mp4", _two_pictures(".mp4", "mp4")),
    Trouble("beside-mp4", beside(".mp4", "mp4", "mov_text")),
    Trouble("beside-mkv", beside(".mkv", "matroska", "subrip", cover, font)),
    Trouble("data-ts", lambda folder: film(folder / "data.ts", "mpegts", Recipe("ts"), Sound("aac"), after=positions)),
    Trouble("languages-mkv", tracks(".mkv", "matroska", *LANGUAGES)),
    Trouble("languages-mp4", tracks(".mp4", "mp4", *LANGUAGES)),
    Trouble("languages-ts", tracks(".ts", "mpegts", Sound("mp2", "stereo", "deu"), Sound("dts", "stereo", "eng"))),
    Trouble("late-sound-mp4", tracks(".mp4", "mp4", Sound("aac", start_s=0.6))),
    Trouble("late-sound-mkv", tracks(".mkv", "matroska", Sound("vorbis", start_s=0.6))),
    Trouble("late-picture-mp4", tracks(".mp4", "mp4", Sound("aac"), late_s=0.5)),
    Trouble("late-picture-mkv", tracks(".mkv", "matroska", Sound("pcm"), late_s=0.5)),
    Trouble("long-sound", tracks(".mkv", "matroska", Sound("opus", seconds=3.5))),
    Trouble("short-sound", tracks(".mp4", "mp4", Sound("aac", seconds=1.3))),
    Trouble("cut", _cut, (r"[0-9]+ frames|stopped early|cut off",)),
    *[Trouble(f"flipped-header-{seed}", _flipped(seed), may_refuse=True, truth=_maybe, ours=False)
      for seed in range(4)],
]  # fmt: skip
