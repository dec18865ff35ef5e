"""Which of two hands that cross is in front: python bench/hand_order.py [--n 200] [--seed S].

Rendered pairs that cross, clasp, touch or lie on each other, 512², seeds that nothing was trained on; found
and fitted as everywhere. On pixels that both fitted hands cover and that show one of the two, how often
``depth_control`` gives the pixel to the hand that is seen there: by the depth of the fitted meshes alone, and
with the critic's maps. Means over pictures, bootstrap 95 %.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from handwright.data.hands.body import LABELS_PER_HAND
from handwright.data.hands.sample import HandPicture, of_hand, render_setup
from handwright.data.hands.setup import draw_setup
from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import HandObservation, Image
from measures import mean, row

SIDE_PX, APART = 512, ("side by side", "counting")
NEAR, FEWEST_PX = 0.25, 80
"""Mean distance of found from true landmarks, in hand sizes; pixels that must be covered twice."""


def found_pair(picture: HandPicture, landmarker: HandLandmarker) -> list[HandObservation] | None:
    """The finds of both hands in their order; None where one is not found."""
    found = find_hands(picture.pixels, landmarker=landmarker)
    pair: list[HandObservation] = []
    for truth in picture.hands:
        gaps = [np.linalg.norm(h.landmarks_px - truth.keypoints_px, axis=1).mean() / h.size_px for h in found]
        if not gaps or min(gaps) > NEAR:
            return None
        pair.append(found[int(np.argmin(gaps))])
    return None if pair[0] is pair[1] else pair


def right_shares(picture: HandPicture, pair: list[HandObservation], critic) -> list[float] | None:
    """Share of the twice covered pixels with the right owner: by depth, with the maps; None of too few."""
    fits = [analyse_hand(Image(picture.pixels), hand).fit.hand for hand in pair]
    alone = [depth_control([fit], SIDE_PX, SIDE_PX).hand_id == 0 for fit in fits]
    both = alone[0] & alone[1] & of_hand(picture.parts)
    if both.sum() < FEWEST_PX:
        return None
    truth = picture.parts // LABELS_PER_HAND
    told = critic.judge(picture.pixels, [OrientedSquare.of(hand.landmarks_px) for hand in pair])
    maps = [None if one.not_assessable else one.part_maps.hand_in for one in told]
    shares = []
    for seen in ((), maps):
        owner = depth_control(fits, SIDE_PX, SIDE_PX, seen=seen).hand_id
        shares.append(float((owner[both] == truth[both]).mean()))
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=200, help="pictures of two hands that meet")
    parser.add_argument("--seed", type=int, default=884_000)
    args = parser.parse_args()
    critic, shares, met, found, index = open_critic(), [], 0, 0, 0
    with HandLandmarker(None) as landmarker:
        while met < args.n:
            rng = np.random.default_rng([args.seed, index, 40])
            index += 1
            setup = draw_setup(rng, SIDE_PX)
            if setup.pair is None or setup.pair in APART:
                continue
            picture = render_setup(setup, rng, SIDE_PX)
            met += 1
            pair = found_pair(picture, landmarker)
            if pair is None:
                continue
            found += 1
            if (right := right_shares(picture, pair, critic)) is not None:
                shares.append(right)
    values = np.array(shares)
    print(f"of {met} pictures both hands are found in {found}; {len(values)} cover each other")
    print(row("right by the meshes' depth, %", values[:, 0], mean, scale=100))
    print(row("right with the critic's maps, %", values[:, 1], mean, scale=100))
    print(row("gain, points", values[:, 1] - values[:, 0], mean, scale=100))


if __name__ == "__main__":
    main()
