"""The network of a recipe as values: stages, widths, convolutions, how encoder and decoder join."""

from __future__ import annotations

from dataclasses import dataclass

from seg_viewer.core.errors import UsageError
from trainer.limits import option

FAST_WIDTHS = (16, 32, 64, 128, 192)
CONVOLUTIONS = 2
"""Of a stage, unless a recipe says otherwise."""


@dataclass(frozen=True)
class Model:
    """The network."""

    arch: str = option(
        "unet-fast", "unet: as in the paper; unet-fast: strided stem, for int8.", choices=("unet", "unet-fast")
    )
    network: str = option("", "A .keras file whose network is trained, from the weights in it, in place of --arch.")
    widths: tuple[int, ...] = option(
        (), "Channels of each stage; overrides --width and --depth.", metavar="16,32,…", least=1
    )
    width: int = option(0, "Channels of the first stage, doubled at each; 0: 32 for unet, 16 for unet-fast.", least=0)
    depth: int = option(5, "Stages.", least=1)
    dropout: float = option(0.0, "Share of activations dropped in the two deepest stages (unet).", least=0, below=1)
    residual: bool = option(False, "Add each block's input to its output.")
    context: tuple[int, ...] = option(
        (), "Dilations of further 3x3 convolutions on the smallest map (unet-fast).", metavar="2,4,…", least=1
    )
    convolutions: tuple[int, ...] = option(
        (),
        "Convolutions of each encoder stage, from the largest map down; empty: 2 each (unet-fast).",
        metavar="2,1,…",
        least=1,
        most=2,
    )
    decoder_widths: tuple[int, ...] = option(
        (),
        "Channels of each decoder stage, from the largest map down, one fewer than the encoder's; empty: as there"
        " (unet-fast).",
        metavar="16,32,…",
        least=1,
    )
    decoder_convolutions: tuple[int, ...] = option(
        (),
        "Convolutions of each decoder stage after its doubling, in the same order; empty: 2 each (unet-fast).",
        metavar="1,1,…",
        least=1,
        most=2,
    )
    skips: str = option(
        "concat",
        "How the encoder's maps join the decoder's: concat: side by side; add: their sum, after a 1x1 convolution where"
        " widths differ (unet-fast).",
        choices=("concat", "add"),
    )
    subpixel: bool = option(
        False,
        "Learn four logits for each pixel of the half-size map, one for each picture pixel, instead of doubling it"
        " (unet-fast).",
    )
    norm: bool = option(True, "Batch normalisation after each convolution.")
    norm_momentum: float = option(0.98, "Of its moving averages; lowered for runs of few steps.", least=0, below=1)
    start: str = option(
        "",
        "Run folder, .onnx file, or recipe to train first, whose weights to begin with: narrower, with another decoder"
        " or of other classes too.",
    )

    @property
    def logits_stride(self) -> int:
        """How many picture pixels a logit stands for each way: 2 for unet-fast without `subpixel`, else 1."""
        return 2 if self.arch == "unet-fast" and not self.subpixel and not self.network else 1


def stage_widths(model: Model) -> tuple[int, ...]:
    """Channels of the stages, from the largest map down: `widths`, else `width` doubled `depth` − 1 times."""
    if model.widths:
        return model.widths
    if model.arch == "unet-fast":
        first = model.width or FAST_WIDTHS[0]
        doubled = [first * 2**stage for stage in range(model.depth)]
        return tuple(min(value, first * 12) for value in doubled)
    return tuple((model.width or 32) * 2**stage for stage in range(model.depth))


def decoder_widths(model: Model) -> tuple[int, ...]:
    """Channels of the decoder's stages, from the largest map down: its own, else those of the encoder's stages."""
    return model.decoder_widths or stage_widths(model)[:-1]


def encoder_depths(model: Model) -> tuple[int, ...]:
    """Convolutions of each encoder stage, from the largest map down."""
    return model.convolutions or (CONVOLUTIONS,) * len(stage_widths(model))


def decoder_depths(model: Model) -> tuple[int, ...]:
    """Convolutions of each decoder stage after its doubling, from the largest map down."""
    return model.decoder_convolutions or (CONVOLUTIONS,) * (len(stage_widths(model)) - 1)


def described(model: Model) -> str:
    """The network in a few words, as a model card says them: "unet-fast, widths 16-32, …"."""
    text = f"{model.arch}, widths {_dashed(stage_widths(model))}"
    if model.convolutions:
        text += f", {_dashed(model.convolutions)} convolutions a stage"
    if model.decoder_widths:
        text += f", decoder {_dashed(model.decoder_widths)}"
    if model.decoder_convolutions:
        text += f", {_dashed(model.decoder_convolutions)} convolutions a decoder stage"
    return text + (", skips added" if model.skips == "add" else "")


def _dashed(values: tuple[int, ...]) -> str:
    return "-".join(map(str, values))


def check_model(model: Model) -> None:
    """Look whether the values of a network fit each other.

    Raises:
        UsageError: naming the one that does not.
    """
    if model.subpixel and model.arch != "unet-fast":
        raise UsageError(f"subpixel: {model.arch} has logits at full size already; leave it out")
    stages = len(stage_widths(model))
    for name, values, count in (
        ("convolutions", model.convolutions, stages),
        ("decoder_widths", model.decoder_widths, stages - 1),
        ("decoder_convolutions", model.decoder_convolutions, stages - 1),
    ):
        if values and (model.arch != "unet-fast" or model.network):
            raise UsageError(f"{name}: {_not_fast(model)}; leave it out")
        if values and len(values) != count:
            kind = "decoder stages" if name.startswith("decoder") else "stages"
            raise UsageError(
                f"{name} {','.join(map(str, values))}: give {count} values, one for each of the {count} {kind}"
            )
    if model.skips != "concat" and (model.arch != "unet-fast" or model.network):
        raise UsageError(f"skips: {_not_fast(model)}; leave it out")


def _not_fast(model: Model) -> str:
    return f"the network is that of {model.network}" if model.network else "only --arch unet-fast can be told that"
