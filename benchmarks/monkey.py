"""Random keys and mouse at the real window for ten minutes: whether it lives, answers, and keeps its memory.

    Xvfb :42 -screen 0 1400x900x24 & DISPLAY=:42 openbox &
    DISPLAY=:42 python -m benchmarks.monkey [VIDEO…] [--minutes 10] [--seed 1]

All that it does follows from the seed; what comes of it also from the machine. It pings the window as a window manager
does (_NET_WM_PING) four times a second: an answer that takes more than 5 s counts as missed, as GNOME's "is not
responding" does. Memory is what the process holds alone (RssAnon, without files that it maps), every 2 s.

What it holds depends on what is open. So at the start, after each minute (--rest-every) and at the end the monkey comes
to one and the same state (`monkey_rest.py`), and the memory there is told apart: what grows there, stays. That takes
half a minute each time, which does not count as acting.

The monkey reaches file dialogs. So it runs in a home of its own, as nobody where it is started by root; anybody else
has to say --as-me.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from benchmarks.monkey_rest import LIST, AtRest, Rest, slope
from benchmarks.x_display import Display

KEYS = (
    "space", "k", "j", "l", "Left", "Right", "comma", "period", "Home", "End", "0", "3", "5", "9", "n", "Shift_L+n",
    "bracketleft", "bracketright", "Shift_L+l", "a", "b", "Shift_L+a", "Next", "Prior", "m", "Shift_L+Up", "Shift_L+g",
    "t", "o", "Shift_L+o", "y", "c", "e", "v", "i", "w", "q", "z", "x", "g", "p", "f", "F11", "F1", "plus", "minus",
    "Up", "Down", "s", "d", "r", "Control_L+0", "Control_L+1", "Control_L+z", "Control_L+c",
    "Control_L+e", "Control_L+Shift_L+e", "Control_L+l", "Control_L+f", "Control_L+p", "Control_L+comma", "Control_L+o",
    "Alt_L+1", "Alt_L+2", "Tab", "Shift_L+Tab", "Return", "Escape",
)  # fmt: skip
"""All but those that end the program or put another source in the place of the playlist."""
_EVERY_S = 0.06
_PING_S, _MISSED_S = 0.25, 5.0
_SAMPLE_S = 2.0
_NOBODY = 65534
_AS_NOBODY = (
    "setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
)  # fmt: skip
"""It reads everything, as root does whose Python this may be, and writes nothing that is not its own."""
_DEMO = Path(__file__).parents[1] / "assets" / "demo" / "street.mp4"


class Viewer:
    """The program with a home of its own.

    Args:
        folder: for its home.
        videos: its playlist.
        display: where its window opens.
    """

    def __init__(self, folder: Path, videos: list[Path], display: str) -> None:
        for name in ("config", "cache", "data", "Videos", "Pictures", "run"):
            (folder / name).mkdir(exist_ok=True)
        (folder / "config" / "user-dirs.dirs").write_text(
            f'XDG_VIDEOS_DIR="{folder}/Videos"\nXDG_PICTURES_DIR="{folder}/Pictures"\n', encoding="utf-8"
        )
        (folder / LIST).write_text("".join(f"{path}\n" for path in videos), encoding="utf-8")
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY)
        self._folder, self._videos, self._display = folder, videos, display
        environment = {
            **os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "HOME": str(folder), "LANGUAGE": "en",
            "XDG_CONFIG_HOME": f"{folder}/config", "XDG_CACHE_HOME": f"{folder}/cache",
            "XDG_DATA_HOME": f"{folder}/data", "XDG_RUNTIME_DIR": f"{folder}/run",
        }  # fmt: skip
        self.log = folder / "log.txt"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [
                    *(_AS_NOBODY if os.geteuid() == 0 else ()),
                    *(sys.executable, "-X", "faulthandler", "-m", "seg_viewer", "view", *map(str, videos)),
                ],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def home(self) -> Path:
        return self._folder

    def again(self) -> Viewer:
        """Another one, in the same home."""
        return Viewer(self._folder, self._videos, self._display)

    def memory_mb(self) -> float:
        """What it holds alone."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1024
        return 0.0

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Monkey:
    """What is done at random.

    Args:
        display: where.
        rng: what decides.
    """

    def __init__(self, display: Display, rng: random.Random) -> None:
        self._display, self._rng = display, rng

    def act(self, windows: Sequence[int]) -> None:
        """One thing, to the newest window or to the oldest."""
        doings: tuple[tuple[float, Callable[[int], None]], ...] = (
            (10, self._key), (3, self._escape), (4, self._click), (3, self._drag), (3, self._wheel), (3, self._move),
            (0.3, self._resize), (0.3, self._right_click),
        )  # fmt: skip
        (do,) = self._rng.choices([do for _, do in doings], [weight for weight, _ in doings])
        do(self._rng.choice((windows[0], windows[-1])))

    def _somewhere(self, window: int) -> tuple[int, int]:
        left, top, width, height = self._display.place(window)
        while True:
            x, y = self._rng.randrange(max(1, width)), self._rng.randrange(max(1, height))
            if x > 60 or y > 40 or height <= 41 or width <= 61:  # not the menu that has Quit
                return left + x, top + y

    def _key(self, _window: int) -> None:
        self._display.press(self._rng.choice(KEYS))

    def _escape(self, _window: int) -> None:
        self._display.press("Escape")

    def _move(self, window: int) -> None:
        self._display.move(*self._somewhere(window))

    def _click(self, window: int) -> None:
        self._move(window)
        self._display.click()

    def _right_click(self, window: int) -> None:
        self._move(window)
        self._display.click(3)

    def _drag(self, window: int) -> None:
        self._move(window)
        self._display.button(1, True)
        for _ in range(self._rng.randrange(1, 6)):
            time.sleep(0.01)
            self._move(window)
        self._display.button(1, False)

    def _wheel(self, window: int) -> None:
        self._move(window)
        for _ in range(self._rng.randrange(1, 5)):
            self._display.click(self._rng.choice((4, 5)))

    def _resize(self, window: int) -> None:
        self._display.resize(window, 10, 30, self._rng.randrange(720, 1380), self._rng.randrange(460, 860))


class Pings:
    """Pings of one window and how long their answers took.

    Args:
        display: where.
    """

    def __init__(self, display: Display) -> None:
        self._display = display
        self._sent: dict[int, float] = {}
        self._number = 0
        self._next_s = 0.0
        self.waits: list[float] = []
        self.missed = 0

    def begin_again(self) -> None:
        """The window is another one; what the one before has not answered does not count."""
        self._sent.clear()

    def look(self, window: int) -> None:
        """Note answers, and ping again when it is time."""
        now_s = time.perf_counter()
        for number in self._display.answers():
            if number in self._sent:
                self.waits.append(now_s - self._sent.pop(number))
        for number, sent_s in list(self._sent.items()):
            if now_s - sent_s > _MISSED_S:
                del self._sent[number]
                self.missed += 1
        if now_s >= self._next_s:
            self._next_s = now_s + _PING_S
            self._number += 1
            self._sent[self._number] = now_s
            self._display.ping(window, self._number)


def _first_window(display: Display, viewer: Viewer, seconds: float = 60.0) -> int:
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        if windows := display.windows(viewer.process.pid):
            return windows[0]
        if viewer.process.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"no window came; is a window manager running?\n{viewer.log.read_text()[-2000:]}")


@dataclass
class Told:
    """What happened.

    Args:
        ended: exit codes of programs that ended by themselves.
        at_rest: memory in one and the same state.
        memory: seconds of acting, MB.
    """

    ended: list[int] = field(default_factory=list)
    at_rest: list[AtRest] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


def run(
    display: Display, viewer: Viewer, monkey: Monkey, pings: Pings, minutes: float, rest_every: float, told: Told
) -> Viewer:
    """Let it act. Returns the program that runs at the end: where one ends, another is begun."""
    window = _first_window(display, viewer)
    click.echo(f"the window says that it answers pings: {display.answers_pings(window)}")
    rest = Rest(display, lambda: pings.look(window))
    acted_s = next_sample_s = next_rest_s = 0.0
    while acted_s < 60 * minutes:
        if (code := viewer.process.poll()) is not None:
            told.ended.append(code)
            click.echo(f"{acted_s:5.0f} s: it ended with {code}\n{viewer.log.read_text()[-1500:]}")
            viewer = viewer.again()
            window = _first_window(display, viewer)
            pings.begin_again()
        if acted_s >= next_rest_s:
            _come_to_rest(rest, viewer, acted_s, told)
            next_rest_s += 60 * rest_every
        began_s = time.perf_counter()
        monkey.act(display.windows(viewer.process.pid) or [window])
        pings.look(window)
        if acted_s >= next_sample_s and viewer.process.poll() is None:
            told.memory.append((acted_s, viewer.memory_mb()))
            next_sample_s = acted_s + _SAMPLE_S
            if len(told.memory) % 15 == 0:
                worst_ms = 1000 * max(pings.waits, default=0.0)
                click.echo(f"{acted_s:5.0f} s  {told.memory[-1][1]:6.0f} MB  worst ping {worst_ms:.0f} ms")
        time.sleep(_EVERY_S)
        acted_s += time.perf_counter() - began_s
    if viewer.process.poll() is None:
        _come_to_rest(rest, viewer, acted_s, told)
    return viewer


def _come_to_rest(rest: Rest, viewer: Viewer, acted_s: float, told: Told) -> None:
    try:
        seen = rest.come(viewer, acted_s)
    except FileNotFoundError:  # of /proc: it has ended, which the loop tells
        return
    told.at_rest.append(seen)
    click.echo(f"{acted_s:5.0f} s  {seen.mb:6.0f} MB at rest{f' ({seen.fault})' if seen.fault else ''}")


@click.command(help=__doc__)
@click.argument("videos", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--minutes", default=10.0)
@click.option("--warm-up", default=2.0, help="Minutes before memory has to be flat.")
@click.option("--rest-every", default=1.0, help="Minutes of acting after which it comes to rest.")
@click.option("--seed", default=1)
@click.option("--as-me", is_flag=True, help="Run as the present user, whatever file dialogs can do.")
@click.option("--samples", type=click.Path(path_type=Path), help="Write seconds and MB of all samples here.")
def main(
    videos: tuple[Path, ...],
    minutes: float,
    warm_up: float,
    rest_every: float,
    seed: int,
    as_me: bool,
    samples: Path | None,
) -> None:
    if os.geteuid() != 0 and not as_me:
        raise SystemExit("the monkey may delete your files in a file dialog: run it in a container, or say --as-me")
    name = os.environ.get("DISPLAY", "")
    display = Display(name)
    told, pings = Told(), Pings(display)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        folder.chmod(0o755)
        copies = [Path(shutil.copy(path, folder / path.name)) for path in videos or (_DEMO,)]
        viewer = Viewer(folder, copies, name)
        try:
            viewer = run(display, viewer, Monkey(display, random.Random(seed)), pings, minutes, rest_every, told)
        finally:
            viewer.close()
        log = viewer.log.read_text()
    if samples:
        samples.write_text("".join(f"{at_s:.1f} {mb:.1f}\n" for at_s, mb in told.memory))
    _tell(pings, told, warm_up, log)


def _tell(pings: Pings, told: Told, warm_up: float, log: str) -> None:
    waits = sorted(1000 * wait_s for wait_s in pings.waits) or [0.0]
    click.echo(
        f"pings: {len(waits)} answered, {pings.missed} missed; median {statistics.median(waits):.1f}, "
        f"99 % {waits[int(0.99 * (len(waits) - 1))]:.0f}, worst {waits[-1]:.0f} ms"
    )
    crashes = [code for code in told.ended if code != 0]
    click.echo(f"ended {len(told.ended)} times, of these {len(crashes)} by a crash; its log: {log.strip() or 'empty'}")
    warm = [mb for at_s, mb in told.memory if at_s >= 60 * warm_up]
    third = max(1, len(warm) // 3)
    if warm:
        early, late = statistics.median(warm[:third]), statistics.median(warm[-third:])
        click.echo(
            f"memory after {warm_up:g} minutes: first third {early:.0f} MB, last third {late:.0f} MB "
            f"({100 * (late / early - 1):+.0f} %), most {max(warm):.0f} MB"
        )
    _tell_rest(told.at_rest)
    if crashes or pings.missed:
        raise SystemExit(1)


def _tell_rest(seen: Sequence[AtRest]) -> None:
    """Where something was not as it should be, the memory says nothing of what stays."""
    right = [each for each in seen if not each.fault]
    if right:
        first, last = right[0].mb, right[-1].mb
        click.echo(
            f"memory at rest: first {first:.0f} MB, last {last:.0f} MB ({100 * (last / first - 1):+.0f} %), "
            f"{slope(right):+.1f} MB a minute; {len(right)} of {len(seen)} times everything was as at the start"
        )


if __name__ == "__main__":
    main()
