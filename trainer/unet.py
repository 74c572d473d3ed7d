"""The U-Net: strided stem, five stages of two plain 3×3 convolutions, logits at half resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

STRIDE_OF_LOGITS = 2
PIXEL_OFFSET = 128.0
PIXEL_SCALE = 1.0 / 64.0
"""Input scaling (pixel − 128) / 64: zero padding is mid-grey, and symmetric int8 holds every pixel value exactly."""


def build_unet(
    classes: int,
    widths: Sequence[int] = (16, 32, 64, 128, 192),
    height: int | None = None,
    width: int | None = None,
) -> Any:
    """A U-Net (Ronneberger et al., 2015) for fast int8: each stage halves with its first convolution's stride.

    Plain 3×3 convolutions, batch norm and ReLU only; the decoder doubles with 2×2 transposed convolutions and joins
    the encoder's map of that size by concatenation.

    Args:
        classes: number of classes.
        widths: channels of the stages, from half resolution down; len(widths) halvings.
        height, width: of the picture in pixels, multiples of 2 ** len(widths); None for any.

    Returns:
        keras.Model: float pixels 0…255, (N, H, W, 3) RGB → float32 logits (N, H/2, W/2, classes).

    Raises:
        ValueError: height or width is no multiple of 2 ** len(widths).
    """
    import keras
    from keras import layers

    multiple = 2 ** len(widths)
    for name, size in (("height", height), ("width", width)):
        if size is not None and size % multiple:
            raise ValueError(f"{name} {size} is no multiple of {multiple}, which {len(widths)} stages need")

    def conv(x: Any, channels: int, name: str, stride: int = 1) -> Any:
        x = layers.Conv2D(
            channels,
            3,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv",
        )(x)
        x = layers.BatchNormalization(momentum=0.98, epsilon=1e-3, name=f"{name}_norm")(x)
        return layers.Activation("relu", name=f"{name}_relu")(x)

    frame = keras.Input((height, width, 3), name="frame")
    x = layers.Rescaling(PIXEL_SCALE, offset=-PIXEL_OFFSET * PIXEL_SCALE, name="scale")(frame)
    skips = []
    for stage, channels in enumerate(widths):
        x = conv(x, channels, f"down{stage}a", stride=2)
        x = conv(x, channels, f"down{stage}b")
        skips.append(x)
    for stage in reversed(range(len(widths) - 1)):
        channels = widths[stage]
        x = layers.Conv2DTranspose(channels, 2, strides=2, kernel_initializer="he_normal", name=f"up{stage}_double")(x)
        x = layers.Concatenate(name=f"up{stage}_join")([x, skips[stage]])
        x = conv(x, channels, f"up{stage}a")
        x = conv(x, channels, f"up{stage}b")
    logits = layers.Conv2D(classes, 1, dtype="float32", name="logits")(x)
    return keras.Model(frame, logits, name="unet")
