"""Drawn stick hands for tests of the recipes: all that is known of them is true, and it shows."""

from __future__ import annotations

import json

import cv2
import numpy as np
import torch

from handwright.data.hands.defects.generators import DEFECTS
from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.training.loop import train
from handwright.training.settings import TrainSettings
from handwright.training.streams.crops import Crops

SIDE = 72
COLOURS = {"red": (220, 60, 50), "green": (60, 200, 70), "blue": (60, 80, 220), "yellow": (230, 220, 60)}


def landmarks(rng):
    """[21, 2] of an open right hand somewhere near the middle, its thumb at the left."""
    points = np.zeros((21, 2))
    for finger, (angle, reach) in enumerate([(-1.1, 0.26), (-0.35, 0.4), (0, 0.43), (0.3, 0.4), (0.6, 0.33)]):
        length = reach * np.array([0.5, 0.68, 0.85, 1.0])[:, None]
        points[1 + 4 * finger : 5 + 4 * finger] = length * [np.sin(angle), -np.cos(angle)]
    at = np.array([0.5, 0.8]) + rng.uniform(-0.05, 0.05, 2)
    return ((points * rng.uniform(0.9, 1.1) + at) * SIDE).astype(np.float32)


def hands(count=8, defective=False):
    """Crops of stick hands in four colours; when ``defective``, every second one lacks its ring finger."""
    rng = np.random.default_rng(5)
    points = np.stack([landmarks(rng) for _ in range(count)])
    names = list(COLOURS)
    pixels = np.full((count, SIDE, SIDE, 3), 128, np.uint8)
    gone = np.zeros((count, len(DEFECTS)), np.bool_)
    gone[1::2, DEFECTS.index("missing")] = defective
    for k in range(count):
        for a, b in LANDMARK_EDGES:
            if not (gone[k].any() and 13 <= b <= 16):
                start, end = (tuple(int(v) for v in np.rint(points[k, j])) for j in (a, b))
                cv2.line(pixels[k], start, end, COLOURS[names[k % 4]], 4)
    mask = (pixels != 128).any(-1)
    return Crops(
        pixels=pixels,
        depth=np.where(mask, 200, 0).astype(np.uint8),
        mask=mask,
        landmarks_px=points,
        visible=np.ones((count, 21), np.bool_),
        side=np.ones(count, np.int8),
        defects=gone,
        caption=np.array([f"a {names[k % 4]} right hand" for k in range(count)]),
        rendered=np.ones(count, np.bool_),
    )


def settings(**changes):
    """Of short runs on a few samples."""
    quick = {"train_batch_size": 2, "learning_rate": 2e-3, "mixed_precision": "no", "lr_warmup_steps": 1}
    return TrainSettings(**{**quick, "lr_decay_steps": 1, "ema_decay": 0.5, "resolution": 64, **changes})


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def cut_off_and_whole(opened, folder):
    """Losses of three steps, cut off after the first and resumed; and of the same three in one go.

    Args:
        opened: Makes the recipe; called anew for every slice, as a new process would.
        folder: Where to.
    """
    for name, minutes, resume in (("whole", 0.0, False), ("cut", 1e-9, False), ("cut", 0.0, True)):
        plan = settings(max_train_steps=3, max_minutes=minutes)
        torch.manual_seed(plan.seed)
        done = train(opened(), plan, folder / name, resume=resume).done
        assert done == (minutes == 0)
    return losses(folder / "cut"), losses(folder / "whole")


class Same:
    """A recipe that sees one batch again and again."""

    def __init__(self, recipe, count):
        self.recipe, self.trained = recipe, recipe.trained
        self.seen = recipe.batch(0, 0, settings(train_batch_size=count))

    def batch(self, step, part, settings):
        return self.seen

    def grid(self):
        return self.recipe.grid()

    def save(self, folder):
        self.recipe.save(folder)


def overfit(recipe, folder, steps, count=8, **changes):
    """Train on one batch; the losses."""
    train(Same(recipe, count), settings(max_train_steps=steps, **changes), folder)
    return losses(folder)
