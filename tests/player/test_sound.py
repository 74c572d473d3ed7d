"""Sound in the window: the beep is heard when the flash is due, whatever a person does; in virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.media.sound_reader import PlayedSound
from seg_viewer.pipeline.clock import MediaClock
from seg_viewer.player.sound import AHEAD_S, Sound
from seg_viewer.player.sound_device import AudioDevice, PortAudioDevice, SoundError
from seg_viewer.sources.video_file import VideoFile
from tests.media.beeps import FLASH_S, make_beep
from tests.player.loudspeaker import BLOCK, Loudspeaker
from tests.waiting import wait_until

IN_STEP_S = 0.04


class Film:
    """A clock as the pipeline's, in the virtual time of a loudspeaker."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        self._clock = MediaClock(1.0, lambda: loudspeaker.now_s)
        self._loudspeaker = loudspeaker
        self.wished_s = 0.0
        self._runs: list[tuple[float, float, float]] = []  # since when, at which media time, how fast

    @property
    def clock_now_s(self) -> float | None:
        return self._clock.now()

    @property
    def speed(self) -> float:
        return self._clock.speed

    @speed.setter
    def speed(self, value: float) -> None:
        now_s = self._clock.now()
        self._clock.speed = value
        if now_s is not None:
            self.start(now_s)

    def start(self, media_s: float) -> None:
        self._clock.start(media_s)
        self._runs.append((self._loudspeaker.now_s, media_s, self.speed))

    def stop(self) -> None:
        self.wished_s = self._clock.now() or self.wished_s
        self._clock.stop()

    def time_at(self, heard_s: float) -> float:
        """Media time that was due at a virtual time."""
        since_s, media_s, speed = [run for run in self._runs if run[0] <= heard_s][-1]
        return media_s + (heard_s - since_s) * speed


class Room:
    """Film, loudspeaker and sound."""

    def __init__(self, loudspeaker: Loudspeaker, open_device: Callable[[bool], AudioDevice] | None = None) -> None:
        self.loudspeaker = loudspeaker
        self.film = Film(loudspeaker)
        self.lost: list[str] = []
        self.opened = 0
        self.sound = Sound(self.film, open_device or self._open)
        self.sound.on_lost = self.lost.append

    def _open(self, again: bool) -> AudioDevice:
        self.opened += 1
        if again:
            self.loudspeaker._terminate()
            self.loudspeaker._initialize()
        return PortAudioDevice(self.loudspeaker)

    def play(self, seconds: float, from_s: float | None = None) -> None:
        """Let so much virtual time pass; with a time, the film starts there."""
        if from_s is not None:
            self.wait_ready(from_s)
            self.film.start(from_s)
        for _ in range(round(seconds * self.loudspeaker.rate / BLOCK)):
            now_s = self.film.clock_now_s
            if now_s is not None and 0.5 <= self.film.speed <= 2:
                self.wait_ready(now_s)
            self.loudspeaker.play()

    def wait_ready(self, time_s: float) -> None:
        """Decoding takes real time, of which virtual time knows nothing."""
        self.film.wished_s = time_s
        wait_until(lambda: self.loudspeaker.stream is not None, "the device")
        wait_until(lambda: self.sound.is_ready(max(0.0, time_s), 0.3), f"sound at {time_s:.2f} s")

    def beeps(self) -> list[float]:
        """Media times that were due when a beep was heard."""
        return [self.film.time_at(at_s) for at_s in self.loudspeaker.onsets()]


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room(Loudspeaker())
    yield room
    assert room.sound.close(), "its thread ends"
    assert room.loudspeaker.stream is None, "the device is closed"


def flash_s(path: Path) -> float:
    """When the flash is due, as the pipeline has it."""
    source = VideoFile(path)
    try:
        return next(frame.time_s for frame in source if frame.picture.rgb().mean() > 128)
    finally:
        source.close()


# starts that both 25 pictures a second and 48 kHz can say
CASES = [
    (".mp4", "aac", 0.0), (".mp4", "aac", 0.72), (".mp4", "aac", 3600.0), (".mkv", "aac", 5.0),
    (".webm", "libopus", 0.72), (".ts", "mp2", 0.0), (".ts", "mp2", 3600.0), (".avi", "libmp3lame", 0.0),
    (".flv", "libmp3lame", 5.0), (".mov", "pcm_s16le", 3600.0),
]  # fmt: skip
PACED = [(*case, speed) for case in (CASES[1], CASES[3], CASES[6], CASES[9]) for speed in (0.5, 2.0)]


@pytest.mark.parametrize(("suffix", "codec", "start_s", "speed"), [*((*case, 1.0) for case in CASES), *PACED])
def test_beep_and_flash_come_together(
    tmp_path: Path, room: Room, suffix: str, codec: str, start_s: float, speed: float
):
    clip = make_beep(tmp_path / f"clip{suffix}", codec, start_s=start_s, lead_s=8)
    flash = flash_s(clip)
    assert flash == pytest.approx(8 + FLASH_S, abs=0.1)
    room.film.speed = speed
    room.sound.open(clip)
    room.play(0.3, from_s=0.0)  # from the start, …
    room.film.stop()
    room.play(1.5 / speed, from_s=7.6)  # … after a jump on, …
    room.film.stop()
    room.play(0.2, from_s=3.0)
    room.film.stop()
    room.play(1.0 / speed, from_s=8.2)  # … and after one back and on
    heard = room.beeps()
    assert len(heard) == 2
    assert [round(at_s - flash, 3) for at_s in heard] == pytest.approx([0, 0], abs=IN_STEP_S)


def test_it_goes_silent_and_on_with_the_film(tmp_path: Path, room: Room):
    room.loudspeaker.delay_s = 0.02
    clip = make_beep(tmp_path / "clip.mp4", "aac")
    room.sound.open(clip)
    room.play(FLASH_S + 0.05, from_s=0.0)  # half of the beep
    room.film.stop()
    before = len(room.loudspeaker.heard)
    for _ in range(100):
        room.loudspeaker.play()
    assert all(not block.any() for _s, block in room.loudspeaker.heard[before + 1 :]), "it stands still: silence"
    room.play(0.5, from_s=room.film.wished_s)
    assert len(room.beeps()) == 2, "the other half follows"
    # 0.6 × 2π × 1000 Hz ÷ 48 kHz = 0.08 is the steepest that this tone is; a click would be many times that
    assert room.loudspeaker.largest_step() < 0.12


def test_a_part_that_is_repeated_beeps_each_time(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mkv", "aac")
    room.sound.open(clip)
    for _ in range(3):
        room.play(0.5, from_s=0.3)
        room.film.stop()
    assert [round(at_s - FLASH_S, 3) for at_s in room.beeps()] == pytest.approx([0, 0, 0], abs=IN_STEP_S)


@pytest.mark.parametrize("drift", [0.002, -0.002])
def test_a_device_with_another_clock_stays_in_step_without_clicks(tmp_path: Path, drift: float):
    room = Room(Loudspeaker(rate=44_100, channels=1, drift=drift))
    clip = make_beep(tmp_path / "clip.mp4", "aac", lead_s=25)  # left alone, it would be 50 ms beside after so long
    try:
        room.sound.open(clip)
        room.play(26.0, from_s=0.0)
        assert room.beeps() == pytest.approx([25 + FLASH_S], abs=IN_STEP_S)
        assert room.loudspeaker.largest_step() < 0.12
    finally:
        assert room.sound.close()


def test_it_waits_for_pictures_that_a_slow_engine_makes_late(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mp4", "aac", lead_s=3)
    room.sound.open(clip)
    room.play(0.1, from_s=0.0)
    late_s = 0.15
    for _ in range(20):
        room.sound.saw((room.film.clock_now_s or 0.0) - late_s)
        room.play(0.1)
    room.play(2.0)
    assert room.beeps() == pytest.approx([3 + FLASH_S + late_s], abs=IN_STEP_S)


def test_a_film_that_begins_late_is_waited_for(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mp4", "aac")
    late_s = 0.2
    room.sound.open(clip)
    room.wait_ready(0.0)
    room.film.start(0.0)
    for _ in range(20):
        room.sound.saw((room.film.clock_now_s or 0.0) - late_s)
    opened = room.opened
    room.play(1.2)
    assert room.beeps() == pytest.approx([FLASH_S + late_s], abs=IN_STEP_S)
    assert room.opened == opened == 1


def test_dragging_along_the_time_line_decodes_nothing(tmp_path: Path, room: Room, monkeypatch: pytest.MonkeyPatch):
    begun: list[float] = []
    blocks = PlayedSound.blocks

    def counted(self: PlayedSound, start_s: float, speed: float = 1.0):  # type: ignore[no-untyped-def]
        begun.append(start_s)
        return blocks(self, start_s, speed)

    monkeypatch.setattr(PlayedSound, "blocks", counted)
    room.sound.open(make_beep(tmp_path / "clip.mp4", "aac", lead_s=40))
    room.wait_ready(0.0)
    begun.clear()
    since_s = time.perf_counter()
    for place in range(100):
        room.film.wished_s = 3 + 0.37 * place
        time.sleep(0.002)
    room.wait_ready(room.film.wished_s)
    assert len(begun) <= 2 + (time.perf_counter() - since_s) / 0.1, "at most where it stayed for a tenth of a second"


def test_speeds_that_nobody_could_follow_are_silent(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mp4", "aac", lead_s=4)
    room.sound.open(clip)
    room.play(0.2, from_s=0.0)
    for speed in (4.0, 0.25):
        room.film.stop()
        room.film.speed = speed
        room.film.start(4.0)
        for _ in range(round(0.8 / speed * room.loudspeaker.rate / BLOCK)):
            room.loudspeaker.play()
    assert room.beeps() == []
    room.film.stop()
    room.film.speed = 1.0
    room.play(0.8, from_s=4.0)
    assert room.beeps() == pytest.approx([4 + FLASH_S], abs=IN_STEP_S)


def test_volume_and_mute(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mp4", "aac")
    room.sound.open(clip)
    peaks = []
    for volume in (1.0, 0.5, 0.0):
        room.sound.volume = volume
        room.loudspeaker.heard.clear()
        room.play(0.8, from_s=0.0)
        room.film.stop()
        peaks.append(max(float(np.abs(block).max()) for _s, block in room.loudspeaker.heard))
    assert peaks == pytest.approx([peaks[0], peaks[0] / 4, 0.0], rel=0.05, abs=1e-3)
    room.sound.volume, room.sound.muted = 1.0, True
    wait_until(lambda: room.loudspeaker.stream is None, "muted, the device to be free for others")
    room.sound.muted = False
    room.loudspeaker.heard.clear()
    room.play(0.8, from_s=0.0)
    assert room.beeps() == pytest.approx([FLASH_S], abs=IN_STEP_S)


def two_tracks(path: Path) -> Path:
    """A picture and two tracks: 500 Hz in German, and 2000 Hz in English, which the file marks as default."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        tracks = []
        for hertz, language in ((500, "deu"), (2000, "eng")):
            stream = out.add_stream("flac", rate=48_000)
            stream.layout = "mono"
            stream.metadata["language"] = language
            tracks.append((stream, hertz))
        tracks[0][0].disposition = av.stream.Disposition(0)
        tracks[1][0].disposition = av.stream.Disposition.default
        for _ in range(10):
            out.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        out.mux(video.encode(None))
        for stream, hertz in tracks:
            wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(48_000) / 48_000)
            frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
            for ready in av.AudioResampler("s16", "mono", 48_000, frame_size=4608).resample(frame):
                out.mux(stream.encode(ready))
            out.mux(stream.encode(None))
    return path


def pitch(room: Room) -> int:
    wave = np.concatenate([block for _s, block in room.loudspeaker.heard])[:, 0]
    return round(float(np.abs(np.fft.rfft(wave)).argmax()) * room.loudspeaker.rate / len(wave), -1)


def test_the_default_track_plays_until_another_is_chosen(tmp_path: Path, room: Room):
    room.sound.open(two_tracks(tmp_path / "two.mkv"))
    room.play(0.5, from_s=0.0)
    room.film.stop()
    assert [track.name for track in room.sound.tracks] == ["1: flac mono, deu", "2: flac mono, eng"]
    assert pitch(room) == 2000
    room.loudspeaker.heard.clear()
    stream = room.loudspeaker.stream
    room.sound.choose(room.sound.tracks[0].index)
    wait_until(lambda: room.sound.track == room.sound.tracks[0].index, "the other track")
    room.loudspeaker.now_s += 1
    room.play(0.5, from_s=0.0)
    assert pitch(room) == 500
    assert room.loudspeaker.stream is stream, "the device is not opened again for that"


def test_a_device_that_breaks_off_is_replaced_by_what_is_there(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mp4", "aac", lead_s=1)
    room.sound.open(clip)
    room.play(0.1, from_s=0.0)
    first = room.loudspeaker.stream
    room.loudspeaker.unplug()
    wait_until(lambda: room.loudspeaker.stream not in (first, None), "another device")
    room.play(1.6)
    assert room.beeps() == pytest.approx([1 + FLASH_S], abs=IN_STEP_S)
    assert room.loudspeaker.looked == 1, "for what is plugged in now"
    assert room.lost == []


def test_where_no_device_is_left_that_is_told_once(tmp_path: Path, room: Room):
    clip = make_beep(tmp_path / "clip.mp4", "aac")
    room.sound.open(clip)
    room.play(0.1, from_s=0.0)
    room.loudspeaker.channels = 0
    room.loudspeaker.unplug()
    wait_until(lambda: room.lost, "the line")
    assert room.lost == [
        "No more sound: the system has no sound device (PortAudio: Error querying device -1); the film plays on without"
    ]
    assert room.film.clock_now_s is not None
    room.film.stop()
    room.loudspeaker.channels = 2
    room.sound.look_again()
    room.play(0.8, from_s=0.0)
    assert room.beeps() == pytest.approx([FLASH_S], abs=IN_STEP_S)
    assert len(room.lost) == 1
    assert room.sound.problem is None


def test_a_device_that_does_not_get_sound_in_time_is_asked_to_ask_earlier(tmp_path: Path, room: Room):
    room.sound.open(make_beep(tmp_path / "clip.mp4", "aac", lead_s=1))
    asked: list[float] = []
    for starved in (False, True, True):
        room.play(0.1, from_s=0.0)
        stream = room.loudspeaker.stream
        assert stream is not None
        asked.append(stream.asked_s)
        room.loudspeaker.starved = starved
        for _ in range(3):
            room.loudspeaker.play()
        room.loudspeaker.starved = False
        if starved:
            wait_until(lambda before=stream: room.loudspeaker.stream not in (before, None), "another stream")
        room.film.stop()
    assert asked == sorted(asked)
    assert asked[0] == asked[1] < asked[2]


def refused(_again: bool) -> AudioDevice:
    raise SoundError("nothing plays here")


@pytest.mark.parametrize("loudspeaker", [Loudspeaker(channels=0), Loudspeaker(), None], ids=["none", "busy", "refused"])
def test_without_a_device_it_is_silent_and_says_why(tmp_path: Path, loudspeaker: Loudspeaker | None):
    if loudspeaker is not None and loudspeaker.channels:
        loudspeaker.refuses = "Device unavailable"
    room = Room(loudspeaker or Loudspeaker(), refused if loudspeaker is None else None)
    try:
        room.sound.open(make_beep(tmp_path / "clip.mp4", "aac"))
        wait_until(lambda: room.sound.problem, "the reason")
        assert room.sound.problem in (
            "the system has no sound device (PortAudio: Error querying device -1)", "nothing plays here",
            "loud cannot be opened: Device unavailable",
        )  # fmt: skip
        assert room.lost == [], "nobody is nagged"
    finally:
        assert room.sound.close()


def test_files_without_sound_open_no_device(tmp_path: Path, room: Room):
    room.sound.open(make_beep(tmp_path / "beep.mp4", "aac"))
    room.play(0.1, from_s=0.0)
    room.sound.open(make_beep(tmp_path / "mute.mp4"))
    wait_until(lambda: room.loudspeaker.stream is None, "the device to be closed")
    assert room.sound.tracks == ()
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    room.sound.open(tmp_path / "no.mp4")
    wait_until(lambda: room.sound.problem, "the reason")
    assert "the sound of no.mp4 cannot be read" in str(room.sound.problem)


def test_no_more_is_decoded_than_is_needed_soon(tmp_path: Path, room: Room):
    room.sound.open(make_beep(tmp_path / "clip.mp4", "aac", lead_s=20))
    room.play(3.0, from_s=0.0)
    room.film.stop()
    now_s = room.film.wished_s
    wait_until(lambda: room.sound.is_ready(now_s, AHEAD_S - 0.1), "what comes next")
    assert not room.sound.is_ready(now_s, AHEAD_S + 0.6)
