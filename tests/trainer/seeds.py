"""Small drawn streets in the layout of each notebook's data set: a road, cars and people on it, a sky."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.trainer.conftest import write_rgb

Scene = tuple[np.ndarray, np.ndarray]
SKY, ROAD, CAR, PERSON = range(4)
COLORS = {SKY: (150, 180, 210), ROAD: (90, 90, 95), CAR: (40, 60, 190), PERSON: (200, 70, 60)}
CARLA_TAGS = np.array([0, 7, 10, 4], np.uint8)


def scene(rng: np.random.Generator, width: int = 64, height: int = 48) -> Scene:
    """A picture (H, W, 3) uint8 RGB and its ids (H, W) uint8."""
    ids = np.full((height, width), SKY, np.uint8)
    top = height // 2
    corners = [(width * 2 // 5, top), (width * 3 // 5, top), (width, height), (0, height)]
    cv2.fillPoly(ids, [np.array(corners)], ROAD)
    for kind, wide, high in ((CAR, 5, 8), (PERSON, 12, 5)):
        x, y = int(rng.integers(width // 8, width * 3 // 4)), int(rng.integers(top - 4, height - 14))
        cv2.rectangle(ids, (x, y), (x + width // wide, y + height // high * (3 if kind == PERSON else 1)), kind, -1)
    picture = np.zeros((height, width, 3), np.int16)
    for kind, color in COLORS.items():
        picture[ids == kind] = color
    return np.clip(picture + rng.integers(-12, 12, picture.shape), 0, 255).astype(np.uint8), ids


def carla(root: Path, count: int = 28, width: int = 64, height: int = 48) -> Path:
    rng = np.random.default_rng(1)
    for number in range(count):
        picture, ids = scene(rng, width, height)
        mask = np.zeros((*ids.shape, 3), np.uint8)
        mask[:, :, 0] = CARLA_TAGS[ids]
        write_rgb(root / "CameraRGB" / f"{number:03}.png", picture)
        write_rgb(root / "CameraMask" / f"{number:03}.png", mask)
    return root


def carvana(root: Path, count: int = 20) -> Path:
    rng = np.random.default_rng(2)
    (root / "train_masks").mkdir(parents=True)
    for number in range(count):
        picture, ids = scene(rng)
        name = f"{number // 2:02}_{number % 2:02}"
        write_rgb(root / "train" / f"{name}.jpg", picture)
        Image.fromarray((ids == CAR).astype(np.uint8)).save(root / "train_masks" / f"{name}_mask.gif")
    return root


def pets(root: Path, count: int = 12) -> Path:
    rng = np.random.default_rng(3)
    for number in range(count):
        picture, ids = scene(rng)
        pet = (ids >= CAR).astype(np.uint8)
        ring = cv2.dilate(pet, np.ones((3, 3), np.uint8)) - cv2.erode(pet, np.ones((3, 3), np.uint8))
        write_rgb(root / "images" / f"cat_{number}.jpg", picture)
        write_rgb(root / "annotations" / "trimaps" / f"cat_{number}.png", np.where(ring, 3, np.where(pet, 1, 2)))
    (root / "annotations" / "test.txt").write_text("".join(f"cat_{number} 1 1 1\n" for number in range(0, count, 4)))
    return root


def grey(root: Path, count: int = 20) -> Path:
    rng = np.random.default_rng(4)
    for number in range(count):
        picture, ids = scene(rng)
        write_rgb(root / "images" / f"{number:02}.jpg", picture)
        write_rgb(root / "masks" / f"{number:02}.png", np.where(ids >= CAR, 255, 0).astype(np.uint8))
    return root


SEEDS: dict[str, Callable[[Path], Path]] = {
    "carla": carla, "course": carla, "carvana": carvana, "pets": pets, "otsu": grey,
}  # fmt: skip
"""Notebook of docs/notebooks → its data, drawn into a folder."""
