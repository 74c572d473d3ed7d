"""The command `seg-trainer add-margin`."""

from __future__ import annotations

from pathlib import Path

import click

from seg_viewer.core.errors import UsageError
from trainer.commands.help import Command, Example
from trainer.commands.needs import need
from trainer.commands.options import FILE
from trainer.files import check_output


@click.command(
    "add-margin",
    cls=Command,
    examples=[Example("seg-trainer add-margin old.onnx -o new.onnx", "the same classes, and how sure it is of each")],
)
@click.argument("model", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="The .onnx file to write.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
def add_margin(model: Path, output: Path, overwrite: bool) -> None:
    """Give MODEL, an .onnx file that 'seg-trainer export' wrote, the output that says how sure it is of each pixel.

    Its classes stay the same, which is checked in ONNX Runtime and OpenVINO before anything is written; so do its name,
    its scores and its card. It needs no training data. Inference takes about 2 % longer.
    """
    from trainer.export.margin import extend_file

    need("onnxruntime")
    if output.suffix != ".onnx":
        raise UsageError(f"{output}: the name must end with .onnx")
    check_output(output, overwrite=overwrite, sources=(model,))
    spec = extend_file(model, output)
    click.echo(f"{output}: {spec.title} says how sure it is; its classes are those of {model}")
