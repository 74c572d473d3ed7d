"""The networks: the U-Net of the paper, and one made for fast int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer.architecture import Model, decoder_depths, decoder_widths, encoder_depths, stage_widths
from trainer.network.blocks import conv, conv_block, upsampling_block
from trainer.network.names import LOGITS, OWN_LOGITS
from trainer.network.own import own_network

PIXEL_OFFSET = 128.0
PIXEL_SCALE = 1.0 / 64.0
"""Input scaling (pixel − 128) / 64: zero padding is mid-grey, and symmetric int8 holds every pixel value exactly."""


def build(model: Model, classes: int, height: int | None = None, width: int | None = None, own: int = 0) -> Any:
    """The network of a recipe.

    Args:
        classes: number of classes.
        height, width: of the picture in pixels; None for any.
        own: with `model.subpixel`, finer classes of a second head, at half size; 0: there is none.

    Returns:
        keras.Model: float pixels 0…255, (N, H, W, 3) RGB → float32 logits (N, H/s, W/s, classes) with s =
        `model.logits_stride`. With `model.subpixel` (N, H/2, W/2, 4 · classes + own), see
        `trainer.labels.subpixel`.

    Raises:
        ValueError: height or width does not halve often enough.
        UsageError: `model.network` is no network for that.
    """
    if model.network:
        return own_network(Path(model.network), classes, height, width)
    if model.arch == "unet-fast":
        return build_fast(model, classes, height, width, own)
    return build_unet(model, classes, height, width)


def _check(stages: int, height: int | None, width: int | None) -> None:
    multiple = 2**stages
    for name, size in (("height", height), ("width", width)):
        if size is not None and size % multiple:
            raise ValueError(f"{name} {size} is no multiple of {multiple}, which {stages} halvings need")


def picture_input(size: tuple[int, int] | None = None) -> tuple[Any, Any]:
    """Where a network begins: the picture, and the same scaled to about −2…2, as `seg-trainer export` expects it.

    Args:
        size: (width, height) in pixels; None for any.

    Returns:
        keras tensors (N, H, W, 3): pixels 0…255, for `keras.Model(inputs=…)`, and the scaled ones to go on with.
    """
    import keras
    from keras import layers

    width, height = size or (None, None)
    frame = keras.Input((height, width, 3), name="frame")
    return frame, layers.Rescaling(PIXEL_SCALE, offset=-PIXEL_OFFSET * PIXEL_SCALE, name="scale")(frame)


def _style(model: Model) -> dict[str, Any]:
    """What a recipe says of every block."""
    return {"residual": model.residual, "norm": model.norm, "norm_momentum": model.norm_momentum}


def build_unet(model: Model, classes: int, height: int | None = None, width: int | None = None) -> Any:
    """The U-Net of Ronneberger et al. (2015) with padded convolutions: logits at full resolution.

    Max pooling between the stages, Conv2DTranspose on the way up, skip connections by concatenation, dropout in the
    two deepest stages.

    Args, returns, raises: as `build`.
    """
    import keras
    from keras import layers

    widths = stage_widths(model)
    last = len(widths) - 1
    _check(last, height, width)
    frame, x = picture_input((width, height) if width and height else None)
    skips = []
    for stage, channels in enumerate(widths):
        dropout = model.dropout if stage >= last - 1 else 0.0
        x = conv_block(x, channels, name=f"down{stage}", dropout=dropout, **_style(model))
        if stage < last:
            skips.append(x)
            x = layers.MaxPooling2D(name=f"down{stage}_pool")(x)
    for stage in reversed(range(last)):
        x = upsampling_block(x, skips[stage], widths[stage], name=f"up{stage}", **_style(model))
    return keras.Model(frame, layers.Conv2D(classes, 1, dtype="float32", name=LOGITS)(x), name="unet")


def build_fast(model: Model, classes: int, height: int | None = None, width: int | None = None, own: int = 0) -> Any:
    """A U-Net for fast int8: each stage halves with its first convolution's stride, logits at half resolution.

    Plain 3×3 convolutions, batch norm and ReLU only; the decoder doubles with 2×2 transposed convolutions; the last
    doubling is bilinear and belongs to the exported graph, or is learned (`model.subpixel`). `model.context` adds
    dilated convolutions on the smallest map (Yu and Koltun, 2016): they see more of the street around an object and
    cost little there. Skip connections are concatenated, or added as in LinkNet (Chaurasia and Culurciello, 2017).

    Args, returns, raises: as `build`; len(widths) halvings.
    """
    import keras
    from keras import layers

    widths = stage_widths(model)
    _check(len(widths), height, width)
    frame, x = picture_input((width, height) if width and height else None)
    skips = []
    for stage, (channels, depth) in enumerate(zip(widths, encoder_depths(model), strict=True)):
        x = conv_block(x, channels, name=f"down{stage}", stride=2, convolutions=depth, **_style(model))
        skips.append(x)
    for dilation in model.context:
        x = conv(
            x, widths[-1], f"context{dilation}", dilation=dilation, norm=model.norm, norm_momentum=model.norm_momentum
        )
    decoder = list(enumerate(zip(decoder_widths(model), decoder_depths(model), strict=True)))
    for stage, (channels, depth) in reversed(decoder):
        x = upsampling_block(
            x,
            skips[stage],
            channels,
            name=f"up{stage}",
            kernel=2,
            skips=model.skips,
            convolutions=depth,
            **_style(model),
        )
    if not model.subpixel:
        return keras.Model(frame, layers.Conv2D(classes, 1, dtype="float32", name=LOGITS)(x), name="unet_fast")
    logits = layers.Conv2D(4 * classes, 3, padding="same", dtype="float32", name=LOGITS)(x)
    if own:
        finer = layers.Conv2D(own, 1, dtype="float32", name=OWN_LOGITS)(x)
        logits = layers.Concatenate(name="both_logits", dtype="float32")([logits, finer])
    return keras.Model(frame, logits, name="unet_fast")
