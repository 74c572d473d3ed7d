"""What the commands share on the command line: help in groups, examples, and options with underscores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import click

MORE = "More"
"""Group of what has none."""

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


class Example(NamedTuple):
    """A command line to copy.

    Args:
        line: as it is typed.
        does: what it does.
    """

    line: str
    does: str


class Option(click.Option):
    """An option with a place in the help.

    Args:
        group: heading it stands under.
    """

    def __init__(self, *args: Any, group: str = MORE, **more: Any) -> None:
        super().__init__(*args, **more)
        self.group = group


class Command(click.Command):
    """A command whose help begins with examples and shows options in groups; takes --batch_size for --batch-size.

    Args:
        examples: command lines to copy.
    """

    def __init__(self, *args: Any, examples: Sequence[Example] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options may be written with underscores, as scripts with argparse have them."""
        known = {name for param in self.params for name in (*param.opts, *param.secondary_opts)}
        return super().parse_args(ctx, with_dashes(args, known))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What it does, then examples, which would be out of sight below all options."""
        super().format_help_text(ctx, formatter)
        if not self.examples:
            return
        with formatter.section("Examples"):
            for one in self.examples:
                formatter.write_text(f"\b\n{one.line}\n    {one.does}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options in their groups, in the order in which each group comes first."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                groups.setdefault(getattr(param, "group", MORE), []).append(record)
        more = groups.pop(MORE, [])
        for title, records in [*groups.items(), (MORE if groups else "Options", more)]:
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def with_dashes(args: Sequence[str], known: set[str]) -> list[str]:
    """The words of a command line with each option as it is known: --batch_size=8 becomes --batch-size=8.

    Args:
        args: the words; what comes after -- stays as it is.
        known: names of options, such as "--batch-size".
    """
    out = list(args)
    for place, word in enumerate(args):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        dashed = name.replace("_", "-")
        if word.startswith("--") and name not in known and dashed in known:
            out[place] = f"{dashed}{equals}{value}"
    return out


def option(group: str, *names: str, **more: Any) -> Callable[[_Decorated], _Decorated]:
    """As `click.option`, under a heading of the help."""
    return click.option(*names, cls=Option, group=group, **more)
