"""The command `seg-trainer datasets`: what can be read."""

from __future__ import annotations

import click

from trainer.commands.help import Command, Example


@click.command(
    "datasets", cls=Command, examples=[Example("seg-trainer datasets", "formats and label maps, one a line")]
)
def list_datasets() -> None:
    """List the formats that are read and the label maps that ship."""
    from trainer.data.formats import FORMATS
    from trainer.labels.named import shipped_maps

    width = max(map(len, FORMATS))
    click.echo("Formats (recognised by their files; or write FORMAT=FOLDER):")
    for name, made in FORMATS.items():
        click.echo(f"  {name:{width}}  {made.files}")
    click.echo("\nLabel maps (--labels NAME, or a TOML file of your own; native and driving suit each format):")
    for name, title in shipped_maps().items():
        click.echo(f"  {name:22} {title}")
    click.echo(
        "\nA label map is a TOML file: [values] NAME = [mask values] (ignore = […] too), [classes] NAME = [r, g, b],"
        '\nor target = "driving" instead of [classes]; [colors] NAME = [[r, g, b], …] for masks that are colour'
        '\npictures; rest = "ignore" or a class for whatever is not listed; read = "otsu" for grey masks.'
        "\nWhere the masks of a plain folder do not say what they mean, 'check FOLDER > FOLDER/labels.toml' writes one"
        "\nto fill in."
    )
