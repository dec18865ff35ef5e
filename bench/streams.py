"""What each stream of the Text+Hand encoder brings T-H2I: python bench/streams.py RUNS --data HELD_OUT.

RUNS holds short equal trainings, RUNS/NAME-SEED/model each (`handwright train handiffuser --streams …`),
HELD_OUT shards of `handwright synth` that none of them saw. Measured is the flow-matching loss on the middles
of pictures, at fixed noise levels and with the same noise for every model: of whole pictures, and of boxes
of their hands alone. Differences are paired by picture, means over seeds; bootstrap 95 %.

With --paint N every model paints N pictures of one hand that is found in the render, from noise, by their
captions and parameters: error of the landmarks found against the parameters' in lengths of the hand's box, 1
where no hand is found, and KID of all pictures of a name to the held-out ones.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from handwright.hand.kinematics import hand_landmarks_px
from handwright.handiffuser.text_hand_encoder import STREAMS, HandFeatures
from handwright.training.frozen_text import FrozenText
from handwright.training.hand_pictures import HandPicture
from handwright.training.members import open_member
from handwright.training.noising import noise_to
from handwright.training.recipes.base import unet_input
from handwright.training.settings import TrainSettings
from measures import mean, row

LEVELS = (250, 500, 750)  # Noise levels, of 1000
ENLARGED = 2  # Hands are looked for in pictures so many times as large
LEAST_SHARE = 0.4  # Of the picture's side that a hand has which is painted
FOUND_IN_RENDER = 0.2  # Error that it has at most in the picture itself: held things hide others
BATCH, ROOM = 16, 0.1  # Pictures at once; how much larger than its landmarks a hand's box is, on each side


@torch.no_grad()
def losses(model: Path, data: Path, count: int) -> np.ndarray:
    """Mean loss over the levels of each picture and of its hands (NaN without one), float [N, 2]."""
    recipe: Any = open_member("handiffuser", data, model, TrainSettings())
    recipe.trained.eval()
    pictures, frozen, found = recipe.stream.shown(count), FrozenText(recipe.family), []
    for start in range(0, len(pictures), BATCH):
        part = pictures[start : start + BATCH]
        hands = recipe.features(part)
        drawn = {"pixels": torch.from_numpy(np.stack([picture.pixels for picture in part]))}
        batch = recipe.samples(drawn)
        tokens = recipe.tokens([picture.caption for picture in part], np.zeros(len(part), bool))
        text, added = frozen(tokens, batch["clean"].device)
        embeds = recipe.encoder(text, HandFeatures(*(getattr(hands, n) for n in (*STREAMS, "present"))))
        inside = torch.from_numpy(np.stack([hand_cells(p, batch["clean"].shape[-1]) for p in part])).float()
        each = []
        for level in LEVELS:
            generator = torch.Generator().manual_seed(1000 * level + start)
            noise = torch.randn(batch["clean"].shape, generator=generator)
            steps = torch.full((len(part),), level)
            noised = noise_to(recipe.schedule, batch["clean"], noise, steps)
            known = unet_input(
                recipe.trained.unet.config["in_channels"], {**batch, "latents": noised.latents}
            )
            said = recipe.trained.unet(known, noised.timesteps, embeds, **added).sample.float()
            error = (said - noised.target).square().mean(1)
            cells = inside.sum((1, 2))
            of_hands = torch.where(cells > 0, (error * inside).sum((1, 2)) / cells, torch.nan)
            each.append(torch.stack([error.mean((1, 2)), of_hands], 1))
        found.append(torch.stack(each).mean(0).numpy())
    return np.concatenate(found)


def single_hands(data: Path, model: Path, count: int) -> list[HandPicture]:
    """Held-out pictures of one hand that fills them and is found in them, the same for every model."""
    recipe: Any = open_member("handiffuser", data, model, TrainSettings())
    found = list[HandPicture]()
    for one in recipe.stream.shown(20 * count):
        if len(found) < count and len(one.hands) == 1 and _fills(one):
            found += [one] if errors_of(one.pixels[None], [one])[0] < FOUND_IN_RENDER else []
    return found


def _fills(picture: HandPicture) -> bool:
    (hand,) = picture.hands.values()
    return float(np.ptp(hand_landmarks_px(hand), axis=0).max()) > LEAST_SHARE * picture.pixels.shape[0]


def painted(model: Path, pictures: list[HandPicture]) -> np.ndarray:
    """What a model paints of each from noise, by its caption and parameters, uint8 [N, side, side, 3]."""
    from handwright.handiffuser.pipeline import HanDiffuserPipeline

    pipe = HanDiffuserPipeline.from_pretrained(model)
    side = pictures[0].pixels.shape[0]
    return np.stack(
        [pipe(one.caption, side, side, hands=one.hands, seed=k).image for k, one in enumerate(pictures)]
    )


def errors_of(images: np.ndarray, pictures: list[HandPicture]) -> np.ndarray:
    """Errors of the hands against their parameters, float [N]."""
    from handwright.perception.detect.landmarker import HandLandmarker
    from handwright.perception.detect.search import find_hands
    from handwright.reproduce.handiffuser.measure import hand_error

    errors = list[float]()
    with HandLandmarker() as landmarker:
        for image, picture in zip(images, pictures, strict=True):
            (hand,) = picture.hands.values()
            large = cv2.resize(image, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
            found = [
                one.landmarks_px / ENLARGED for one in find_hands(large, landmarker=landmarker, threads=1)
            ]
            errors.append(hand_error(hand_landmarks_px(hand), found))
    return np.array(errors)


def paint_all(options: argparse.Namespace) -> None:
    """Print errors of hands and distances of every name's pictures."""
    from handwright.metrics.extractors import open_extractor
    from handwright.metrics.extractors.features import extract
    from handwright.metrics.kernel import kernel_distance

    models = sorted(options.runs.glob("*/model"))
    pictures = single_hands(options.data, models[0], options.paint)
    real = np.stack([one.pixels for one in pictures])
    print(row("untouched renders: hand error", errors_of(real, pictures), mean))
    of_name: dict[str, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    for model in models:
        stored = model.parent / f"painted-{_key(model, options.data, options.paint)}.npz"
        if not stored.exists():
            images = painted(model, pictures)
            np.savez_compressed(stored, images=images, errors=errors_of(images, pictures))
        with np.load(stored) as kept:
            of_name[model.parent.name.rsplit("-", 1)[0]].append((kept["images"], kept["errors"]))
    first = np.mean([errors for _, errors in of_name[options.against]], 0)
    extractors = [open_extractor(name) for name in ("hw-v2", "imagenet")]
    known = [extract(real, extractor) for extractor in extractors]
    for name, runs in of_name.items():
        here = np.mean([errors for _, errors in runs], 0)
        print(f"— {name}: {len(runs)} seeds, {len(pictures)} hands")
        print(row("   hand error", here, mean))
        print(row(f"      less {options.against}'s", here - first, mean))
        print(row("   found", np.mean([errors < 1 for _, errors in runs], 0), mean))
        images = np.concatenate([images for images, _ in runs])
        for extractor, features in zip(extractors, known, strict=True):
            print(f"   {kernel_distance(features, extract(images, extractor), name=extractor.name)}")


def _key(model: Path, data: Path, count: int) -> str:
    return hashlib.sha256(f"{model.stat().st_mtime_ns} {data} {count}".encode()).hexdigest()[:12]


def hand_cells(picture: HandPicture, side: int) -> np.ndarray:
    """Latents within the box of a hand's landmarks, bool [side, side]."""
    inside, scale = np.zeros((side, side), bool), side / picture.pixels.shape[0]
    for hand in picture.hands.values():
        points = hand_landmarks_px(hand) * scale
        edge = ROOM * float(np.ptp(points, axis=0).max())
        low, high = np.floor(points.min(0) - edge), np.ceil(points.max(0) + edge)
        (x0, y0), (x1, y1) = (np.clip(v, 0, side).astype(int) for v in (low, high))
        inside[y0:y1, x0:x1] = True
    return inside


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--paint", type=int, metavar="N", help="paint N hands by every model")
    parser.add_argument("--against", default="none", help="name of the runs that the others are held against")
    options = parser.parse_args()
    if options.paint:
        paint_all(options)
        return
    of_name: dict[str, list[np.ndarray]] = defaultdict(list)
    for model in sorted(options.runs.glob("*/model")):
        stored = model.parent / f"losses-{_key(model, options.data, options.n)}.npy"
        if not stored.exists():
            np.save(stored, losses(model, options.data, options.n))
        of_name[model.parent.name.rsplit("-", 1)[0]].append(np.load(stored))
    first = np.mean(of_name[options.against], 0)
    for name, values in of_name.items():
        here = np.mean(values, 0)
        print(f"— {name}: {len(values)} seeds, {len(here)} pictures")
        for k, what in enumerate(("whole picture", "hands alone")):
            print(row(f"   {what}", here[:, k], mean))
            print(row(f"      less {options.against}'s", here[:, k] - first[:, k], mean))
            for seed, value in enumerate(values):
                print(row(f"      run {seed + 1}", value[:, k], mean))


if __name__ == "__main__":
    main()
