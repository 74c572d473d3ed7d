"""The command `seg-trainer pack`: data sets in one file, for a machine that is to train from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seg_viewer.core.console import plain_console
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import check_target
from trainer.commands.help import Command, Example, option
from trainer.commands.options import FILE, split_options
from trainer.data.chosen import make_recipe

CLASSES, FILES = "Classes", "Files"


@click.command(
    cls=Command,
    examples=[
        Example("seg-trainer pack discs -o discs.pack", "a folder of yours, in its own classes"),
        Example(
            "seg-trainer pack --recipe driving-fast --root DATA -o data.pack --part-size 60",
            "all that a recipe trains on, in files of 60 MB at most",
        ),
        Example("seg-trainer pack CamVid@0.6 drives@0.4 --labels driving -o mix.pack", "a mix, by weight"),
    ],
)
@click.argument("data", nargs=-1, metavar="[[FORMAT=]FOLDER[@WEIGHT]]...")
@option(CLASSES, "--recipe", help="Take data sets (unless DATA is given), classes, weights and split from it.")
@option(CLASSES, "--labels", help="native, driving, or a label map.  [default: native, or the recipe's]")
@option(CLASSES, "--details", help="Finer classes to pack, too: streets, or a label map.  [default: the recipe's]")
@option(CLASSES, "--seed", type=click.IntRange(0), help="Of a random split.  [default: 0, or the recipe's]")
@split_options
@option(FILES, "-o", "--output", type=FILE, required=True, help="File to write: NAME.pack.")
@option(
    FILES,
    "--part-size",
    type=click.IntRange(1),
    metavar="MB",
    help="Write parts of at most so many megabytes: NAME.pack, NAME.pack.001, …  [default: one file]",
)
@option(FILES, "--overwrite", is_flag=True, help="Replace files that exist.")
def pack(
    data: tuple[str, ...],
    recipe: str | None,
    root: tuple[Path, ...],
    output: Path,
    part_size: int | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Pack data sets into one file that another machine trains from, without folders, label maps or further decoders.

    There, 'seg-trainer train --data NAME.pack' takes it. Both parts of the split, weights, what is ignored
    and what 'check' found go with it; pictures stay the files that they are, masks become class ids. Training from it
    makes the same samples as from the folders.

    Ends with exit code 1 when a file is damaged.
    """
    from trainer.console import progress_bar
    from trainer.data import check
    from trainer.data.pack import write_pack
    from trainer.data.pack_file import SUFFIX, part_path
    from trainer.data.samples import find_all, kind_of

    if output.suffix != SUFFIX:
        raise UsageError(f"{output}: the name must end with {SUFFIX}")
    chosen = make_recipe(recipe, data, options)
    old = [output] + [part_path(output, number) for number in range(1, 1000)]
    for path in old:
        if path == output or path.exists():
            check_target(path, overwrite=overwrite, sources=tuple(Path(source.path) for source in chosen.data))
    found = find_all(chosen, root, click.echo)
    kinds = [kind_of(source, root) for source, _ in found]
    console = plain_console(soft_wrap=True)
    scans = check.scan_all([one for _, one in found], console)
    check.refuse_damaged(scans)
    pairs = sum(len(one.train) + len(one.held_out) for _, one in found)
    with progress_bar(console) as bar:
        task = bar.add_task(output.name, total=pairs)
        parts = write_pack(
            output, chosen, found, kinds, scans, (part_size or 0) * 10**6, lambda done: bar.update(task, completed=done)
        )
    for path in old:
        if path not in parts and path.exists():
            path.unlink()
            click.echo(f"removed {path}, a part of the pack before")
    for _, one in found:
        click.echo(f"{one.name}: {len(one.train)} training, {len(one.held_out)} held-out pairs")
    size = sum(path.stat().st_size for path in parts)
    many = f" in {len(parts)} files, {parts[0].name} to {parts[-1].name}" if len(parts) > 1 else ""
    click.echo(f"{output}: {counted(pairs, 'pair')}, {size / 1e6:.1f} MB{many}")
