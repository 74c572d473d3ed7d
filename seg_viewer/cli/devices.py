"""The command `seg-viewer devices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.table import Table

from seg_viewer.core.console import plain_console
from seg_viewer.core.errors import SegViewerError

if TYPE_CHECKING:
    from seg_viewer.sources.devices import CameraDevice


@click.command()
@click.option("--probe", is_flag=True, help="Open each camera and ask for usual sizes, rates and pixel formats.")
@click.option(
    "--network",
    is_flag=True,
    help="Ask the network around for ONVIF cameras (WS-Discovery, 3 s), and these for their streams; no user and "
    "password is sent.",
)
def devices(probe: bool, network: bool) -> None:
    """List cameras with their formats, and screens, and what to type to open each."""
    from seg_viewer.sources.devices import list_cameras, obstacle
    from seg_viewer.sources.onvif import find_network_cameras, lines_of
    from seg_viewer.sources.screen import list_screens

    console = plain_console()
    table = Table("source", "what it is", "formats, or why there is none")
    for device in list_cameras():
        formats = _probed(device) if probe else _told(device)
        state = obstacle(device)
        lines = [state] if state else []
        table.add_row(
            f"camera:{device.index}", f"{device.name}\n{device.path}".strip(), "\n".join([*lines, *formats]) or "ready"
        )
    for index, width, height in list_screens():
        table.add_row(f"screen:{index}", f"screen, {width}×{height}", "ready")
    found = find_network_cameras() if network else []
    for source, name, state in lines_of(found):
        table.add_row(source, name, state)
    if table.row_count:
        console.print(table)
    if network and not found:
        raise SegViewerError(
            "no network camera answered within 3 s; open its address, as its manual names it (rtsp://…)"
        )
    if not table.row_count:
        raise SegViewerError("no camera and no screen is here; plug a camera in, or open an address (rtsp://…)")


def _told(device: CameraDevice) -> list[str]:
    from seg_viewer.sources.devices import modes_of

    return [mode.line for mode in modes_of(device)]


def _probed(device: CameraDevice) -> list[str]:
    from seg_viewer.sources.camera import probe_modes

    try:
        return [f"{format_} {width}×{height} at {rate:g} fps" for format_, width, height, rate in probe_modes(device)]
    except SegViewerError as error:
        return [str(error)]
