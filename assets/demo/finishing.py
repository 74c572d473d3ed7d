"""From rendered frames to files: motion blur, sensor noise, video, training pictures. Needs no Blender."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import plan
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_BLUR_STEPS = 5


def _frames(folder: Path) -> list[Path]:
    files = sorted((folder / "picture").glob("[0-9]*.png"))
    files = [file for file in files if not file.name.endswith(".part.png")]
    missing = [file.name for file in files if not (folder / "truth" / file.name).exists()]
    if not files or missing:
        raise SystemExit(f"{folder}: {'no frames' if not files else 'no class map for ' + ', '.join(missing)}")
    return files


def motion_blur(before: Picture, picture: Picture, after: Picture, share: float) -> Picture:
    """Mean of the picture along its motion while the shutter is open.

    Args:
        before, picture, after: neighbouring frames, shape (H, W, 3), uint8.
        share: of the time between two frames that the shutter is open.

    Returns:
        (H, W, 3) uint8. Motion is the mean of the dense optical flows to both neighbours (DIS, Kroeger et al. 2016).
    """
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    greys = [cv2.cvtColor(p, cv2.COLOR_BGR2GRAY) for p in (before, picture, after)]
    motion = 0.5 * (flow.calc(greys[1], greys[2], None) - flow.calc(greys[1], greys[0], None))
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    total = np.zeros(picture.shape, np.float32)
    for at in np.linspace(-0.5, 0.5, _BLUR_STEPS) * share:
        x, y = columns + np.float32(at) * motion[..., 0], rows + np.float32(at) * motion[..., 1]
        total += cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.rint(total / _BLUR_STEPS).astype(np.uint8)


def sensor_noise(picture: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """Noise of a small sensor: a fixed floor and a part that grows with the root of the light, coarser in colour."""
    height, width = picture.shape[:2]
    light = picture.astype(np.float32)
    grain = rng.standard_normal((height, width, 1), np.float32)
    tint = rng.standard_normal((height // 2, width // 2, 3), np.float32)
    tint = cv2.resize(tint, (width, height), interpolation=cv2.INTER_LINEAR)
    noisy = light + strength * ((1.1 + 0.11 * np.sqrt(light)) * grain + 1.2 * tint)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def encode(frames: Path, clip: Path, truth: Path, quality: float) -> None:
    """The clip (H.264, yuv420p, BT.709, faststart) and its class maps (FFV1, grey, value = class id)."""
    files = _frames(frames)
    pictures = [cv2.imread(str(file), cv2.IMREAD_COLOR) for file in files]
    rng = np.random.default_rng(0)
    part = clip.with_name(f".{clip.name}.part.mp4")
    with av.open(str(part), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=plan.FPS, options={"crf": str(quality), "preset": "slow"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709 in ITU-T H.273
        context.color_range = 1
        for number, picture in enumerate(pictures):
            neighbours = pictures[max(0, number - 1)], picture, pictures[min(len(pictures) - 1, number + 1)]
            shot = sensor_noise(motion_blur(*neighbours, plan.FPS * plan.SHUTTER), rng)
            frame = av.VideoFrame.from_ndarray(shot, format="bgr24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1)
            frame.pts, frame.time_base = number, Fraction(1, plan.FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    os.replace(part, clip)
    _encode_truth([frames / "truth" / file.name for file in files], truth)
    print(f"{clip}: {len(files)} frames, {clip.stat().st_size / 1e6:.2f} MB; {truth.stat().st_size / 1e6:.2f} MB truth")


def _encode_truth(files: list[Path], truth: Path) -> None:
    part = truth.with_name(f".{truth.name}.part.mkv")
    with av.open(str(part), "w") as out:
        stream = out.add_stream("ffv1", rate=plan.FPS)
        first = cv2.imread(str(files[0]), cv2.IMREAD_GRAYSCALE)
        stream.height, stream.width = first.shape
        stream.pix_fmt = "gray"
        for number, file in enumerate(files):
            frame = av.VideoFrame.from_ndarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), format="gray")
            frame.pts, frame.time_base = number, Fraction(1, plan.FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    os.replace(part, truth)


def finish(frames: Path, out: Path) -> None:
    """Training pictures: `images/NNNN.jpg` with noise, `masks/NNNN.png` with class ids; those that exist are kept."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    (out / "masks").mkdir(parents=True, exist_ok=True)
    count = 0
    for file in sorted((frames / "picture").glob("[0-9]*.png")):
        mask_file = frames / "truth" / file.name
        target = out / "images" / f"{file.stem}.jpg"
        if file.name.endswith(".part.png") or not mask_file.exists() or target.exists():
            continue
        rng = np.random.default_rng(int(file.stem))
        picture = sensor_noise(cv2.imread(str(file), cv2.IMREAD_COLOR), rng, float(rng.uniform(0.5, 2.5)))
        cv2.imwrite(str(out / "masks" / file.name), cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE))
        cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        count += 1
    print(f"{out}: {count} new pairs")
