"""The command `seg-viewer cache`."""

from __future__ import annotations

import click

from seg_viewer.cli.console import say
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SegViewerError


@click.command()
@click.option("--clear", is_flag=True, help="Remove all of it; it is computed again when it is needed.")
def cache(clear: bool) -> None:
    """Show, or clear, the class maps that are kept so that nothing is computed twice."""
    from seg_viewer.pipeline.map_cache import MapCache

    maps = MapCache()
    before = maps.size_bytes()
    if clear:
        left = maps.clear()
        if left:
            raise SegViewerError(f"{maps.folder}: {left / 1e6:.1f} MB could not be removed; close other windows first")
        say(f"{maps.folder}: {before / 1e6:.1f} MB removed")
        return
    count = maps.sources()
    videos = counted(count, "video")
    say(f"{maps.folder}: {before / 1e6:.1f} MB of {maps.cap / 1e6:.0f} MB, {videos}")
