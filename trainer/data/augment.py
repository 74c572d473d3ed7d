"""Augmentation of picture and mask together: one warp, then colours, weather, blur, noise and JPEG damage."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID
from trainer.recipe import Augment

LARGEST_DONATION = 0.4
"""Share of a crop that objects laid over it may cover."""


@dataclass(frozen=True)
class View:
    """What a training picture is cut to.

    Args:
        crop: (width, height) of the crop in pixels.
        frame: (width, height) that the exported model sees; every picture is first stretched to it.
        mask_stride: the mask comes out at 1 / mask_stride of the crop.
        background: mask id of an own bonnet that is drawn and of blank pictures; None: they are ignored.
        road: mask ids of what is painted on.
        things: mask ids of what stands in shade.
    """

    crop: tuple[int, int]
    frame: tuple[int, int]
    mask_stride: int = 1
    background: int | None = None
    road: tuple[int, ...] = ()
    things: tuple[int, ...] = ()


@dataclass(frozen=True)
class Donor:
    """A pair whose objects are laid over another.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 ids.
        points: (n, 2) of x, y pixels of those objects.
        ids: (256,) bool: mask ids that are laid over.
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    points: NDArray[np.integer]
    ids: NDArray[np.bool_]


def warp_matrix(
    rng: np.random.Generator,
    view: View,
    augment: Augment,
    size: tuple[int, int],
    points: NDArray[np.integer] | None = None,
) -> NDArray[np.float64]:
    """Random affine map from crop to source, in continuous coordinates (pixel i covers i…i+1).

    Args:
        size: (width, height) of the source picture.
        points: (n, 2) of x, y source pixels worth looking at, or None.

    Returns:
        (2, 3) float64: source = M · (x, y, 1) of the crop.
    """
    (crop_w, crop_h), (frame_w, frame_h), (source_w, source_h) = view.crop, view.frame, size
    zoom = math.exp(rng.uniform(*np.log(augment.zoom)))
    aspect = math.exp(rng.uniform(*np.log(augment.aspect)) / 2)
    scale_x = frame_w / source_w * zoom * aspect
    scale_y = frame_h / source_h * zoom / aspect
    flip = -1.0 if rng.random() < augment.flip else 1.0
    angle = math.radians(rng.uniform(-augment.rotate, augment.rotate))
    cos, sin = math.cos(angle), math.sin(angle)
    # crop = S · R · (source − centre) + crop centre, turned round to give the source of each crop pixel
    linear = np.array([[flip * cos / scale_x, -sin / scale_x], [flip * sin / scale_y, cos / scale_y]])
    view_w, view_h = crop_w / scale_x, crop_h / scale_y
    if points is not None and len(points) and rng.random() < augment.focus:
        x, y = points[rng.integers(len(points))]
        centre = np.array([x + rng.uniform(-0.35, 0.35) * view_w, y + rng.uniform(-0.35, 0.35) * view_h])
    else:
        centre = np.array([rng.uniform(0, source_w), rng.uniform(0, source_h)])
    # a crop as large as the picture sits in its middle; a smaller one stays inside
    for axis, (view, full) in enumerate(((view_w, source_w), (view_h, source_h))):
        margin = min(view, full) / 2
        centre[axis] = np.clip(centre[axis], margin, full - margin)
        if view > full:
            centre[axis] = full / 2 + rng.uniform(-0.5, 0.5) * (view - full)
    shift = centre - linear @ np.array([crop_w / 2, crop_h / 2])
    return np.hstack([linear, shift[:, None]])


def _pixel_matrix(matrix: NDArray[np.float64], stride: int) -> NDArray[np.float64]:
    """The same map between pixel indices (centres at integers), for an output at 1 / stride."""
    linear = matrix[:, :2] * stride
    shift = matrix[:, 2] + linear @ np.array([0.5, 0.5]) - 0.5
    return np.hstack([linear, shift[:, None]])


def plain_matrix(view: View, size: tuple[int, int]) -> NDArray[np.float64]:
    """The map of a picture stretched to the frame, its middle cut to the crop; nothing random."""
    (crop_w, crop_h), (frame_w, frame_h), (source_w, source_h) = view.crop, view.frame, size
    linear = np.diag([source_w / frame_w, source_h / frame_h])
    shift = np.array([source_w / 2, source_h / 2]) - linear @ np.array([crop_w / 2, crop_h / 2])
    return np.hstack([linear, shift[:, None]])


def crop_pair(
    rng: np.random.Generator,
    view: View,
    augment: Augment,
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    points: NDArray[np.integer] | None = None,
    donor: Donor | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One random crop of a pair; the mask is sampled by nearest neighbour, so it only holds ids that were in it or 255.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 class ids.
        points: see `warp_matrix`.
        donor: what is laid over it, if anything.

    Returns:
        Picture (crop height, crop width, 3) uint8 and mask (crop height, crop width) / mask_stride, uint8; outside
        of the source the picture is mirrored and the mask 255.
    """
    out, out_mask = _cut(rng, view, augment, picture, mask, points)
    if not augment.augment:
        return out, out_mask
    background = IGNORE_ID if view.background is None else view.background
    if rng.random() < augment.blank:
        return _blank(rng, out), np.full_like(out_mask, background)
    if rng.random() < augment.paint:
        out = draw_paint(rng, out, _where(out_mask, view.road, out))
    if donor is not None:
        near = dataclasses.replace(augment, focus=1.0)
        other, other_mask = _cut(rng, view, near, donor.picture, donor.mask, donor.points)
        _lay_over(out, out_mask, _repaint(rng, augment, other), other_mask, donor.ids)
    if rng.random() < augment.shade:
        out = draw_shade(rng, out, _where(out_mask, view.things, out))
    if rng.random() < augment.bonnet:
        out, covered = draw_bonnet(rng, out)
        smaller = cv2.resize(covered, out_mask.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        out_mask[smaller > 0] = background
    return change_look(rng, augment, out), out_mask


def _where(mask: NDArray[np.uint8], ids: tuple[int, ...], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8 of the picture's size: 1 where the mask has one of the ids."""
    return cv2.resize(np.isin(mask, ids).astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def _cut(
    rng: np.random.Generator,
    view: View,
    augment: Augment,
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    points: NDArray[np.integer] | None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The random warp of `crop_pair` alone."""
    height, width = mask.shape
    if augment.augment:
        matrix = warp_matrix(rng, view, augment, (width, height), points)
    else:
        matrix = plain_matrix(view, (width, height))
    crop_w, crop_h = view.crop
    inverse = cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(
        picture,
        _pixel_matrix(matrix, 1),
        (crop_w, crop_h),
        flags=cv2.INTER_LINEAR | inverse,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    out_mask = cv2.warpAffine(
        mask,
        _pixel_matrix(matrix, view.mask_stride),
        (crop_w // view.mask_stride, crop_h // view.mask_stride),
        flags=cv2.INTER_NEAREST | inverse,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=IGNORE_ID,
    )
    return out, out_mask


def _lay_over(
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    other: NDArray[np.uint8],
    other_mask: NDArray[np.uint8],
    ids: NDArray[np.bool_],
) -> None:
    """Copy what has one of the mask ids `ids` (256,) from one crop to another, in place; a large piece not at all.

    As in copy-paste augmentation (Ghiasi et al., 2021), its edge softened.
    """
    chosen = ids[other_mask]
    if not 0 < chosen.mean() <= LARGEST_DONATION:
        return
    mask[chosen] = other_mask[chosen]
    share = cv2.resize(chosen.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)[:, :, None]
    picture[:] = picture * (1 - share) + other * share + np.float32(0.5)


def _repaint(rng: np.random.Generator, augment: Augment, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Other clothes and paint: colour channels in another order for half of the pictures, and another tone."""
    if not augment.color:
        return picture
    mixed = picture[:, :, rng.permutation(3)] if rng.random() < 0.5 else picture
    return cv2.LUT(np.ascontiguousarray(mixed), _tone_table(rng, augment.color))


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
        out = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return out


def draw_bonnet(rng: np.random.Generator, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A made-up bonnet or dashboard along the lower edge: mostly dark, curved, mirroring what is above it.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed.

    Returns:
        The picture with it, and (H, W) uint8: 1 where it covers.
    """
    height, width = picture.shape[:2]
    x = np.arange(width) / width - rng.uniform(0.2, 0.8)
    top = 1.0 - rng.uniform(0.05, 0.28) + rng.uniform(-0.05, 0.35) * x**2 + rng.uniform(-0.06, 0.06) * x
    rows = np.arange(height)[:, None] / height
    below = rows - top[None]  # how far under the edge, of the height
    covered = (below >= 0).astype(np.uint8)
    paint = rng.uniform(5, 70) * np.ones(3) if rng.random() < 0.7 else rng.uniform(20, 230, 3)
    paint = np.clip(paint * rng.uniform(0.85, 1.15, 3), 0, 255)
    shade = 1.0 + rng.uniform(-0.6, 0.6) * np.clip(below / 0.25, 0, 1)
    body = (shade[:, :, None] * paint).astype(np.float32)
    if rng.random() < 0.7:
        sharpness = (0, 0), float(rng.uniform(1.0, 6.0))
        mirrored = cv2.GaussianBlur(np.ascontiguousarray(picture[::-1]), *sharpness).astype(np.float32)
        shift = round(height * (2 * float(np.median(top)) - 1))  # the edge mirrors onto itself
        body += np.float32(rng.uniform(0.05, 0.5)) * np.roll(mirrored, shift, axis=0)
    if rng.random() < 0.4:  # a bright rim where it meets the street
        body += np.float32(rng.uniform(20, 90)) * np.exp(-((below / 0.012) ** 2))[:, :, None].astype(np.float32)
    for _ in range(int(rng.integers(0, 4))):  # vents, wipers, things that lie there
        centre = (int(rng.integers(width)), int(rng.integers(round(height * 0.75), height)))
        size = (int(rng.integers(4, max(5, width // 6))), int(rng.integers(2, max(3, height // 14))))
        tone = rng.uniform(0, 90) * np.ones(3)
        cv2.ellipse(body, centre, size, float(rng.uniform(-30, 30)), 0, 360, tone.tolist(), -1)
    soft = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), float(rng.uniform(0.5, 1.5)))[:, :, None]
    drawn = picture * (1 - soft) + np.clip(body, 0, 255) * soft
    return np.asarray(drawn + 0.5, np.uint8), covered


def draw_paint(rng: np.random.Generator, picture: NDArray[np.uint8], ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Letters, arrows, bars and patches of tar as they lie on a road, seen from a car: it stays road.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed.
        ground: (H, W) uint8: 1 where there is road; nothing is drawn elsewhere.
    """
    height, width = picture.shape[:2]
    ys, xs = np.nonzero(ground)
    out = picture
    for _ in range(int(rng.integers(1, 5)) if len(xs) else 0):
        sign = _road_sign(rng)
        place = int(rng.integers(len(xs)))
        wide = width * rng.uniform(0.06, 0.6)
        high, narrower, shear = wide * rng.uniform(0.08, 0.6), rng.uniform(0.5, 1.0), wide * rng.uniform(-0.6, 0.6)
        bottom = np.array([[-wide / 2, high / 2], [wide / 2, high / 2]])
        top = np.array([[wide / 2 * narrower + shear, -high / 2], [-wide / 2 * narrower + shear, -high / 2]])
        corners = np.concatenate([top[::-1], bottom[::-1]]) + np.array([xs[place], ys[place]])
        sign_h, sign_w = sign.shape
        square = np.array([[0, 0], [sign_w, 0], [sign_w, sign_h], [0, sign_h]], np.float32)
        seen = cv2.warpPerspective(
            sign, cv2.getPerspectiveTransform(square, corners.astype(np.float32)), (width, height), flags=cv2.INTER_AREA
        )
        kind = rng.random()
        tone = np.array([1, 1, 1] if kind < 0.6 else [1, 0.82, 0.25]) * rng.uniform(170, 255)
        if kind > 0.85:
            tone = rng.uniform(10, 80) * np.ones(3)
        share = (seen * ground / 255.0 * rng.uniform(0.5, 1.0)).astype(np.float32)[:, :, None]
        out = np.asarray(out * (1 - share) + tone.astype(np.float32) * share + 0.5, np.uint8)
    return out


def draw_shade(rng: np.random.Generator, picture: NDArray[np.uint8], things: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Some of the things dark, as in black clothes or black paint; or as often a dark patch, whatever lies in it.

    The patches keep a network from taking dark for a person.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed.
        things: (H, W) uint8: 1 where there is one.
    """
    height, width = things.shape
    dark = np.zeros_like(things)
    if rng.random() < 0.5 and things.any():
        count, pieces = cv2.connectedComponents(things)
        dark = (rng.random(count) < 0.6).astype(np.uint8)[pieces] * things
    else:
        for _ in range(int(rng.integers(1, 4))):
            middle, spread = rng.uniform(0, (width, height)), rng.uniform(0.03, 0.3) * width
            corners = (middle + rng.normal(0, spread, (6, 2))).astype(np.int32)
            cv2.fillPoly(dark, [cv2.convexHull(corners)], 1)
    soft = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))[:, :, None]
    light = rng.uniform(0.08, 0.6) * rng.uniform(0.9, 1.1, 3)
    return np.asarray(picture * (1 - soft * (1 - light).astype(np.float32)) + 0.5, np.uint8)


def _road_sign(rng: np.random.Generator) -> NDArray[np.uint8]:
    """White on black: a word, an arrow, bars, a ring or a patch, (96, W) uint8."""
    kind = int(rng.integers(6))
    if kind < 2:
        word = "".join(chr(int(rng.integers(65, 91))) for _ in range(int(rng.integers(2, 9))))
        canvas = np.zeros((96, 56 * len(word) + 24), np.uint8)
        cv2.putText(canvas, word, (10, 78), cv2.FONT_HERSHEY_SIMPLEX, 2.4, 255, int(rng.integers(5, 16)), cv2.LINE_AA)
        return canvas
    canvas = np.zeros((96, 192), np.uint8)
    if kind == 2:
        cv2.arrowedLine(
            canvas, (16, 48), (176, int(rng.integers(16, 80))), 255, int(rng.integers(6, 20)), tipLength=0.3
        )
    elif kind == 3:
        step = int(rng.integers(16, 48))
        for x in range(0, 192, step):
            canvas[:, x : x + step // 2] = 255
    elif kind == 4:
        cv2.ellipse(canvas, (96, 48), (84, 38), 0, 0, 360, 255, int(rng.integers(6, 18)))
    else:
        points = rng.integers(0, (192, 96), size=(6, 2)).astype(np.int32)
        cv2.fillPoly(canvas, [cv2.convexHull(points)], 255)
    return canvas


def _blank(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Black (mostly) or of one colour, with or without noise; of the shape of `picture`."""
    color = rng.uniform(0, 25, 3) if rng.random() < 0.7 else rng.uniform(0, 255, 3)
    out = np.empty_like(picture)
    out[:] = color
    return _add_noise(rng, out, rng.uniform(0.5, 6.0)) if rng.random() < 0.6 else out


def _tone_table(rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.uint8]:
    """(1, 256, 3) uint8 table of gamma, contrast, brightness and a colour cast."""
    x = np.linspace(0.0, 1.0, 256)[:, None]
    gamma = math.exp(strength * rng.uniform(-0.5, 0.5)) if rng.random() < 0.7 else 1.0
    contrast = 1.0 + strength * rng.uniform(-0.35, 0.4)
    cast = np.exp(strength * rng.uniform(-0.12, 0.12, 3))
    y = (np.power(x, gamma) - 0.5) * contrast + 0.5 + strength * rng.uniform(-0.15, 0.15)
    return np.clip(y * cast * 255.0 + 0.5, 0, 255).astype(np.uint8)[None]


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


_NOISE = np.random.default_rng(0).standard_normal(1 << 20).astype(np.float32)


def _add_noise(rng: np.random.Generator, picture: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Gaussian noise of `sigma` grey levels, cut out of one long strip: drawing it anew costs more than the warp."""
    start = int(rng.integers(0, _NOISE.size - picture.size)) if picture.size < _NOISE.size else 0
    noise = (
        np.resize(_NOISE[start:], picture.size) if picture.size > _NOISE.size else _NOISE[start : start + picture.size]
    )
    return cv2.add(picture, (noise * sigma).reshape(picture.shape), dtype=cv2.CV_8U)
