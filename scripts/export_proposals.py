"""Set a proposal network's limits and write its ONNX file: scripts/export_proposals.py RUN --data DATA.

RUN is a folder that `handwright train proposals` wrote. Both limits are set on hand-free windows of the
calibration part of DATA, the pictures that training left out: a proposal counts from the smallest score that
at most ASKED of the windows reach, so that the critic looks at few; and it is a hand unless the critic rules
it out from the smallest score at which at most BUDGET of the windows have a find that `confirmed_proposals`
lets pass. Prints what was measured: false finds, and the share of the hands there that are found.
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

LARGEST_PX, SEED, CUTS, TRIES, STEPS, LEAST_CUT_PX = 640, 11, 2, 30, 1000, 96
LEAST, ASKED, BUDGET = 0.02, 0.5, 0.04
"""Scores below the first are not looked at; shares of hand-free windows with a proposal, and with a find."""


def write(network, limit, sure, folder):
    """The network with its limits as an ONNX file."""
    config = network.config
    meta = {
        "name": config.name,
        "size_px": str(config.size_px),
        "stride": str(config.stride),
        "limit": f"{limit:.4f}",
        "sure": f"{sure:.4f}",
    }
    example = torch.zeros(1, 3, config.size_px, config.size_px)
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(network, example, MAPS, meta, folder / FILE)


def best_scores(lots):
    """The best score of each lot of proposals; 0 of an empty one."""
    return np.array([max((one.score for one in lot), default=0.0) for lot in lots])


def found_in(crop, proposals, critic):
    """The proposals in a crop that the critic does not rule out, and whether it is sure of any by itself."""
    confirmed = confirmed_proposals(crop, proposals, critic, sure_score=0.0)
    return [one for one, _ in confirmed], any(said.is_hand_without_detection for _, said in confirmed)


def limit_for(scores, budget):
    """The smallest limit at which at most ``budget`` of the scores reach it, rounded up."""
    worst = np.sort(scores)[::-1][int(budget * len(scores))]
    return min(1.0, max(LEAST, (np.floor(worst * STEPS) + 1) / STEPS))


def hits(proposer, critic, pictures):
    """Whether each hand that is seen is found: middle within half its size, size within a factor 2."""
    got = []
    for picture in pictures:
        found = [
            one.region
            for one, _ in confirmed_proposals(
                picture.pixels, proposer.propose(picture.pixels), critic, proposer.sure
            )
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
    args = parser.parse_args()
    torch.set_num_threads(1)
    network = load_proposals(args.run / "model" / "proposals")
    pictures = load_pictures(args.data, LARGEST_PX, calibration=True)
    rng = np.random.default_rng(SEED)
    cuts = [hand_free_cut(rng, p, tries=TRIES) for p in pictures if p.complete for _ in range(CUTS)]
    crops = [
        np.ascontiguousarray(cut) for cut in cuts if cut is not None and min(cut.shape[:2]) >= LEAST_CUT_PX
    ]
    write(network, LEAST, 1.0, args.output)
    critic, proposer = open_critic(), Proposer.load(args.output)
    lots = [proposer.propose(crop) for crop in crops]
    limit = limit_for(best_scores(lots), ASKED)
    lots = [[one for one in lot if one.score >= limit] for lot in lots]
    found = [found_in(crop, lot, critic) for crop, lot in zip(crops, lots, strict=True)]
    by_critic = np.array([sure for _, sure in found])
    scores = np.where(by_critic, 1.0, best_scores([lot for lot, _ in found]))
    sure = limit_for(scores, max(BUDGET, by_critic.mean()))
    write(network, limit, sure, args.output)
    proposer = Proposer.load(args.output)
    said = {"limit": limit, "sure": sure, "hand_free": shown("hand-free", scores >= sure)}
    for kind in sorted({p.kind for p in pictures}):
        said[f"found in {kind}"] = shown(
            kind, hits(proposer, critic, [p for p in pictures if p.kind == kind])
        )
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()
