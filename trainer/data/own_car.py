"""The car that carries the camera, drawn into training pictures: bonnet, dashboard, what lies and shines there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


@dataclass
class _Canvas:
    """A picture that is drawn on.

    Args:
        picture: (H, W, 3) float32 RGB, 0…255.
        street: the picture before anything was drawn, the same shape; what mirrors, mirrors this.
        covered: (H, W) float32: 1 where the own car is, fractions along its edge.
    """

    picture: Image
    street: Image
    covered: Image

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.covered.shape[0], self.covered.shape[1]

    def lay(self, body: Image, share: Image, at: tuple[int, int] = (0, 0)) -> None:
        """Lay a body over it, (h, w, 3) or one colour (3,), where its share (h, w) is; it belongs to the own car.

        Args:
            body: clipped to 0…255.
            share: 0…1.
            at: row and column of the canvas where both begin; they end within it.
        """
        part = slice(at[0], at[0] + share.shape[0]), slice(at[1], at[1] + share.shape[1])
        shown, covered = self.picture[part], self.covered[part]
        shown += share[:, :, None] * (np.clip(body, 0, 255) - shown)
        np.maximum(covered, share, out=covered)

    def first_row(self, highest: float, above: float = 0.0) -> int:
        """The first row of what lies below a height (share of the picture), blurred by a row or two, and `above` it."""
        return int(np.clip((highest - above) * self.size[0] - 3, 0, self.size[0] - 1))


def draw_own_car(rng: np.random.Generator, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A made-up bonnet, dashboard or both along the lower edge, with what a dashcam sees of its own car besides.

    Bonnets mirror sky and street; dashboards are as often lit grey like asphalt as they are dark. Glare and what the
    windscreen mirrors lie over the street without covering it.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed.

    Returns:
        The picture with it, and (H, W) uint8: 1 where it covers.
    """
    height, width = picture.shape[:2]
    street = picture.astype(np.float32)
    canvas = _Canvas(street.copy(), street, np.zeros((height, width), np.float32))
    kind = rng.random()
    dash = rng.uniform(0.04, 0.30) * _edge(rng, width, 0.35) if kind > 0.4 else None
    if kind < 0.75:
        bonnet = rng.uniform(0.03, 0.22 if dash is None else 0.1) * _edge(rng, width, 0.9)
        _draw_bonnet(rng, canvas, 1 - bonnet - (0 if dash is None else np.maximum(dash, 0)))
    if dash is not None:
        _draw_dashboard(rng, canvas, 1 - dash)
    if rng.random() < 0.35:
        _draw_wipers(rng, canvas)
    for chance, draw in ((0.3, _draw_phone), (0.15, _draw_pillar), (0.12, _draw_lettering)):
        if rng.random() < chance:
            draw(rng, canvas)
    if rng.random() < 0.3:
        _mirror_in_windscreen(rng, canvas)
    if rng.random() < 0.25:
        _add_glare(rng, canvas)
    return np.asarray(np.clip(canvas.picture, 0, 255) + 0.5, np.uint8), (canvas.covered > 0.5).astype(np.uint8)


def _edge(rng: np.random.Generator, width: int, bend: float) -> Image:
    """Height of an upper edge along the picture, (W,), about 1 in its middle: flat, curved, or ending part of the way.

    Args:
        bend: how far it may sink to the sides.
    """
    x = np.linspace(-1, 1, width, dtype=np.float32) - np.float32(rng.uniform(-0.5, 0.5))
    sides = np.float32(rng.uniform(-0.3 * bend, bend)) * np.abs(x) ** np.float32(rng.choice([2.0, 2.0, 3.0, 6.0]))
    high = 1 - sides + np.float32(rng.uniform(-0.15, 0.15)) * x
    if rng.random() < 0.2:  # part of the width
        end, soft = rng.uniform(-0.5, 0.8), rng.uniform(0.02, 0.3)
        side = 1.0 if rng.random() < 0.5 else -1.0
        high = high * np.clip((end - side * x) / soft, -1, 1).astype(np.float32)
    if rng.random() < 0.3:  # the hood above the instruments
        middle, wide = rng.uniform(-0.9, 0.9), rng.uniform(0.2, 0.6)
        high = high + np.float32(rng.uniform(0.1, 0.8)) * np.sqrt(np.clip(1 - ((x - middle) / wide) ** 2, 0, 1))
    return np.asarray(high, np.float32)


def _below(canvas: _Canvas, top: Image, first: int) -> tuple[Image, Image]:
    """How far each pixel lies under an edge (W,), as a share of the height, (h, W); and its soft cover.

    Args:
        first: the row to begin with; nothing is computed above it, because nothing is seen there.
    """
    height, _ = canvas.size
    rows = (np.arange(first, height, dtype=np.float32)[:, None] + 0.5) / height
    below = rows - top[None].astype(np.float32)
    return np.asarray(below, np.float32), np.asarray(np.clip(below * height / 1.2 + 0.5, 0, 1), np.float32)


def _tone(rng: np.random.Generator, low: float, high: float, cast: float) -> Image:
    """A grey between two levels with a slight colour cast, (3,)."""
    return np.asarray(rng.uniform(low, high) * rng.uniform(1 - cast, 1 + cast, 3), np.float32)


def _draw_bonnet(rng: np.random.Generator, canvas: _Canvas, top: Image) -> None:
    """Painted metal: light and shade, what it mirrors of sky and street, creases, a bright rim."""
    height, width = canvas.size
    first = canvas.first_row(float(top.min()))
    below, share = _below(canvas, top, first)
    paint = _tone(rng, 5, 70, 0.1) if rng.random() < 0.5 else _tone(rng, 60, 235, 0.12)
    if rng.random() < 0.3:
        paint = np.asarray(rng.uniform(10, 200, 3), np.float32)
    across = np.linspace(-1, 1, width, dtype=np.float32)
    light = 1 + rng.uniform(-0.5, 0.5) * np.clip(below / 0.2, 0, 1) + rng.uniform(-0.3, 0.3) * across[None]
    body = np.asarray(light, np.float32)[:, :, None] * paint
    if rng.random() < 0.85:
        steep = np.float32(rng.uniform(0.7, 6.0))
        rows = (np.arange(first, height, dtype=np.float32)[:, None] / height - below * (1 + steep)) * height
        columns = np.broadcast_to(np.arange(width, dtype=np.float32)[None], rows.shape)
        seen = cv2.remap(
            canvas.street, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        seen = _blurred(seen, float(rng.uniform(0.6, 5.0)) * width / 512)
        mirrors = np.float32(rng.uniform(0.08, 0.85))
        body = body * (1 - np.float32(0.7) * mirrors) + mirrors * seen
    creases = np.zeros_like(share)
    for _ in range(int(rng.integers(0, 4))):  # they run towards the vanishing point
        x, lean = rng.uniform(0, width), rng.uniform(0.3, 0.9)
        end = int(width / 2 + (x - width / 2) * lean), int(height * rng.uniform(0.7, 0.95)) - first
        thick = max(1, round(rng.uniform(0.6, 3) * width / 512))
        cv2.line(creases, (int(x), height - first), end, float(rng.uniform(-50, 60)), thick, cv2.LINE_AA)
    body += cv2.GaussianBlur(creases, (0, 0), 1.0)[:, :, None]
    if rng.random() < 0.45:
        thin = rng.uniform(0.004, 0.015)
        body += np.float32(rng.uniform(-60, 90)) * np.exp(-((below / thin) ** 2))[:, :, None]
    canvas.lay(np.asarray(body, np.float32), share, (first, 0))


def _draw_dashboard(rng: np.random.Generator, canvas: _Canvas, top: Image) -> None:
    """Plastic or leather, dark or lit grey like asphalt: grain, seams, vents, trims, the screen's dark lower edge."""
    height, width = canvas.size
    band = rng.uniform(0.004, 0.03) if rng.random() < 0.5 else 0.0  # dark, between the glass and the dashboard
    first = canvas.first_row(float(top.min()), band)
    below, share = _below(canvas, top, first)
    scale = width / 512
    lit = rng.random() < 0.5
    base = _tone(rng, 55, 165, 0.08) if lit else _tone(rng, 6, 60, 0.12)
    if rng.random() < 0.08:
        base = _tone(rng, 80, 190, 0.3)  # beige, brown, red leather
    deep = np.clip(below / rng.uniform(0.08, 0.35), 0, 1)
    across = np.sin(np.linspace(0, rng.uniform(1, 6), width, dtype=np.float32) + rng.uniform(0, 6))
    light = 1 + rng.uniform(-0.7, 0.4) * deep + rng.uniform(0, 0.25) * across[None]
    body = np.asarray(light, np.float32)[:, :, None] * base
    if rng.random() < 0.6:  # grain, coarse or fine
        coarse = int(rng.integers(1, 7))
        grain = rng.standard_normal((len(below) // coarse + 1, width // coarse + 1), np.float32)
        grain = cv2.resize(grain, (width, len(below)), interpolation=cv2.INTER_LINEAR)
        body += np.float32(rng.uniform(1, 9)) * grain[:, :, None]
    if rng.random() < 0.35:  # the street in a shiny top
        seen = _blurred(np.ascontiguousarray(canvas.street[: len(below)][::-1]), float(rng.uniform(2, 9)) * scale)
        body += np.float32(rng.uniform(0.05, 0.35)) * seen
    for _ in range(int(rng.integers(0, 4))):  # seams, trims and steps follow the edge
        at, thin = rng.uniform(0.01, 0.2), rng.uniform(0.002, 0.012)
        line = np.exp(-(((below - at) / thin) ** 2))
        if rng.random() < 0.3:  # stitches
            line = line * ((np.arange(width) % max(4, round(8 * scale))) < 5 * scale)[None]
        body += np.float32(rng.uniform(-50, 80)) * np.asarray(line, np.float32)[:, :, None]
    for _ in range(int(rng.integers(0, 4))):  # vents, speakers, things that lie there
        _draw_thing(rng, body, top * height - first, height)
    if band:
        canvas.lay(_tone(rng, 2, 45, 0.1), np.clip((below + np.float32(band)) * height, 0, 1), (first, 0))
    if rng.random() < 0.5:  # too near to be sharp
        body = _blurred(np.asarray(body, np.float32), float(rng.uniform(0.5, 2.5)) * scale)
    canvas.lay(np.asarray(body, np.float32), share, (first, 0))


def _draw_thing(rng: np.random.Generator, body: Image, top: Image, height: int) -> None:
    """A vent, a speaker, a sheet of paper or some other thing below the edge, in place.

    Args:
        body: (h, W, 3) float32.
        top: (W,) row of the edge in it.
        height: of the whole picture in pixels.
    """
    width = body.shape[1]
    x = int(rng.integers(width))
    y = int(float(top[x]) + height * rng.uniform(0.02, 0.2))
    wide, high = rng.uniform(0.02, 0.16) * width, rng.uniform(0.01, 0.05) * height
    turn = float(rng.uniform(-25, 25))
    tone = _tone(rng, 0, 60, 0.2) if rng.random() < 0.75 else np.asarray(rng.uniform(40, 250, 3), np.float32)
    if rng.random() < 0.5:
        cv2.ellipse(body, (x, y), (int(wide / 2) + 1, int(high / 2) + 1), turn, 0, 360, tone.tolist(), -1, cv2.LINE_AA)
        return
    _fill(body, _turned((x, y), (wide, high), turn), tone)
    for place in np.linspace(-0.4, 0.4, int(rng.integers(0, 6))):  # slats
        bar = _turned((x, y + place * high), (wide, 1.5), turn)
        _fill(body, bar, tone + np.float32(rng.uniform(10, 60)))


def _draw_wipers(rng: np.random.Generator, canvas: _Canvas) -> None:
    """One or two dark wiper blades, flat above the lower edge."""
    height, width = canvas.size
    low = rng.uniform(0.75, 1.0)
    for _ in range(int(rng.integers(1, 3))):
        x, long, turn = rng.uniform(0, 1), rng.uniform(0.2, 0.6), np.radians(rng.uniform(-25, 12))
        ends = [
            (x * width, low * height),
            ((x - long * np.cos(turn)) * width, low * height + long * np.sin(turn) * width),
        ]
        _cover_line(canvas, ends, rng.uniform(1.5, 5) * width / 512, _tone(rng, 2, 50, 0.1))


def _draw_phone(rng: np.random.Generator, canvas: _Canvas) -> None:
    """A phone, a navigation device or a camera in a holder, standing before the street."""
    height, width = canvas.size
    wide, high = rng.uniform(0.04, 0.18) * width, rng.uniform(0.08, 0.3) * height
    middle = rng.uniform(0, 1) * width, height * (1 - rng.uniform(-0.05, 0.4))
    turn = float(rng.uniform(-30, 30))
    _cover_line(
        canvas, [middle, (middle[0] + rng.uniform(-30, 30), height)], rng.uniform(3, 14), _tone(rng, 2, 50, 0.1)
    )
    _cover(canvas, _turned(middle, (wide, high), turn), _tone(rng, 2, 60, 0.2))
    if rng.random() < 0.6:  # its screen: dark glass, a map, a picture
        screen = _turned(middle, (wide * 0.86, high * 0.86), turn)
        _cover(canvas, screen, np.asarray(rng.uniform(0, 255, 3) * rng.uniform(0.1, 1), np.float32))
        for _ in range(int(rng.integers(0, 4))):
            spot = middle[0] + rng.uniform(-0.3, 0.3) * wide, middle[1] + rng.uniform(-0.3, 0.3) * high
            part = _turned(spot, (wide * rng.uniform(0.1, 0.4), high * rng.uniform(0.1, 0.3)), turn)
            _cover(canvas, part, np.asarray(rng.uniform(0, 255, 3), np.float32))


def _draw_pillar(rng: np.random.Generator, canvas: _Canvas) -> None:
    """A dark pillar, mirror or frame that reaches into the picture from the side or from above."""
    height, width = canvas.size
    left, deep = rng.random() < 0.5, rng.uniform(0.04, 0.25) * width
    if rng.random() < 0.5:  # a pillar, leaning
        lean = rng.uniform(0.0, 1.0)
        corners = [(0.0, 0.0), (deep * lean, 0.0), (deep, float(height)), (0.0, float(height))]
    else:  # a mirror, a bracket
        y, tall = rng.uniform(0, 0.9) * height, rng.uniform(0.08, 0.3) * height
        corners = [
            (0, y),
            (deep, y + rng.uniform(-0.1, 0.4) * tall),
            (deep, y + rng.uniform(0.5, 1) * tall),
            (0, y + tall),
        ]
    points = np.array([(x if left else width - x, y) for x, y in corners], np.float32)
    _cover(canvas, points, _tone(rng, 2, 55, 0.15), soft=float(rng.uniform(0.8, 4)))


def _draw_lettering(rng: np.random.Generator, canvas: _Canvas) -> None:
    """Date and speed as dashcams write them; street under it stays street."""
    height, width = canvas.size
    text = "".join(rng.choice(list("0123456789:-/ MPHKN")) for _ in range(int(rng.integers(8, 40))))
    place = int(rng.uniform(0, 0.3) * width), int(height * (rng.uniform(0.93, 0.99) if rng.random() < 0.7 else 0.06))
    written = np.zeros(canvas.size, np.uint8)
    cv2.putText(written, text, place, cv2.FONT_HERSHEY_PLAIN, width / 512 * float(rng.uniform(0.5, 1)), (255,), 1)
    tone = np.array([255, 255, rng.choice([255, 60])], np.float32)
    x, y, wide, high = cv2.boundingRect(written)
    shown = canvas.picture[y : y + high, x : x + wide]
    shown += (written[y : y + high, x : x + wide] / np.float32(255))[:, :, None] * (tone - shown)


def _mirror_in_windscreen(rng: np.random.Generator, canvas: _Canvas) -> None:
    """The dashboard, faint in the glass above itself: it lightens the street and covers nothing."""
    height, width = canvas.size
    low, high = rng.uniform(0.45, 0.8) * height, rng.uniform(0.9, 1.1) * height
    points = np.stack([rng.uniform(-0.1, 1.1, 7) * width, rng.uniform(low, high, 7)], axis=1)
    sigma = float(rng.uniform(1, 14)) * width / 512
    first = canvas.first_row(float(points[:, 1].min()) / height, 3 * sigma / height)
    ghost = np.zeros((height - first, width), np.float32)
    cv2.fillPoly(ghost, [cv2.convexHull((points - (0, first)).astype(np.int32))], 1.0)
    share = _blurred(ghost, sigma)[:, :, None] * np.float32(rng.uniform(0.04, 0.35))
    shown = canvas.picture[first:]
    shown += share * (_tone(rng, 0, 220, 0.1) - shown)


def _add_glare(rng: np.random.Generator, canvas: _Canvas) -> None:
    """Sun on glass, metal or plastic: a bright spot or streak, or a veil over the lower part."""
    height, width = canvas.size
    middle = rng.uniform(0, width), rng.uniform(0.5, 1.05) * height
    wide, high = rng.uniform(0.02, 0.6) * width, rng.uniform(0.02, 0.25) * height
    first = canvas.first_row((middle[1] - 2.5 * high) / height)
    rows, columns = np.arange(first, height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    strong = np.float32(rng.uniform(20, 200)) * np.exp(-(((rows - middle[1]) / high) ** 2))
    canvas.picture[first:] += (strong * np.exp(-(((columns - middle[0]) / wide) ** 2)))[:, :, None]


def _blurred(image: Image, sigma: float) -> Image:
    """A Gaussian blur, at a smaller size where it is wide: (H, W) or (H, W, 3)."""
    less = max(1, int(sigma / 1.5))
    if less == 1:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(1, width // less), max(1, height // less)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / less)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _turned(middle: tuple[float, float], size: tuple[float, float], degrees: float) -> Image:
    """(4, 2) corners of a rectangle (width, height) about its middle, x, y in pixels."""
    return np.asarray(cv2.boxPoints((middle, size, degrees)), np.float32)


def _fill(image: Image, corners: Image, tone: Image) -> None:
    """Fill a polygon (n, 2) with one colour, in place."""
    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], tone.tolist(), cv2.LINE_AA)


def _cover(canvas: _Canvas, corners: Image, tone: Image, soft: float = 0.8) -> None:
    """Lay a polygon (n, 2) of one colour, lit from one side, over the canvas."""
    points = np.round(corners).astype(np.int32)
    part, at = _around(canvas, points, 4 * soft + 2)
    share = np.zeros(part, np.float32)
    if share.size:
        cv2.fillPoly(share, [points - at[::-1]], 1.0, cv2.LINE_AA)
        canvas.lay(tone, cv2.GaussianBlur(share, (0, 0), soft), at)


def _cover_line(canvas: _Canvas, ends: list[tuple[float, float]], thick: float, tone: Image) -> None:
    """Lay a straight bar over the canvas."""
    points, pixels = np.round(np.array(ends)).astype(np.int32), max(1, round(thick))
    part, at = _around(canvas, points, pixels)
    share = np.zeros(part, np.float32)
    if share.size:
        one, other = (points - at[::-1]).tolist()
        cv2.line(share, one, other, 1.0, pixels, cv2.LINE_AA)
        canvas.lay(tone, share, at)


def _around(canvas: _Canvas, points: NDArray[np.int32], margin: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Size (height, width) and place (row, column) of the part of a canvas around points (n, 2) of x, y."""
    height, width = canvas.size
    low = np.clip(np.floor(points.min(axis=0) - margin), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + margin) + 1, low, (width, height)).astype(int)
    return (int(high[1] - low[1]), int(high[0] - low[0])), (int(low[1]), int(low[0]))
