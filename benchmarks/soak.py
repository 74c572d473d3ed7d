"""Hours of a bad network: RTSP through a proxy that loses, delays, stalls, cuts and resets, and a server that restarts.

Both recordings run all the time. Memory, threads, descriptors and ages are noted; at the end every file is decoded, the
pictures are counted, and one line says whether all of it held. With `--every 12`, 25 minutes hold as many faults as a
day with one every quarter of an hour.

python -m benchmarks.soak [--minutes 25] [--every 12] [--png soak.png] [--csv soak.csv] [--seed 1] [--rate 15]
"""

from __future__ import annotations

import csv
import random
import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
import psutil

from seg_viewer.core.frame import Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat
from seg_viewer.pipeline import BUSY_RECORDER, Pipeline, Policy
from seg_viewer.sources import NetworkStream
from seg_viewer.sources.address import parse_address
from tests.servers.fault_proxy import FaultProxy
from tests.servers.rtsp import RtspServer, why_not

TIMEOUT_S = 3
_SAMPLE_S = 2.0
_SIZES = ("320x192", "480x272", "640x384")
_WITHIN = 0.05
_BACK_S = 30.0
"""A fault after whose end no picture comes within this time has not been got over."""


@dataclass
class Fault:
    """One kind of fault: how it begins and ends, and what was seen of it."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]
    share: float = 0.5
    """Of the time from one fault to the next that it lasts."""
    back_s: list[float] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    shown: list[float] = field(default_factory=list)
    """Pictures a second while it lasted."""


def faults(proxy: FaultProxy, server: RtspServer, chance: random.Random) -> list[Fault]:
    """Each kind, in the order of how bad it is."""

    def lose(share: float) -> None:
        proxy.loss = share

    def shake(seconds: float) -> None:
        proxy.jitter_s = seconds

    def restart(**changes: object) -> None:
        server.start(**changes)
        proxy.target = int(server.port)

    def nothing() -> None: ...

    none, stall, go_on = nothing, proxy.stalled.set, proxy.stalled.clear
    return [
        *(
            Fault(f"{share:.0%} of packets lost", lambda share=share: lose(share), lambda: lose(0.0))
            for share in (0.01, 0.05, 0.2)
        ),
        Fault("jitter up to 200 ms", lambda: shake(0.2), lambda: shake(0.0)),
        Fault("stalls for 2 s", stall, go_on, share=2.0),
        Fault("reset", proxy.reset, none, share=0.0),
        Fault("half-open", stall, go_on),
        Fault("stops in the middle of a packet", proxy.stop_in_the_middle, go_on),
        Fault("server restarts", server.kill, restart, share=0.25),
        Fault("another size", server.kill, lambda: restart(size=chance.choice(_SIZES)), share=0.1),
    ]


class Soak:
    """What runs, and what is noted of it."""

    def __init__(self, source: NetworkStream, ledger: Ledger) -> None:
        self.source, self.ledger = source, ledger
        self.rows: list[dict[str, float | str]] = []
        self.shown = self.arrived = 0
        self.ages: list[float] = []
        self.oldest = (0.0, "")
        """The largest age without a fault, and where the time went."""
        self._noted_s: float | None = None
        self.ended = threading.Event()
        self.fault = ""
        self._process = psutil.Process()
        self._start_s = time.perf_counter()

    def painted(self, shot: Shot) -> None:
        """Takes down how old a picture is that was painted now."""
        if self.fault or shot.frame.arrived_s is None:
            return
        now_s = time.perf_counter()
        age_s = now_s - shot.frame.arrived_s
        self.ages.append(age_s)
        if age_s > self.oldest[0]:
            stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in shot.times_s.items())
            self.oldest = age_s, f"at {(now_s - self._start_s) / 60:.2f} min; {stages} s"

    def note(self) -> None:
        """One row. Ages are of what was painted since the row before, while there was no fault.

        `late_s` is for how long this thread, which only sleeps, was kept from it: a machine that stands still.
        """
        ages, self.ages = self.ages, []
        now_s = time.perf_counter()
        late_s, self._noted_s = max(0.0, now_s - (self._noted_s or now_s) - _SAMPLE_S), now_s
        self.rows.append(
            {
                "time_s": round(time.perf_counter() - self._start_s, 1),
                "rss_mib": round(self._process.memory_info().rss / 2**20, 1),
                "threads": self._process.num_threads(),
                "descriptors": self._process.num_fds(),
                "age_p95_ms": round(1000 * float(np.percentile(ages, 95)), 1) if len(ages) > 5 else float("nan"),
                "age_most_ms": round(1000 * max(ages), 1) if ages else float("nan"),
                "late_s": round(late_s, 2),
                "shown": self.shown,
                "left_out": sum(self.ledger.snapshot().drops.values()),
                "reconnects": self.source.status.reconnects,
                "fault": self.fault,
            }
        )

    def run_faults(self, kinds: list[Fault], seconds: float, every_s: float) -> None:
        """One after the other until the time is over; on a thread of its own."""
        until_s = time.perf_counter() + seconds
        number = 0
        while time.perf_counter() + every_s < until_s:
            fault = kinds[number % len(kinds)]
            number += 1
            began_s, shown = time.perf_counter(), self.shown
            self.fault = fault.name
            fault.begin()
            self._watch(fault, began_s + min(fault.share if fault.share > 1 else fault.share * every_s, every_s))
            lasted_s = time.perf_counter() - began_s
            if lasted_s > 1:
                fault.shown.append((self.shown - shown) / lasted_s)
            fault.end()
            ended_s, shown = time.perf_counter(), self.shown
            while self.shown < shown + 3 and time.perf_counter() < ended_s + _BACK_S:
                self._watch(fault, time.perf_counter() + 0.05)
            fault.back_s.append(time.perf_counter() - ended_s)
            time.sleep(1.0)  # what was under way is not counted as quiet
            self.fault = ""
            time.sleep(max(0.0, began_s + every_s - time.perf_counter()))
        self.ended.set()
        self.source.interrupt()

    def _watch(self, fault: Fault, until_s: float) -> None:
        while time.perf_counter() < until_s:
            problem = self.source.status.problem
            if problem:
                fault.texts.add(re.sub(r"\d+ s", "N s", problem.removeprefix(f"{self.source.name}: ")))
            time.sleep(0.05)


def decoded(path: Path) -> tuple[int, int, bool]:
    """How many pictures of a file decode, how many packets do not, and whether it begins with a key frame.

    A recording holds what came as it came; a player passes over what was damaged on the way.
    """
    pictures, damaged, first_is_key = 0, 0, None
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if first_is_key is None and packet.size:
                first_is_key = packet.is_keyframe
            try:
                pictures += len(packet.decode())
            except av.FFmpegError:
                damaged += 1
    return pictures, damaged, bool(first_is_key)


def steadiness(rows: list[dict[str, Any]], key: str) -> tuple[float, float]:
    """Median over the second fifth of the time and over the last one: what loads lazily is there by then."""
    values = [row[key] for row in rows if row[key] == row[key]]
    fifth = max(1, len(values) // 5)
    return float(np.median(values[fifth : 2 * fifth])), float(np.median(values[-fifth:]))


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Curves over time, into a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = (
        ("rss_mib", "memory (MiB)"),
        ("threads", "threads"),
        ("descriptors", "descriptors"),
        ("age_p95_ms", "age p95, no fault (ms)"),
        ("reconnects", "reconnects"),
    )
    minutes = [row["time_s"] / 60 for row in rows]
    figure, axes = pyplot.subplots(len(names), 1, figsize=(9, 9), sharex=True, constrained_layout=True)
    for axis, (key, label) in zip(axes, names, strict=True):
        axis.plot(minutes, [row[key] for row in rows], ".-" if key == "age_p95_ms" else "-", lw=1, ms=3)
        axis.set_ylabel(label)
        values = [row[key] for row in rows if row[key] == row[key]]
        axis.set_ylim(0, 1.1 * max([1.0, *values]))
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("minutes")
    figure.savefig(path, dpi=100)


def table(kinds: list[Fault]) -> str:
    """As Markdown: what each fault did to the picture, what the window said, and how soon it was over."""
    lines = [
        "| network | times | pictures/s meanwhile | back after its end, s | what the window says |",
        "|---|---|---|---|---|",
    ]
    for fault in kinds:
        if fault.back_s:
            rate = f"{np.mean(fault.shown):.0f}" if fault.shown else ""
            back = f"{np.median(fault.back_s):.1f}, at most {max(fault.back_s):.1f}"
            said = "<br>".join(sorted(fault.texts)) or "nothing"
            lines.append(f"| {fault.name} | {len(fault.back_s)} | {rate} | {back} | {said} |")
    return "\n".join(lines)


def verdict(soak: Soak, kinds: list[Fault], files: list[Path], problem: str, passed: int, lost: int) -> bool:
    """Prints it; `passed` and `lost` are of the proxy, media packets."""
    good = True
    for key, allowed in (("rss_mib", None), ("threads", 2.0), ("descriptors", 2.0), ("age_p95_ms", None)):
        before, after = steadiness(soak.rows, key)
        most = _WITHIN * before if key == "rss_mib" else 0.25 * before if allowed is None else allowed
        holds = after - before <= most if key == "age_p95_ms" else abs(after - before) <= most
        good &= holds
        click.echo(f"{key}: {before:.1f} → {after:.1f} ({after / before - 1:+.1%}): {'holds' if holds else 'DOES NOT'}")
    age_s, where = soak.oldest
    stood_s = max((float(row["late_s"]) for row in soak.rows), default=0.0)
    click.echo(
        f"oldest picture without a fault: {age_s:.2f} s {where}; the machine stood still for {stood_s:.1f} s at most"
    )
    drops = soak.ledger.snapshot().drops
    click.echo(f"{soak.arrived} packets arrived, {soak.shown} pictures shown, left out: {drops}")
    uncounted = soak.arrived - soak.shown - sum(drops.values()) + drops.get(BUSY_RECORDER, 0)
    click.echo(f"neither shown nor counted: {uncounted}")
    good &= uncounted == 0
    loss = soak.source.status.loss
    click.echo(f"told of the network: {loss.line() or 'nothing lost'} ({passed} RTP packets passed, {lost} lost)")
    bad, pictures, damaged = [], 0, 0
    for path in files:
        try:
            count, broken, key_first = decoded(path)
        except av.FFmpegError as error:
            count, broken, key_first = 0, 0, False
            click.echo(f"{path.name}: {type(error).__name__}")
        pictures, damaged = pictures + count, damaged + broken
        if not count or not key_first:
            bad.append(path.name)
    late = [fault.name for fault in kinds if any(back >= _BACK_S for back in fault.back_s)]
    good = good and not bad and not late and not problem and bool(files)
    click.echo(f"{damaged} packets in recordings do not decode: they were damaged on the way")
    click.echo(
        f"{len(files)} recordings, {pictures} pictures decode; bad: {bad or 'none'}; recording: {problem or 'went on'}"
    )
    click.echo(f"not got over: {late or 'none'}")
    return good


@click.command(help=__doc__)
@click.option("--minutes", default=25.0)
@click.option("--every", default=12.0, help="Seconds from one fault to the next.")
@click.option("--png", type=click.Path(path_type=Path), default=Path("soak.png"))
@click.option("--csv", "csv_path", type=click.Path(path_type=Path))
@click.option("--seed", default=1)
@click.option("--rate", default=15, help="Pictures a second that the server sends.")
def main(minutes: float, every: float, png: Path, csv_path: Path | None, seed: int, rate: int) -> None:
    if reason := why_not():
        raise click.ClickException(reason)
    options = RunOptions()
    spec = options.read_spec()
    overlay = Overlay(spec.labels)
    with (
        tempfile.TemporaryDirectory() as folder,
        RtspServer(size=_SIZES[0], rate=rate) as server,
        FaultProxy(int(server.port), seed) as proxy,
    ):
        kinds = faults(proxy, server, random.Random(seed))
        source = NetworkStream(parse_address(f"rtsp://127.0.0.1:{proxy.port}/live#timeout={TIMEOUT_S}"))
        ledger = Ledger()
        soak = Soak(source, ledger)
        recording = Recording(RecordPlan(Path(folder, "soak.mkv"), RecordWhat.BOTH, split_s=60), source, overlay)
        recording.on_left_out = lambda: ledger.drop(BUSY_RECORDER)

        def count(_packet: object) -> None:
            soak.arrived += 1

        assert source.packets is not None
        source.packets.listen(count)
        breaker = threading.Thread(target=soak.run_faults, args=(kinds, 60 * minutes, every), daemon=True)
        sampler = threading.Thread(target=_sample, args=(soak,), daemon=True)
        try:
            with Pipeline(source, options.segmenter(spec, "latency"), policy=Policy.LATEST, ledger=ledger) as pipeline:
                for shot in pipeline:
                    shot.frame.picture.scaled_bgra(320, 192)
                    recording.write(shot)
                    soak.shown += 1
                    soak.painted(shot)
                    if soak.shown == 1:
                        breaker.start()
                        sampler.start()
        finally:
            recording.stop()
        soak.ended.set()
        sampler.join()
        if csv_path is not None:
            with csv_path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(soak.rows[0]))
                writer.writeheader()
                writer.writerows(soak.rows)
        draw(soak.rows, png)
        click.echo(table(kinds))
        holds = verdict(soak, kinds, list(recording.files), recording.problem, proxy.passed, proxy.lost)
    times = sum(len(fault.back_s) for fault in kinds)
    said = "HOLDS" if holds else "DOES NOT HOLD"
    click.echo(f"{said}: {times} faults, {source.status.reconnects} reconnects, {minutes:g} min")


def _sample(soak: Soak) -> None:
    while not soak.ended.wait(_SAMPLE_S):
        soak.note()


if __name__ == "__main__":
    main()
