"""Between RGB and YUV: the one place that knows the numbers."""

from __future__ import annotations

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray, YuvPlanes

LUMA_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
"""(kr, kb) of ITU-R BT.601-7 item 2.5.1, BT.709-6 item 3.2, BT.2020-2 table 4."""


def rgb_to_yuv(color: tuple[int, int, int], matrix: str, full_range: bool) -> tuple[int, int, int]:
    """One colour as 8-bit Y, Cb, Cr (ITU-R BT.601-7 / BT.709-6 / BT.2020-2, quantised as item 3.5 says).

    Args:
        color: (red, green, blue), 0…255.
        matrix: "bt601", "bt709" or "bt2020".
        full_range: 0…255 instead of 16…235 and 16…240.
    """
    kr, kb = LUMA_WEIGHTS[matrix]
    red, green, blue = (c / 255 for c in color)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb = (blue - luma) / (2 * (1 - kb))
    cr = (red - luma) / (2 * (1 - kr))
    luma_scale, chroma_scale, offset = (255, 255, 0) if full_range else (219, 224, 16)
    values = (luma * luma_scale + offset, cb * chroma_scale + 128, cr * chroma_scale + 128)
    y, u, v = (min(255, max(0, round(value))) for value in values)
    return y, u, v


def rgb_to_yuv420(rgb: ByteArray) -> YuvPlanes:
    """RGB to YUV 4:2:0, BT.709, limited range (ITU-R BT.709-6, items 3.2-3.5); chroma is the mean of each 2×2 block.

    Args:
        rgb: shape (H, W, 3), uint8, RGB; odd sizes are padded by repeating the last row and column.
    """
    height, width = rgb.shape[:2]
    # coefficients of BT.709 scaled to 219 (luma) and 224 (chroma) steps
    kr, kb = LUMA_WEIGHTS["bt709"]
    kg = 1 - kr - kb
    luma = np.array([[kr, kg, kb]]) * (219 / 255)
    blue = np.array([[-kr, -kg, 1 - kb]]) / (2 * (1 - kb)) * (224 / 255)
    red = np.array([[1 - kr, -kg, -kb]]) / (2 * (1 - kr)) * (224 / 255)
    matrix = np.concatenate([luma, blue, red]).astype(np.float32)
    offset = np.array([[16], [128], [128]], np.float32)
    full = cv2.transform(rgb, np.hstack([matrix, offset]))
    if height % 2 or width % 2:
        padded = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    else:
        padded = rgb
    half = cv2.resize(padded, (padded.shape[1] // 2, padded.shape[0] // 2), interpolation=cv2.INTER_AREA)
    chroma = cv2.transform(half, np.hstack([matrix, offset]))
    return YuvPlanes(
        np.ascontiguousarray(full[:, :, 0]),
        np.ascontiguousarray(chroma[:, :, 1]),
        np.ascontiguousarray(chroma[:, :, 2]),
        "bt709",
        False,
    )
