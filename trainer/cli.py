"""`seg-trainer`: check, pack, train, evaluate, compare, predict, export, add-margin, build-engine."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import click

from seg_viewer import __version__
from seg_viewer.core.console import print_any_letter
from seg_viewer.core.errors import UsageError, last_words
from seg_viewer.core.signals import ends_like_ctrl_c
from trainer.commands.add_margin import add_margin
from trainer.commands.build_engine import build_engine
from trainer.commands.check import check
from trainer.commands.compare import compare
from trainer.commands.datasets import list_datasets
from trainer.commands.evaluate import evaluate
from trainer.commands.export import export
from trainer.commands.pack import pack
from trainer.commands.predict import predict
from trainer.commands.train import train
from trainer.labels.meaning import LabelsNeeded
from trainer.network.backend import be_alone

PROGRAM = "seg-trainer"
_OURS = ("seg_viewer", "trainer")
_HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class Group(click.Group):
    """Reports what goes wrong as one line, with the exit code that the error carries."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, whatever letters the terminal, or a file in its place, can take."""
        print_any_letter()
        with ends_like_ctrl_c():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place: whatever it is, it is shown
            if ctx.params.get("debug"):
                traceback.print_exc()
            if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] not in _OURS:
                missing = f"{error.name} is not installed, and this needs it"
                error = UsageError(f"{missing}: pip install 'seg-viewer[trainer]'")
            line, code = last_words(error, PROGRAM)
            click.echo(line, err=True)
            if isinstance(error, LabelsNeeded) and error.proposal:
                click.echo(error.proposal)  # alone on standard output, so that it can go into the file as it is
            ctx.exit(code)


@click.group(cls=Group, context_settings={**_HELP, "max_content_width": 120})
@click.version_option(__version__, prog_name=PROGRAM)
@click.option("--debug", is_flag=True, help="Show the traceback of an error too.")
def main(debug: bool) -> None:
    """Train, score and export the model that seg-viewer runs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    be_alone()


for command in (check, list_datasets, pack, train, evaluate, compare, predict, export, add_margin, build_engine):
    # its own, too: click keeps the help option that a command had when it was first asked, with a parent or without
    command.context_settings = {**_HELP, **command.context_settings}
    main.add_command(command)


if __name__ == "__main__":
    main()
