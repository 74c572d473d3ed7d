"""The command `seg-viewer devices`."""

from __future__ import annotations

import click
from rich.table import Table

from seg_viewer.core.console import plain_console
from seg_viewer.core.errors import SegViewerError


@click.command()
@click.option("--probe", is_flag=True, help="Open each camera and ask for usual sizes, rates and pixel formats.")
def devices(probe: bool) -> None:
    """List cameras and screens, and what to type to open each."""
    from seg_viewer.sources.camera import probe_modes
    from seg_viewer.sources.devices import list_cameras, obstacle
    from seg_viewer.sources.screen import list_screens

    console = plain_console()
    table = Table("source", "what it is", "formats" if probe else "state")
    for device in list_cameras():
        if probe:
            try:
                modes = [f"{f} {w}×{h} at {rate:g} fps" for f, w, h, rate in probe_modes(device)]
            except SegViewerError as error:
                modes = [str(error)]
            state = "\n".join(modes)
        else:
            state = obstacle(device) or "ready"
        table.add_row(f"camera:{device.index}", f"{device.name}\n{device.path}".strip(), state)
    for index, width, height in list_screens():
        table.add_row(f"screen:{index}", f"screen, {width}×{height}", "ready")
    if not table.row_count:
        raise SegViewerError("no camera and no screen is here; plug a camera in, or open an address (rtsp://…)")
    console.print(table)
