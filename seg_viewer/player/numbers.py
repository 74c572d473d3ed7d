"""The numbers of what plays, as far as they mean something at the moment."""

from __future__ import annotations

from dataclasses import replace

from seg_viewer.core.ledger import LedgerSnapshot
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import SourceInfo

_AGES = ("shown", "since_capture")


def rate_of(info: SourceInfo) -> float | None:
    """Frames per second of a source; None where it does not say, and for a single picture, which has none."""
    return info.rate if info.frame_count != 1 else None


def meaningful(snapshot: LedgerSnapshot, info: SourceInfo, state: PlayerState) -> LedgerSnapshot:
    """Without what would mislead.

    Rates are there while it plays only. The "source" rate of a file is the file's own: how fast it is read ahead says
    nothing. How long pictures took to be "shown" is there for what is live only: a file is read before its time.
    """
    rates = {name: rate for name, rate in snapshot.rates.items() if rate > 0} if state is PlayerState.PLAYING else {}
    if info.live:
        return replace(snapshot, rates=rates)
    rates.pop("source", None)
    own = rate_of(info)
    if own is not None:
        rates["source"] = own
    stages = {name: times for name, times in snapshot.stages.items() if name not in _AGES}
    return replace(snapshot, rates=rates, stages=stages)
