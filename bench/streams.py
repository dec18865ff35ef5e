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
from pathlib import Path
from typing import Any

import numpy as np
import torch

from equal_runs import (
    BATCH,
    FOUND_IN_RENDER,
    by_name,
    fills,
    hand_errors,
    mean_where,
    models_in,
    noised,
    report,
)
from handwright.hand.kinematics import hand_landmarks_px
from handwright.handiffuser.text_hand_encoder import STREAMS, HandFeatures
from handwright.training.frozen_text import FrozenText
from handwright.training.hand_pictures import HandPicture
from handwright.training.members import open_member
from handwright.training.recipes.base import unet_input
from handwright.training.settings import TrainSettings
from measures import mean, row

ROOM = 0.1  # How much larger than its landmarks a hand's box is, on each side


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
        for noisy in noised(recipe.schedule, batch["clean"], start):
            known = unet_input(recipe.trained.unet.config["in_channels"], {**batch, "latents": noisy.latents})
            predicted = recipe.trained.unet(known, noisy.timesteps, embeds, **added).sample.float()
            error = (predicted - noisy.target).square().mean(1)
            each.append(torch.stack([error.mean((1, 2)), mean_where(error, inside)], 1))
        found.append(torch.stack(each).mean(0).numpy())
    return np.concatenate(found)


def single_hands(data: Path, model: Path, count: int) -> list[HandPicture]:
    """Held-out pictures of one hand that fills them and is found in them, the same for every model."""
    recipe: Any = open_member("handiffuser", data, model, TrainSettings())
    found = list[HandPicture]()
    for one in recipe.stream.shown(20 * count):
        if len(found) < count and len(one.hands) == 1 and fills(landmarks_of(one), one.pixels.shape[0]):
            found += [one] if hand_errors([one.pixels], [landmarks_of(one)])[0] < FOUND_IN_RENDER else []
    return found


def landmarks_of(picture: HandPicture) -> np.ndarray:
    """The landmarks of a picture's one hand, float [21, 2]."""
    (hand,) = picture.hands.values()
    return hand_landmarks_px(hand)


def painted(model: Path, pictures: list[HandPicture]) -> np.ndarray:
    """What a model paints of each from noise, by its caption and parameters, uint8 [N, side, side, 3]."""
    from handwright.handiffuser.pipeline import HanDiffuserPipeline

    pipe = HanDiffuserPipeline.from_pretrained(model)
    side = pictures[0].pixels.shape[0]
    return np.stack(
        [pipe(one.caption, side, side, hands=one.hands, seed=k).image for k, one in enumerate(pictures)]
    )


def paint_all(options: argparse.Namespace) -> None:
    """Print errors of hands and distances of every name's pictures."""
    from handwright.metrics.extractors import open_extractor
    from handwright.metrics.extractors.features import extract
    from handwright.metrics.kernel import kernel_distance

    models = models_in(options.runs)
    pictures = single_hands(options.data, models[0], options.paint)
    wanted = [landmarks_of(one) for one in pictures]
    real = np.stack([one.pixels for one in pictures])
    print(row("untouched renders: hand error", hand_errors(real, wanted), mean))
    asked = f"{options.data} {options.paint}"
    images = by_name(models, "painted", asked, lambda model: painted(model, pictures))
    values = {name: [_figures(run, wanted) for run in runs] for name, runs in images.items()}
    print(*report(values, ("hand error", "found"), options.against), sep="\n")
    extractors = [open_extractor(name) for name in ("hw-v2", "imagenet")]
    known = [extract(real, extractor) for extractor in extractors]
    for name, runs in images.items():
        print(f"— {name}")
        for extractor, features in zip(extractors, known, strict=True):
            found = extract(np.concatenate(runs), extractor)
            print(f"   {kernel_distance(features, found, name=extractor.name)}")


def _figures(images: np.ndarray, wanted: list[np.ndarray]) -> np.ndarray:
    errors = hand_errors(images, wanted)
    return np.stack([errors, errors < 1], 1)


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
    asked = f"{options.data} {options.n}"
    values = by_name(
        models_in(options.runs), "losses", asked, lambda model: losses(model, options.data, options.n)
    )
    print(*report(values, ("whole picture", "hands alone"), options.against, seeds=True), sep="\n")


if __name__ == "__main__":
    main()
