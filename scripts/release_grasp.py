"""Set the limits of a network of holds and write its ONNX file: scripts/release_grasp.py RUN --data CROPS.

RUN is a folder that `handwright train grasp` wrote, CROPS what it was trained on. The limit is the smallest
probability of a broken hold at which, of the fifth of CROPS that training left out, at most 2 % of the
rendered holds that are not broken and at most 1 % of all other hands are called. From the other limits on,
of a sound hold, at most 2 % of all empty hands are taken to hold a thing, and 10 % where a text asks for one:
of hands that are asked to hold something most do, so as many of those that are taken to are right.
Prints what is called there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.metrics.estimate import rate_estimate
from handwright.review.checks.broken_hold import FILE, PACKAGED, BrokenHolds
from handwright.training.hold_crops import HOLDS, RENDER, HoldStream, load_hold_crops
from handwright.training.networks.grasp import load_grasp
from release_packaging import export_onnx

BUDGET_RENDERS, BUDGET_OTHERS, BUDGET_HELD, BUDGET_MAY_HOLD = 0.02, 0.01, 0.02, 0.1
STEPS, AT_ONCE = 1000, 64
LEAST = 0.5
"""A hold is never called broken that is more likely sound, nor sound that is more likely none."""


def write(network, limit, held, may_hold, folder):
    """The network with its limits as an ONNX file."""
    config = network.config
    meta = {
        "name": config.name,
        "classes": json.dumps(config.classes),
        "size_px": str(config.size_px),
        "context": str(config.context),
        "limit": f"{limit:.4f}",
        "held": f"{held:.4f}",
        "may_hold": f"{may_hold:.4f}",
    }
    folder.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(2, 4, config.size_px, config.size_px)
    export_onnx(network, example, ("logits",), meta, folder / FILE)


def limit_for(scores, budget):
    """The smallest limit, at least ``LEAST``, that at most ``budget`` of the scores reach, rounded up."""
    worst = np.sort(scores)[::-1][int(budget * len(scores))]
    return min(1.0, max(LEAST, (np.floor(worst * STEPS) + 1) / STEPS))


def hold_probabilities(holds, crops):
    """Probability of a broken and of a sound hold of crops."""
    parts = [holds.probabilities(crops[k : k + AT_ONCE]) for k in range(0, len(crops), AT_ONCE)]
    shares = np.concatenate(parts)
    broken = shares[:, [holds.classes.index(hold) for hold in BROKEN_HOLDS]].sum(1)
    return broken, shares[:, holds.classes.index(Hold.SOUND)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = load_grasp(args.run / "model" / "grasp")
    crops = load_hold_crops(args.data, left_out=True)
    write(network, 1.0, 1.0, 1.0, args.output)
    cut = HoldStream(crops, network.config.size_px, network.config.context).plain()
    broken, sound = hold_probabilities(BrokenHolds.load(args.output), cut)
    origins, unbroken = np.array(crops.origins), ~np.isin(crops.kinds, [HOLDS.index(h) for h in BROKEN_HOLDS])
    empty = crops.kinds == HOLDS.index(Hold.NONE)
    renders = origins == RENDER
    limit = max(
        limit_for(broken[unbroken & renders], BUDGET_RENDERS), limit_for(broken[~renders], BUDGET_OTHERS)
    )
    held, may_hold = (limit_for(sound[empty], budget) for budget in (BUDGET_HELD, BUDGET_MAY_HOLD))
    write(network, limit, held, may_hold, args.output)
    print(f"limit {limit:.3f}, held {held:.3f}, may hold {may_hold:.3f}")
    names = (*HOLDS, "real")
    groups = {
        f"left out, {one}, {name}": (origins == one) & (crops.kinds == kind)
        for one in np.unique(origins)
        for kind, name in enumerate(names)
    }
    for name, chosen in groups.items():
        if not chosen.any():
            continue
        print(rate_estimate(f"{name}: broken", broken[chosen] >= limit))
        print(rate_estimate(f"{name}: holds a thing", sound[chosen] >= held))
        print(rate_estimate(f"{name}: holds one, where it is asked for", sound[chosen] >= may_hold))


if __name__ == "__main__":
    main()
