"""The blocks that the networks here are made of, for networks of one's own too."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from trainer.architecture import CONVOLUTIONS

NORM_EPSILON = 1e-3
NORM_MOMENTUM = 0.98


def conv(
    x: Any,
    filters: int,
    name: str | None = None,
    *,
    stride: int = 1,
    relu: bool = True,
    dilation: int = 1,
    norm: bool = True,
    norm_momentum: float = NORM_MOMENTUM,
) -> Any:
    """3×3 convolution (He initialisation), batch norm unless `norm` is off, ReLU unless `relu` is."""
    from keras import layers

    x = layers.Conv2D(
        filters,
        3,
        strides=stride,
        dilation_rate=dilation,
        padding="same",
        use_bias=not norm,
        kernel_initializer="he_normal",
        name=_named(name, "conv"),
    )(x)
    if norm:
        x = layers.BatchNormalization(momentum=norm_momentum, epsilon=NORM_EPSILON, name=_named(name, "norm"))(x)
    return layers.Activation("relu", name=_named(name, "relu"))(x) if relu else x


def conv_block(
    x: Any,
    filters: int,
    *,
    name: str | None = None,
    stride: int = 1,
    dropout: float = 0.0,
    residual: bool = False,
    convolutions: int = CONVOLUTIONS,
    norm: bool = True,
    norm_momentum: float = NORM_MOMENTUM,
) -> Any:
    """3×3 convolutions, two unless told otherwise, each with batch norm and ReLU.

    Args:
        x: keras tensor (N, H, W, C).
        filters: channels of each.
        name: prefix of the layers' names; Keras names them when it is not given.
        stride: of the first convolution.
        dropout: share of the activations that is dropped behind them.
        residual: add the block's input before the last ReLU. The input passes a 1×1 convolution, after 2×2 average
            pooling where the block halves (ResNet-D, He et al., 2019; a 1×1 convolution of stride 2 also crashes
            TensorFlow 2.21 on processors while it trains). The picture itself is not added to anything.
        convolutions: 1 or more.
        norm: batch norm; without it the convolutions have biases.
        norm_momentum: of its moving averages.

    Returns:
        keras tensor (N, H / stride, W / stride, filters).
    """
    from keras import layers

    start, residual = x, residual and x.shape[-1] > 3
    common: dict[str, Any] = {"norm": norm, "norm_momentum": norm_momentum}
    for index in range(convolutions):
        last = index == convolutions - 1
        part = name and f"{name}{ascii_lowercase[index]}"
        x = conv(x, filters, part, stride=1 if index else stride, relu=not (residual and last), **common)
    if residual:
        if stride > 1:
            start = layers.AveragePooling2D(stride, name=_named(name, "pool"))(start)
        start = layers.Conv2D(filters, 1, kernel_initializer="he_normal", name=_named(name, "short"))(start)
        x = layers.Activation("relu", name=_named(name, "relu"))(layers.Add(name=_named(name, "add"))([x, start]))
    return layers.Dropout(dropout, name=_named(name, "drop"))(x) if dropout else x


def upsampling_block(
    x: Any, skip: Any, filters: int, *, name: str | None = None, kernel: int = 3, skips: str = "concat", **block: Any
) -> Any:
    """Transposed convolution that doubles, joined with the encoder's map of that size, then a `conv_block`.

    Added, the encoder's map passes a 1×1 convolution where it has other channels: that costs D · filters a pixel, where
    concatenating costs the 3×3 convolution behind it 9 · D · filters.

    Args:
        x: keras tensor (N, H, W, C).
        skip: keras tensor (N, 2 H, 2 W, D): the skip connection.
        filters: channels of all these convolutions.
        name: prefix of the layers' names.
        kernel: side of the transposed convolution's kernel, pixels.
        skips: how the two are joined: "concat" side by side, or "add".
        block: further arguments of `conv_block`.

    Returns:
        keras tensor (N, 2 H, 2 W, filters).
    """
    from keras import layers

    x = layers.Conv2DTranspose(
        filters, kernel, strides=2, padding="same", kernel_initializer="he_normal", name=_named(name, "double")
    )(x)
    if skips == "concat":
        x = layers.Concatenate(name=_named(name, "join"))([x, skip])
    else:
        if skip.shape[-1] != filters:
            skip = layers.Conv2D(filters, 1, kernel_initializer="he_normal", name=_named(name, "skip"))(skip)
        # no batch norm before this ReLU: in int8 sum and ReLU are part of the kernel that makes one of the two
        x = layers.Activation("relu", name=_named(name, "sum_relu"))(layers.Add(name=_named(name, "sum"))([x, skip]))
    return conv_block(x, filters, name=name, **block)


def _named(name: str | None, part: str) -> str | None:
    return f"{name}_{part}" if name else None
