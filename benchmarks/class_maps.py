"""What kept class maps cost and save, and whether looking ahead holds up what plays.

    python -m benchmarks.class_maps CLIP... [--model NAME|FILE] [--seconds 15] [--rounds 2]

Of each clip: bytes and MB a minute of its class maps, milliseconds to pack and to find one, and to compute one. Then it
is played, with and without looking ahead in turn, with an empty cache each time: pictures shown each second, frames
dropped, and how much of the clip was known at the end.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.map_codec import pack_map
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.sources import open_source

_MOST_FRAMES = 400


@dataclass
class Played:
    """How a clip was played.

    Args:
        rate: pictures shown each second.
        drops: frames that were not shown.
        ahead: frames looked at ahead.
        known: share of the clip that is known at the end.
    """

    rate: float
    drops: int
    ahead: int
    known: float


def sizes(clip: str, options: RunOptions) -> str:
    """One line about the maps of a clip."""
    spec = options.read_spec()
    shots = []
    with Pipeline(open_source(clip), options.segmenter(spec)) as pipeline:
        start_s = time.perf_counter()
        for shot in pipeline:
            shots.append(shot)
            if len(shots) == _MOST_FRAMES:
                break
        rate = pipeline.source.info.rate or 25.0
        report = pipeline.engine_report
        computed_s = (time.perf_counter() - start_s) / len(shots)
    start_s = time.perf_counter()
    packed = sum(len(pack_map(shot.classes)) for shot in shots) / len(shots)
    pack_s = (time.perf_counter() - start_s) / len(shots)
    assert report is not None
    with tempfile.TemporaryDirectory() as folder:
        with closing(MapCache(Path(folder))) as cache:
            for shot in shots:
                cache.put(shot.frame, spec.sha256, ClassMap(shot.classes, shot.labels, spec.sha256), report)
                if cache.left_out or shot.frame.index % 30 == 0:
                    cache.flush()
            cache.flush()
            on_disk = cache.size_bytes() / len(shots)
        with closing(MapCache(Path(folder))) as cache:
            start_s = time.perf_counter()
            found = sum(cache.get(shot.frame.id, spec.sha256) is not None for shot in shots)
            get_s = (time.perf_counter() - start_s) / len(shots)
    assert found == len(shots), f"{len(shots) - found} maps did not come back"
    return (
        f"{Path(clip).name}: {packed:.0f} bytes a map, {on_disk:.0f} with its row; {60 * rate * on_disk / 1e6:.2f} MB "
        f"a minute at {rate:.2f} fps ({1800 * on_disk / 1e6:.2f} at 30); pack {1000 * pack_s:.2f} ms, find "
        f"{1000 * get_s:.2f} ms, decode and compute {1000 * computed_s:.2f} ms"
    )


def play(clip: str, options: RunOptions, seconds: float, *, ahead: bool) -> Played:
    """Play a clip from its start, and take pictures as a window does."""
    with tempfile.TemporaryDirectory() as folder:
        player = Player(options)
        player.cache = MapCache(Path(folder))
        player.looks_ahead = ahead
        player.open(clip)
        shown, begin_s = 0, 0.0
        while player.state is not PlayerState.ERROR:
            if player.take() is not None:
                begin_s = begin_s or time.perf_counter()
                shown += 1
            if begin_s and (time.perf_counter() - begin_s > seconds or player.state is PlayerState.ENDED):
                break
            time.sleep(0.002)
        rate = (shown - 1) / (time.perf_counter() - begin_s)
        timeline, ledger = player.timeline, player.ledger
        assert timeline is not None and ledger is not None
        played = Played(rate, ledger.dropped, timeline.looked_ahead, timeline.table.known_share())
        player.close(20)
        return played


@click.command()
@click.argument("clips", nargs=-1, required=True)
@click.option("--model", help="Name or file. [default: the one that runs where nobody names one]")
@click.option("--seconds", default=15.0, show_default=True, help="To play each clip for, at most.")
@click.option("--rounds", default=2, show_default=True, help="With and without, in turn.")
def main(clips: tuple[str, ...], model: str | None, seconds: float, rounds: int) -> None:
    """Measure on CLIPS."""
    options = RunOptions(model)
    for clip in clips:
        click.echo(sizes(clip, options))
    for clip in clips:
        with closing(open_source(clip)) as source:
            own = source.info.rate
        click.echo(f"{Path(clip).name}, {own:.2f} fps:" if own else f"{Path(clip).name}:")
        for _round in range(rounds):
            for ahead in (False, True):
                done = play(clip, options, seconds, ahead=ahead)
                click.echo(
                    f"  {'looking ahead' if ahead else 'playing alone'}: {done.rate:.2f} pictures/s, {done.drops} "
                    f"dropped, {done.ahead} frames looked at ahead, {100 * done.known:.0f} % known"
                )


if __name__ == "__main__":
    main()
