"""What would a network cost, before it is trained? GMAC, int8 milliseconds, and the ratio to the file that ships.

    python -m benchmarks.candidates [RECIPE…] [--for driving-fast] [--only WORDS] [--rounds 30] [--each 4] [--layers]
                                    [--save FOLDER]

Weights are random, the int8 graphs are the product's own (`seg-trainer export`, margin and all), every graph runs in
OpenVINO on one thread, in turns. What is told is CPU-seconds of a picture (lower quartile), which other programs on the
machine disturb less than the time by the clock; compare the ratios, not the milliseconds. RECIPE adds the networks of
recipes; --only none leaves all others out. --layers prints the milliseconds of the layers of the shipped file and of
the fastest candidate, from OpenVINO's own counters. --save keeps the files, for `benchmarks.margin_cost` or
`seg-viewer bench`: they know nothing, but take as long as trained ones.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL, find_model
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import INPUT_NAME, MARGIN_NAME, OUTPUT_NAME, ModelSpec, read_model_file
from seg_viewer.engines.openvino import import_openvino, settings
from trainer.architecture import Model
from trainer.recipe import read_recipe
from trainer.scoring.speed import in_turns


@dataclass(frozen=True)
class Candidate:
    """A network that may be worth training.

    Args:
        name: what sets it apart.
        model: its values.
    """

    name: str
    model: Model


FAST = Model(widths=(16, 48, 96, 192, 208), context=(2, 4), subpixel=True)
FINE = Model(widths=(32, 64, 128, 192, 256), context=(2, 4), subpixel=True)
ONCE = (1, 1, 1, 1)


def _of(base: Model, name: str, **changed: Any) -> Candidate:
    return Candidate(name, dataclasses.replace(base, **changed))


def _added(base: Model, name: str, decoder: tuple[int, ...], convolutions: tuple[int, ...] = ()) -> Candidate:
    """Skips added, one convolution a decoder stage."""
    light = {"skips": "add", "decoder_convolutions": ONCE, "decoder_widths": decoder, "convolutions": convolutions}
    return _of(base, name, **light)


CANDIDATES = {
    FAST_MODEL: (
        Candidate("as it ships", FAST),
        _of(FAST, "one convolution a decoder stage", decoder_convolutions=ONCE),
        _added(FAST, "the same, skips added", ()),
        _of(FAST, "16-32-64-128-192", widths=(16, 32, 64, 128, 192)),
        _added(FAST, "one at half; added, decoder 16-32-64-96", (16, 32, 64, 96), (1, 2, 2, 2, 2)),
        _of(
            FAST,
            "16-32-80-160-208, concatenated, decoder 16-24-48-96, one each",
            widths=(16, 32, 80, 160, 208),
            decoder_widths=(16, 24, 48, 96),
            decoder_convolutions=ONCE,
        ),
        _added(FAST, "one at half and quarter; added, decoder 16-32-64-128", (16, 32, 64, 128), (1, 1, 2, 2, 2)),
        _added(FAST, "one at half and quarter; added, decoder 16-48-64-128", (16, 48, 64, 128), (1, 1, 2, 2, 2)),
        _added(FAST, "one down to an eighth; added, decoder 16-32-48-96", (16, 32, 48, 96), (1, 1, 1, 2, 2)),
    ),
    FINE_MODEL: (
        Candidate("as it ships", FINE),
        _added(FINE, "one at half and quarter; added, decoder 16-32-64-128", (16, 32, 64, 128), (1, 1, 2, 2, 2)),
        _added(FINE, "one at half and quarter; added, decoder 24-48-96-128", (24, 48, 96, 128), (1, 1, 2, 2, 2)),
        _added(FINE, "one at half and quarter; added, decoder 32-64-96-128", (32, 64, 96, 128), (1, 1, 2, 2, 2)),
        _added(FINE, "one at half; added, decoder 32-48-96-128", (32, 48, 96, 128), (1, 2, 2, 2, 2)),
    ),
}
"""By the file that each is to follow."""


def int8_graph(model: Model, spec: ModelSpec) -> tuple[Any, float]:
    """A random network as `seg-trainer export` would write it, and its GMAC (those of convolutions, up to the logits).

    Args:
        model: the network.
        spec: of the file that it is to follow, for size and calibration.
    """
    import keras

    from trainer.export import int8
    from trainer.export.graph import whole_model
    from trainer.export.margin import add_margin
    from trainer.labels.details import plain
    from trainer.network.unet import build

    keras.utils.set_random_seed(0)
    details = dataclasses.replace(plain(DRIVING), subpixel=model.subpixel)
    network = build(model, details.heads[0], spec.height, spec.width)
    graph = int8.int8_graph(whole_model(network, details, fused=True), golden_frames(spec))
    return add_margin(graph), multiplications(network) / 1e9


def multiplications(network: Any) -> int:
    """Multiply-accumulates of one picture in the convolutions of a Keras network of fixed size."""
    from keras import layers

    total = 0
    for layer in network.layers:
        if isinstance(layer, layers.Conv2DTranspose):  # every input pixel is multiplied with the whole kernel
            total += int(np.prod(layer.input.shape[1:3])) * int(np.prod(layer.kernel.shape))
        elif isinstance(layer, layers.Conv2D):
            total += int(np.prod(layer.output.shape[1:3])) * int(np.prod(layer.kernel.shape))
    return total


class Runner:
    """A graph in OpenVINO on one thread of the processor.

    Args:
        graph: bytes of an ONNX file.
        pictures: (H, W, 3) uint8 RGB, taken one after the other.
    """

    def __init__(self, graph: bytes, pictures: list[Any]) -> None:
        ov: Any = import_openvino()
        core = ov.Core()
        chosen = settings("CPU", "latency") | {"INFERENCE_NUM_THREADS": 1, "PERF_COUNT": True}
        self._request = core.compile_model(core.read_model(graph), "CPU", chosen).create_infer_request()
        self._pictures, self._turn = pictures, 0

    def __call__(self) -> None:
        """Infer the next picture and fetch both outputs, as the viewer's engine does."""
        self._turn += 1
        self._request.infer({INPUT_NAME: self._pictures[self._turn % len(self._pictures)][None]})
        for name in (OUTPUT_NAME, MARGIN_NAME):
            np.array(self._request.get_tensor(name).data[0], np.uint8)

    def layers(self, times: int) -> list[tuple[str, str, float]]:
        """What each layer that ran is, its kernel and the least of its milliseconds, in order."""
        spent: dict[tuple[str, str], list[float]] = defaultdict(list)
        for _ in range(times):
            self()
            for one in self._request.get_profiling_info():
                if one.real_time.total_seconds() > 0:
                    spent[one.node_name, one.exec_type].append(one.real_time.total_seconds() * 1e3)
        return [(name, kernel, min(values)) for (name, kernel), values in spent.items()]


def chosen(ships: str, recipes: tuple[str, ...], only: str) -> list[Candidate]:
    """The candidates that are asked for, those of recipes last."""
    kept = [one for one in CANDIDATES[ships] if only in one.name]  # "none" is in none
    return [*kept, *(Candidate(f"recipe {name}", read_recipe(name).model) for name in recipes)]


@click.command()
@click.argument("recipes", nargs=-1)
@click.option("--for", "ships", type=click.Choice(list(CANDIDATES)), default=FAST_MODEL, show_default=True)
@click.option("--rounds", default=30, show_default=True)
@click.option("--each", default=4, show_default=True)
@click.option("--only", default="", help="Candidates with this in their names.")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), help="Folder for the candidates' files.")
@click.option("--layers", is_flag=True, help="Milliseconds by layer of the shipped file and the fastest candidate.")
def main(
    recipes: tuple[str, ...], ships: str, rounds: int, each: int, only: str, save: Path | None, layers: bool
) -> None:
    """Measure."""
    from trainer.export.graph import write_model
    from trainer.network.backend import start_backend

    start_backend()
    path = find_model(ships)
    spec = read_model_file(path)
    pictures = golden_frames(spec)
    runners = {f"{path.stem}.onnx, the file itself": Runner(Path(path).read_bytes(), pictures)}
    gmacs: list[float | None] = [None]
    for one in chosen(ships, recipes, only):
        click.echo(f"building: {one.name}", err=True)
        graph, gmac = int8_graph(one.model, spec)
        if save:
            name = re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-")
            made = ModelSpec(Path(), name, DRIVING, spec.height, spec.width, "int8", trained_on=(), producer="random")
            write_model(graph, made, save / f"{name}.onnx")
        runners[one.name] = Runner(graph.SerializeToString(), pictures)
        gmacs.append(gmac)
    quartiles = in_turns(list(runners.values()), rounds, each, clock=time.process_time)
    first = quartiles[0][0]
    click.echo("| network | GMAC | ms of CPU | of the shipped file |\n|---|---:|---:|---:|")
    for name, gmac, (low, _, _) in zip(runners, gmacs, quartiles, strict=True):
        click.echo(f"| {name} | {f'{gmac:.2f}' if gmac else '–'} | {low * 1e3:.1f} | {low / first:.2f} |")
    if layers:
        fastest = min(range(1, len(quartiles)), key=lambda place: quartiles[place][0], default=0)
        for name in (next(iter(runners)), list(runners)[fastest]):
            rows = runners[name].layers(rounds)
            click.echo(f"\n{name}: {sum(row[2] for row in rows):.2f} ms in {len(rows)} layers")
            click.echo("| layer | kernel | ms |\n|---|---|---:|")
            for layer, kernel, least in rows:
                click.echo(f"| {layer} | {kernel} | {least:.3f} |")


if __name__ == "__main__":
    main()
