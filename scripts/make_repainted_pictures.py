"""Sound hands repainted by the embedded family, as shards: scripts/make_repainted_pictures.py WORLD -o DIR.

WORLD holds shards of sound hands, rendered (`handwright synth`) and photographed
(scripts/make_photograph_pictures.py). A square around a hand is repainted in few steps without control, or
under the depth of another hand, and counts as malformed then; what only went through the codec, or was
hardly noised, stays sound, and so does what was repainted under its own depth: traces of the codec and of the
network are no evidence. A second run goes on.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
import torch

from handwright.data.shards import Entry, read_shards, write_shard
from handwright.diffusion import HandRefinerPipeline
from handwright.diffusion.latents import picture_array, pixels_per_latent
from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_in_boxes
from handwright.training.hand_crops import FARTHEST_FIT
from handwright.training.samples import pictures_for
from handwright.training.streams.whole_pictures import is_calibration
from handwright.types import Image

MALFORMED_FROM = 0.6  # Noise level; below it a hand stays what it is
LEVELS, SHARES = (0.0, 0.1, 0.6, 0.75, 0.9, 1.0), (0.16, 0.06, 0.1, 0.22, 0.22, 0.24)
"""Noise levels that paintings start from, 0 the codec alone, and how often each is drawn."""

OWN_DEPTH, WRONG_DEPTH = 0.45, 0.3
"""Of noised paintings: how many are under the hand's own depth, how many of the others under another's."""

PER_SHARD, LEAST_PX, LARGEST_PX, ROOM = 100, 64, 256, (1.7, 2.4)
"""Hands of a shard; smallest hands; largest squares; squares in sizes of their hands."""

QUALITY, STEPS, GUIDANCE = 93, (6, 11), (1.0, 3.0)


def sound_hands(world):
    """Every sound hand that is trained on: its sample, landmarks and side."""
    for path in sorted(world.rglob("*.tar"), key=lambda p: p.name[::-1]):
        for entry in read_shards([path], wanted=lambda record: not is_calibration(record)):
            for hand in entry.record["hands"]:
                points = np.array(hand["keypoints_px"])
                if np.ptp(points, axis=0).max() < LEAST_PX or sum(hand["visible"]) < 14:
                    continue
                if not hand.get("defects") and not hand.get("gloved"):
                    yield entry, points, hand.get("side")


def square_around(points, rng):
    """Upper left corner and side of a square around a hand."""
    low, high = points.min(0), points.max(0)
    side = float((high - low).max()) * rng.uniform(*ROOM)
    middle = (low + high) / 2 + side * rng.normal(0, 0.03, 2)
    return middle - side / 2, side


def cut(picture, corner, side, size):
    """The square at ``size``."""
    scale = size / side
    blurred = picture if scale >= 0.9 else cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    way = np.column_stack([np.eye(2) * scale, -scale * corner])
    return cv2.warpAffine(blurred, way, (size, size), borderMode=cv2.BORDER_REPLICATE)


def mask_of(points, size, rng):
    """Where is painted: the hand, or a part of it around one of its landmarks."""
    inside = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(points.astype(np.float32)).astype(np.int32)
    cv2.fillConvexPoly(inside, hull, 1)
    reach = round(rng.uniform(0.08, 0.2) * np.ptp(points, axis=0).max()) | 1
    inside = cv2.dilate(inside, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    if rng.random() < 0.3:
        part = np.zeros_like(inside)
        around = points[rng.integers(21)].astype(int).tolist()
        cv2.circle(part, around, round(rng.uniform(0.35, 0.55) * np.ptp(points, axis=0).max()), 1, -1)
        inside &= part
    return inside


def own_depth(entry, points, landmarker):
    """Depth control of a hand in its picture: rendered, or that of its fit; None where none is near."""
    if "depth" in entry.pictures:
        return entry.pictures["depth"]
    pixels = np.ascontiguousarray(entry.pictures["image"])
    box = tuple(float(v) for v in (*points.min(0), *points.max(0)))
    (seen,) = find_in_boxes(pixels, [box], landmarker=landmarker)
    fit = None if seen is None else analyse_hand(Image(pixels), seen).fit
    if fit is None or fit.residual > FARTHEST_FIT:
        return None
    return depth_control([fit.hand], *pixels.shape[:2]).depth


def repainted(pipeline, rng, square, control, inside, level, own):
    """The square after the family painted it from a noise level on; 0: after its codec alone.

    ``own``: the depth is the hand's own, and decides all it can.
    """
    steered, strength = (np.zeros_like(square), 0.0) if control is None else (control, rng.uniform(0.6, 1.0))
    mask = inside.astype(bool) if level else np.zeros(inside.shape, bool)
    painted = pipeline(
        "a photograph of a hand",
        *pictures_for(square, mask, steered),
        num_inference_steps=int(rng.integers(*STEPS)) if level else 1,
        guidance_scale=float(rng.uniform(*GUIDANCE)),
        controlnet_conditioning_scale=1.0 if own else float(strength),
        control_guidance=pipeline.traits.guidance if own else 1.0,
        strength=max(level, 0.02),
        output_type="tensor",
        generator=torch.Generator().manual_seed(int(rng.integers(2**31))),
    ).images
    return np.clip(np.rint(picture_array(painted)[0]), 0, 255).astype(np.uint8)


def entry_of(pipeline, landmarker, rng, found, depths, key):
    """A repainted hand with what is known of it."""
    entry, points, side = found
    level = float(rng.choice(LEVELS, p=SHARES))
    corner, reach = square_around(points, rng)
    size, large = side_of(pipeline), int(min(LARGEST_PX, max(reach, 128)))
    small = cut(entry.pictures["image"], corner, reach, size)
    depth = None
    if level >= MALFORMED_FROM and rng.random() < OWN_DEPTH:
        depth = own_depth(entry, points, landmarker)
    own = depth is not None
    wrong_depth = not own and level > 0 and rng.random() < WRONG_DEPTH
    control = depths[rng.integers(len(depths))] if wrong_depth else None
    if own:
        control = cut(np.repeat(depth[..., None], 3, 2), corner, reach, size)
    inside = mask_of((points - corner) * (size / reach), size, rng)
    painted = cv2.resize(
        repainted(pipeline, rng, small, control, inside, level, own),
        (large, large),
        interpolation=cv2.INTER_CUBIC,
    )
    if rng.random() < 0.6:
        share = cv2.GaussianBlur(cv2.resize(inside * np.float32(1), (large, large)), (0, 0), 2)[..., None]
        around = cut(entry.pictures["image"], corner, reach, large)
        painted = np.clip(around + share * (painted.astype(np.float32) - around), 0, 255).astype(np.uint8)
    label = "good" if own or level < MALFORMED_FROM else "malformed"
    record = {
        "kind": "repainted",
        "seed": entry.record.get("seed", 0),
        "index": entry.record.get("index", 0),
        "domain": "repainted",
        "level": level,
        "own_depth": own,
        "wrong_depth": wrong_depth,
        "complete": False,
        "hands": [
            {
                "side": side,
                "keypoints_px": np.round((points - corner) * (large / reach), 2).tolist(),
                "visible": [True] * 21,
                "label": label,
                "kinds": [],
            }
        ],
    }
    if entry.record["domain"] == "photograph":
        record["photograph"] = {"name": entry.record["source"], "sha256": entry.record["sha256"]}
    elif entry.record.get("background"):
        record["background"] = entry.record["background"]
    coded = cv2.imencode(".jpg", painted[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    return Entry(key, {}, record, {"image": coded})


def side_of(pipeline):
    """Side of the squares that the family paints."""
    return int(pipeline.pipe.unet.config.sample_size) * pixels_per_latent(pipeline.pipe.vae)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("world", type=Path, nargs="+", help="folders of sound hands; their hands take turns")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", type=int, default=1000, help="number of pictures")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.output.mkdir(parents=True, exist_ok=True)
    pipeline = HandRefinerPipeline.from_pretrained("tiny")
    sources = [sound_hands(folder) for folder in args.world]
    rng, depths = np.random.default_rng(args.seed), list[np.ndarray]()
    size = side_of(pipeline)
    for entry, points, _ in sound_hands(args.world[0]):
        if "depth" in entry.pictures:
            corner, reach = square_around(points, rng)
            depths.append(cut(np.repeat(entry.pictures["depth"][..., None], 3, 2), corner, reach, size))
        if len(depths) == 60:
            break
    with HandLandmarker(None) as landmarker:
        for start in range(0, args.n, PER_SHARD):
            path = args.output / f"repainted-{args.seed}-{start:05d}.tar"
            lot = [next(sources[k % len(sources)], None) for k in range(PER_SHARD)]
            if path.exists():
                continue
            rng = np.random.default_rng([args.seed, start])
            made = (
                entry_of(pipeline, landmarker, rng, found, depths, f"{start + k:08d}")
                for k, found in enumerate(lot)
                if found is not None
            )
            print(f"{path}: {write_shard(path, made)}", flush=True)


if __name__ == "__main__":
    main()
