"""Make the demonstration clip (and training pictures) of a street that exists nowhere.

`render` needs Blender as a Python module (bpy 4.5); `encode` and `finish` need numpy, OpenCV and PyAV instead.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import plan

HERE = Path(__file__).resolve().parent
VIEWS = 4  # training pictures taken of one random street
LOOK_WEIGHTS = {"sunny": 4, "noon": 2, "morning": 2, "evening": 2, "cloudy": 4, "rain": 2, "dusk": 1}


def _folders(out: Path) -> dict[str, Path]:
    folders = {name: out / name for name in ("picture", "truth")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def _wardrobe(wet: float, lamps: float, autumn: float) -> tuple[Any, Any]:
    import casting
    import materials
    import people
    import vehicles

    kinds = materials.build(wet, lamps, autumn)
    return kinds, casting.Wardrobe(vehicles.build(kinds), people.build_crowd(kinds))


def render_clip(args: argparse.Namespace) -> None:
    """Render the frames start..end of the clip; frames that exist are left alone."""
    import casting
    import numpy as np
    import scene
    import street

    folders = _folders(args.out)
    look = scene.LOOKS[args.look or "sunny"]
    rng = np.random.default_rng(args.seed)
    layout = street.Layout(
        bend=5.0, wave=300.0, phase=2.2, end=230.0, crossings=(plan.CROSSING,), side_roads=(118.0,), setback=2.2,
        traits={"floors": 3.0, "terraced": 0.7, "tree_spacing": 12.0},
    )  # fmt: skip
    scene.clear()
    scene.settings(args.width, args.height, args.samples, args.threads, look)
    kinds, wardrobe = _wardrobe(look.wet, look.lamps, look.autumn)
    scene.light(look, rng)
    street.build(layout, kinds, rng)
    casting.park(layout, wardrobe, rng, 0.72)
    cast = casting.clip_cast(wardrobe)
    dashcam = scene.camera(plan.FIELD_OF_VIEW)
    for number in range(args.start, args.end, args.step):
        paths = {name: folder / f"{number:04d}.png" for name, folder in folders.items()}
        if all(path.exists() for path in paths.values()):
            continue
        began = time.monotonic()
        t = number / plan.FPS
        s, bob = plan.ego(t), 0.008 * math.sin(8.3 * t) + 0.004 * math.sin(21 * t + 1)
        pitch = 0.002 * math.sin(6.1 * t) - math.radians(0.6)
        pitch += 0.004 * (plan.speed(t + 0.1) - plan.speed(t - 0.1))
        scene.aim(dashcam, layout, (s, LANE_CENTRE, args.camera_height + bob), (pitch, 0.002 * math.sin(3.7 * t), 0.0))
        casting.act(cast, layout, wardrobe, t)
        scene.write_frame(paths["picture"], paths["truth"])
        print(f"frame {number}: {time.monotonic() - began:.1f} s", flush=True)


LANE_CENTRE = 1.65


def render_train(args: argparse.Namespace) -> None:
    """Render random pictures start..end, a new street every few; pictures that exist are left alone."""
    import casting
    import numpy as np
    import scene
    import street

    folders = _folders(args.out)
    names = list(LOOK_WEIGHTS)
    weights = np.array([LOOK_WEIGHTS[n] for n in names], dtype=float)
    for group in range(args.start // VIEWS, math.ceil(args.end / VIEWS)):
        numbers = range(max(args.start, group * VIEWS), min(args.end, group * VIEWS + VIEWS))
        if all((folder / f"{n:04d}.png").exists() for n in numbers for folder in folders.values()):
            continue
        began = time.monotonic()
        rng = np.random.default_rng((args.seed, group))
        look = scene.LOOKS[args.look or str(rng.choice(names, p=weights / weights.sum()))]
        roads = tuple(float(s) for s in (rng.uniform(35, 80), rng.uniform(120, 180)) if rng.random() < 0.6)
        layout = street.Layout(
            bend=rng.uniform(-9, 9), wave=rng.uniform(200, 400), phase=rng.uniform(0, 6.3),
            lanes=int(rng.choice((1, 2), p=(0.7, 0.3))), park_right=bool(rng.random() < 0.75),
            park_left=bool(rng.random() < 0.75), pavement=rng.uniform(2.0, 4.5), setback=rng.choice((0.6, 2.5, 5.0)),
            end=rng.uniform(190, 250), crossings=(*tuple(s - 8 for s in roads), rng.uniform(90, 105)), side_roads=roads,
            traits={"floors": rng.uniform(1.6, 4.6), "terraced": rng.random(), "tree_spacing": rng.uniform(8, 30)},
        )  # fmt: skip
        scene.clear()
        scene.settings(args.width, args.height, args.samples, args.threads, look)
        kinds, wardrobe = _wardrobe(look.wet, look.lamps, look.autumn)
        look_turn = scene.Look(**{**vars(look), "turn": look.turn + rng.uniform(-60, 60)})
        scene.light(look_turn, rng)
        street.build(layout, kinds, rng)
        parked = casting.park(layout, wardrobe, rng, rng.uniform(0.3, 0.95))
        print(f"street {group}: {time.monotonic() - began:.1f} s", flush=True)
        for number in numbers:
            began = time.monotonic()
            draw = np.random.default_rng((args.seed, group, number))
            ego = (draw.uniform(-8, 110), (int(draw.integers(layout.lanes)) + 0.5) * 3.3 + draw.uniform(-0.5, 0.5))
            made = casting.random_cast(layout, wardrobe, draw, ego, parked)
            dashcam = scene.camera(math.radians(draw.uniform(50, 78)))
            turn = (
                math.radians(draw.uniform(-4, 2)),
                math.radians(draw.normal(0, 0.6)),
                math.radians(draw.normal(0, 4)),
            )
            scene.aim(dashcam, layout, (*ego, args.camera_height + draw.uniform(-0.15, 0.5)), turn)
            paths = {name: folder / f"{number:04d}.png" for name, folder in folders.items()}
            if not all(path.exists() for path in paths.values()):
                scene.write_frame(paths["picture"], paths["truth"])
                print(f"picture {number}: {time.monotonic() - began:.1f} s", flush=True)
            scene.remove([*made, dashcam])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    render = verbs.add_parser("render", help="render frames and class maps (needs bpy)")
    render.add_argument("--out", type=Path, required=True, help="folder for the frames")
    render.add_argument("--preset", choices=("clip", "train"), default="clip")
    render.add_argument("--start", type=int, default=0)
    render.add_argument("--end", type=int, help="one past the last frame")
    render.add_argument("--step", type=int, default=1, help="clip only: render every so manieth frame")
    render.add_argument("--seed", type=int, default=7)
    render.add_argument("--look", help="sunny, noon, morning, evening, cloudy, rain or dusk")
    render.add_argument("--camera-height", type=float, default=plan.CAMERA_HEIGHT)
    render.add_argument("--width", type=int)
    render.add_argument("--height", type=int)
    render.add_argument("--samples", type=int)
    render.add_argument("--threads", type=int, default=2)
    encode = verbs.add_parser("encode", help="frames to street.mp4 and street_truth.mkv (needs av)")
    encode.add_argument("--frames", type=Path, required=True)
    encode.add_argument("--clip", type=Path, default=HERE / "street.mp4")
    encode.add_argument("--truth", type=Path, default=HERE / "street_truth.mkv")
    encode.add_argument("--quality", type=float, default=23.0, help="x264 constant rate factor; lower is larger")
    finish = verbs.add_parser("finish", help="training frames to JPEG pictures and masks (needs cv2)")
    finish.add_argument("--frames", type=Path, required=True)
    finish.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Run the verb asked for."""
    args = _arguments()
    if args.verb == "render":
        clip = args.preset == "clip"
        args.width, args.height = args.width or (1280 if clip else 640), args.height or (720 if clip else 360)
        args.samples = args.samples or (6 if clip else 8)
        args.end = args.end if args.end is not None else (plan.FRAMES if clip else 100)
        args.out = args.out.resolve()
        (render_clip if clip else render_train)(args)
        return
    import finishing

    if args.verb == "encode":
        finishing.encode(args.frames, args.clip, args.truth, args.quality)
    else:
        finishing.finish(args.frames, args.out)


if __name__ == "__main__":
    main()
