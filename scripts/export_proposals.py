"""Set a proposal network's limit and write its ONNX file: scripts/export_proposals.py RUN --data DATA.

RUN is a folder that `handwright train proposals` wrote. The limit is the smallest score at which at most
BUDGET of the hand-free windows of the calibration part of DATA (pictures that training left out) get a false
find that the packaged critic takes for a hand. Prints what was measured: false finds, and the share of the
calibration part's hands that are found.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from handwright.metrics.estimate import rate_estimate
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import FILE, MAPS, PACKAGED, Proposer, finds
from handwright.review.proposals.undetected_hands import confirmed_proposals
from handwright.training.networks.proposals import load_proposals
from handwright.training.streams.proposal_windows import hand_free_cut
from handwright.training.streams.whole_pictures import load_pictures
from release_packaging import export_onnx

LARGEST_PX, SEED, CUTS, TRIES, STEPS = 384, 11, 4, 30, 1000
LEAST = 0.05
"""Finds of a lower score are no finds, whatever the budget: the critic must look at each."""


def write(network, limit, folder):
    """The network with its limit as an ONNX file."""
    config = network.config
    meta = {
        "name": config.name,
        "size_px": str(config.size_px),
        "stride": str(config.stride),
        "limit": f"{limit:.4f}",
    }
    example = torch.zeros(1, 3, config.size_px, config.size_px)
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(network, example, MAPS, meta, folder / FILE)


def best_scores(proposer, critic, crops):
    """Of each crop the best score of a find in it that the critic takes for a hand; 0 without any."""
    lots = (
        confirmed_proposals(crop, proposer.propose(crop, LEAST), critic)
        for crop in map(np.ascontiguousarray, crops)
    )
    return np.array([max((one.score for one, _ in lot), default=0.0) for lot in lots])


def limit_for(scores, budget):
    """The smallest limit at which at most ``budget`` of the scores reach it, rounded up."""
    allowed = int(budget * len(scores))
    worst = np.sort(scores)[::-1][allowed]
    return min(1.0, max(LEAST, (np.floor(worst * STEPS) + 1) / STEPS))


def hits(proposer, critic, pictures):
    """Whether each hand that is seen is found: middle within half its size, size within a factor 2."""
    got = []
    for picture in pictures:
        found = [
            one.region
            for one, _ in confirmed_proposals(picture.pixels, proposer.propose(picture.pixels), critic)
        ]
        for points, seen in zip(picture.hands, picture.seen, strict=True):
            if seen:
                got.append(any(finds(region, OrientedSquare.of(points)) for region in found))
    return got


def shown(name, happened):
    """A share with its interval, JSON-ready."""
    return asdict(rate_estimate(name, np.array(happened, np.bool_)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    parser.add_argument("--budget", type=float, default=0.02)
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = load_proposals(args.run / "model" / "proposals")
    pictures = load_pictures(args.data, LARGEST_PX, calibration=True)
    rng = np.random.default_rng(SEED)
    cuts = [hand_free_cut(rng, p, tries=TRIES) for p in pictures if p.complete for _ in range(CUTS)]
    crops = [cut for cut in cuts if cut is not None]
    write(network, 0.0, args.output)
    critic = open_critic()
    scores = best_scores(Proposer.load(args.output), critic, crops)
    limit = limit_for(scores, args.budget)
    write(network, limit, args.output)
    proposer = Proposer.load(args.output)
    said = {"limit": limit, "hand_free": shown("hand-free", scores >= limit)}
    for kind in sorted({p.kind for p in pictures}):
        said[f"found in {kind}"] = shown(
            kind, hits(proposer, critic, [p for p in pictures if p.kind == kind])
        )
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()
