"""The command `seg-viewer`: its commands, one file each, and what becomes of their errors."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import Any

import click

from seg_viewer import __version__
from seg_viewer.cli.bench import bench
from seg_viewer.cli.cache import cache
from seg_viewer.cli.devices import devices
from seg_viewer.cli.doctor import doctor
from seg_viewer.cli.export import export
from seg_viewer.cli.leaving import leave
from seg_viewer.cli.models import models
from seg_viewer.cli.options import LOAD_BAR
from seg_viewer.cli.record import record
from seg_viewer.cli.record_carla import record_carla
from seg_viewer.cli.view import view
from seg_viewer.cli.ways_in import CommandOrSource
from seg_viewer.core.console import print_any_letter
from seg_viewer.core.error_hooks import error_hooks, redacted_traceback
from seg_viewer.core.errors import last_words
from seg_viewer.core.signals import ends_like_ctrl_c

_LET_END_S = 5.0
_HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


@click.group(
    cls=CommandOrSource,
    invoke_without_command=True,
    subcommand_metavar="[SOURCE]... | COMMAND [ARGS]...",
    context_settings={
        **_HELP,
        "token_normalize_func": lambda name: name.replace("_", "-"),  # --no_cache is --no-cache
    },
)
@click.version_option(__version__, prog_name="seg-viewer")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Segments driving video in real time: cars blue, people red, road green.

    Without a command, opens the window, and in it SOURCE: a file, a folder, an address; several are a playlist. All
    options of 'view' work then. No safety function: do not steer by it.
    """
    if context.invoked_subcommand is None:
        context.invoke(view)


for command in (view, export, record, bench, doctor, devices, models, cache, record_carla):
    # its own, too: click keeps the help option that a command had when it was first asked, with a parent or without
    command.context_settings = {**_HELP, **command.context_settings}
    cli.add_command(command)


def main() -> None:
    """Run; a failure is one line on stderr and an exit code: 2 for usage, 1 for the rest, 130 when stopped."""
    print_any_letter()
    with ends_like_ctrl_c(), error_hooks():
        _run()


def program() -> None:
    """`main` as all that a process does: it may end the process, where a command asked for that."""
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, int):
            leave(ended.code)
        raise
    leave(0)


def _run() -> None:
    debug = "--debug" in sys.argv
    try:
        try:
            cli.main(standalone_mode=False)
        finally:
            LOAD_BAR.stop()
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as abort:  # what click makes of a KeyboardInterrupt, which may say what is kept
        cause = abort.__cause__
        _fail(cause if isinstance(cause, KeyboardInterrupt) else KeyboardInterrupt(), debug=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place: whatever it is, it is shown
        _fail(error, debug=debug)


def _fail(error: BaseException, *, debug: bool) -> None:
    line, code = last_words(error, "seg-viewer", "stopped; nothing was left behind")
    with suppress(OSError):  # the terminal may be gone
        if debug:
            click.echo(redacted_traceback(error), err=True)
        click.echo(line, err=True)
    # a runtime whose threads are cut off while it starts aborts the process; one that is just being started itself
    # cannot be joined yet
    until_s = time.monotonic() + _LET_END_S
    while any(thread.name.startswith("seg-") for thread in threading.enumerate()) and time.monotonic() < until_s:
        time.sleep(0.01)
    sys.exit(code)


if __name__ == "__main__":
    main()
