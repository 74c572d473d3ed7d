"""How a training picture looks: tones, weather, blur, noise and JPEG damage; what it shows stays where it is."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.recipe import Augment


def change_look(rng: np.random.Generator, augment: Augment, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Random brightness, contrast, gamma, colour cast, saturation, weather, blur, noise and JPEG damage.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed. Blur and JPEG damage are as strong as they look at 384 pixels wide,
            and milder on smaller pictures, where a pixel holds more.
    """
    out = picture
    strength, small = augment.color, min(1.0, picture.shape[1] / 384)
    if strength and rng.random() < 0.5:  # saturation, towards or away from grey
        amount = 1.0 + strength * (rng.uniform(-1.0, 0.5) if rng.random() < 0.9 else -1.0)
        grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        out = cv2.addWeighted(out, amount, grey, 1.0 - amount, 0.0)
    if strength:
        out = cv2.LUT(out, _tone_table(rng, strength))
    for share, change in ((augment.night, night), (augment.fog, fog), (augment.rain, rain)):
        if rng.random() < share:
            out = change(rng, out)
    if rng.random() < augment.blur:
        out = cv2.GaussianBlur(out, (0, 0), max(0.2, rng.uniform(0.4, 1.6) * small))
    if rng.random() < augment.noise:
        out = _add_noise(rng, out, rng.uniform(2.0, 14.0))
    if rng.random() < augment.jpeg:
        quality = int(rng.integers(15, 70) * small + 85 * (1 - small))
        _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return out


def repaint(rng: np.random.Generator, augment: Augment, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Other clothes and paint: colour channels in another order for half of the pictures, and another tone."""
    if not augment.color:
        return picture
    mixed = picture[:, :, rng.permutation(3)] if rng.random() < 0.5 else picture
    return cv2.LUT(np.ascontiguousarray(mixed), _tone_table(rng, augment.color))


def blank(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Black (mostly) or of one colour, with or without noise; of the shape of `picture`."""
    color = rng.uniform(0, 25, 3) if rng.random() < 0.7 else rng.uniform(0, 255, 3)
    out = np.empty_like(picture)
    out[:] = color
    return _add_noise(rng, out, rng.uniform(0.5, 6.0)) if rng.random() < 0.6 else out


def fog(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fog that thickens towards the horizon: c·t + grey·(1 − t), t = exp(−density · distance) (Koschmieder, 1924).

    Distance is guessed from the row, as on a flat road: the bottom is near, the upper half far.
    """
    height = picture.shape[0]
    horizon = rng.uniform(0.35, 0.5)
    below = np.clip((np.arange(height) / height - horizon) / (1 - horizon), 0.06, 1.0)
    seen = np.exp(-rng.uniform(0.06, 0.3) / below)[:, None, None].astype(np.float32)
    air = np.float32(rng.uniform(170, 235))
    return np.asarray(picture * seen + air * (1 - seen), np.uint8)


def rain(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bright streaks of one direction, and a duller picture under them."""
    height, width = picture.shape[:2]
    drops = (rng.random((height, width), np.float32) > rng.uniform(0.985, 0.997)).astype(np.float32)
    length = int(rng.integers(7, 17)) | 1
    slant = rng.uniform(-0.4, 0.4)
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    cv2.line(kernel, (round(middle - slant * middle), 0), (round(middle + slant * middle), length - 1), 1.0)
    streaks = np.minimum(cv2.filter2D(drops, -1, kernel), 1.0)[:, :, None] * np.float32(rng.uniform(40, 90))
    dull = cv2.LUT(picture, np.clip((np.arange(256) - 128) * 0.8 + 118, 0, 255).astype(np.uint8))
    return np.clip(dull + streaks, 0, 255).astype(np.uint8)


def night(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark and bluish, with a pool of light on the lower middle, and the noise of a sensor at its limit."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = ((x / width - rng.uniform(0.4, 0.6)) / 0.35) ** 2 + ((y / height - 0.85) / 0.3) ** 2
    light = (rng.uniform(0.12, 0.3) + rng.uniform(0.3, 0.6) * np.exp(-away))[:, :, None]
    tint = np.array([0.9, 0.95, 1.15], np.float32)
    dark = np.clip(picture * light * tint, 0, 255).astype(np.uint8)
    return _add_noise(rng, dark, rng.uniform(4.0, 12.0))


def _tone_table(rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.uint8]:
    """(1, 256, 3) uint8 table of gamma, contrast, brightness and a colour cast."""
    x = np.linspace(0.0, 1.0, 256)[:, None]
    gamma = math.exp(strength * rng.uniform(-0.5, 0.5)) if rng.random() < 0.7 else 1.0
    contrast = 1.0 + strength * rng.uniform(-0.35, 0.4)
    cast = np.exp(strength * rng.uniform(-0.12, 0.12, 3))
    y = (np.power(x, gamma) - 0.5) * contrast + 0.5 + strength * rng.uniform(-0.15, 0.15)
    return np.clip(y * cast * 255.0 + 0.5, 0, 255).astype(np.uint8)[None]


_NOISE = np.random.default_rng(0).standard_normal(1 << 20).astype(np.float32)


def _add_noise(rng: np.random.Generator, picture: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Gaussian noise of `sigma` grey levels, cut out of one long strip: drawing it anew costs more than the warp."""
    start = int(rng.integers(0, _NOISE.size - picture.size)) if picture.size < _NOISE.size else 0
    noise = (
        np.resize(_NOISE[start:], picture.size) if picture.size > _NOISE.size else _NOISE[start : start + picture.size]
    )
    return cv2.add(picture, (noise * sigma).reshape(picture.shape), dtype=cv2.CV_8U)
