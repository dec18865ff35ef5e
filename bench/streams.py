"""What each stream of the Text+Hand encoder brings T-H2I: python bench/streams.py RUNS --data HELD_OUT.

RUNS holds short equal trainings, RUNS/NAME-SEED/model each (`handwright train handiffuser --streams …`),
HELD_OUT shards of `handwright synth` that none of them saw. Measured is the flow-matching loss on the middles
of pictures, at fixed noise levels and with the same noise for every model: of whole pictures, and of boxes
of their hands alone. Differences are paired by picture, means over seeds; bootstrap 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

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
    parser.add_argument("--against", default="none", help="name of the runs that the others are held against")
    options = parser.parse_args()
    of_name: dict[str, list[np.ndarray]] = defaultdict(list)
    for model in sorted(options.runs.glob("*/model")):
        key = hashlib.sha256(f"{model.stat().st_mtime_ns} {options.data} {options.n}".encode()).hexdigest()
        stored = model.parent / f"losses-{key[:12]}.npy"
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
