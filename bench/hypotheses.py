"""How near pose hypotheses come to the sound hand: python bench/hypotheses.py PHOTOS [--n 500].

Sound hands of training photographs are made malformed as for the finish (``make_finish_pairs.malformed``),
found and fitted again, and read by every hypothesis that `refine` has for them. Beside these stands one by
pose statistics: where the detector's landmarks and the critic's lie apart, those of the sound hand, of
another set of photographs, that is nearest to the rest under a similarity. Errors are mean distances of the
fitted landmarks from those of the sound hand, in hand sizes; the sound hand is MediaPipe's, fitted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import numpy as np

from handwright.metrics.estimate import rate_estimate
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.perception.fit.hand_fit import fit_hand
from handwright.refine.hand_task import HandTask, plan_hand
from handwright.refine.pose_hypotheses import other_hypotheses, palm_only
from handwright.refine.settings import RefineSettings
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.prediction import Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.training.streams.photographs import Photograph, training_photographs
from handwright.types import Image
from judge_tables import share
from make_finish_pairs import FARTHEST_FIT, LEAST_OVERLAP, LEAST_PX, malformed

SEED, ROOM = 930_050, 0.15  # Of the order and the defects; margin of the box in which the hand is found again
FAR, NEARER = 0.06, 0.01  # Error of a hand that is misread; what counts as nearer or farther, in hand sizes
APART = 0.05  # Distance of the detector's landmark from the critic's at which it counts by half


@dataclass(frozen=True, eq=False)
class Malformed:
    """A hand that was made malformed."""

    photos: str  # Set of photographs
    sound_px: np.ndarray  # [21, 2] of the sound hand, as fitted
    sound_side: str
    size_px: float
    picture_px: tuple[int, int]  # Width and height
    task: HandTask  # As found again
    prediction: CriticPrediction
    readings: dict[str, np.ndarray]  # Landmarks by hypothesis

    def error(self, points: np.ndarray) -> float:
        """Mean distance from the sound hand in hand sizes."""
        return float(np.linalg.norm(points - self.sound_px, axis=1).mean() / self.size_px)


def malformed_hands(
    photographs: list[Photograph], landmarker: Landmarker, critic: Critic
) -> Iterator[Malformed]:
    """The hands of these photographs that fit well, made malformed and found again."""
    others: list[np.ndarray] = []
    for number, photograph in enumerate(photographs):
        rng = np.random.default_rng([SEED, number])
        image = Image(np.ascontiguousarray(photograph.pixels))
        for seen in find_hands(image.pixels, landmarker=landmarker):
            if seen.size_px < LEAST_PX:
                continue
            hand = analyse_hand(image, seen)
            if hand.fit.residual > FARTHEST_FIT or hand.overlap < LEAST_OVERLAP:
                continue
            old = malformed(rng, hand, others[-1] if others else hand.crop[:, ::-1])
            others[:] = [hand.crop]
            pixels, (x0, y0, x1, y1) = image.pixels.copy(), hand.window
            pixels[y0:y1, x0:x1] = old
            x0, y0, x1, y1 = seen.bbox_xyxy_px
            room = ROOM * max(x1 - x0, y1 - y0)
            box = (x0 - room, y0 - room, x1 + room, y1 + room)
            (found,) = find_in_boxes(pixels, [box], landmarker=landmarker)
            if found is None:
                continue
            task = plan_hand(1, Image(pixels), analyse_hand(Image(pixels), found), RefineSettings())
            (prediction,) = critic.judge(pixels, [OrientedSquare.of(found.landmarks_px)])
            tasks = [*other_hypotheses(pixels, task, None, prediction), palm_only(pixels, task, None)]
            yield Malformed(
                photograph.source.split("/")[0], hand.fit.landmarks_px, seen.side, seen.size_px,
                (image.width, image.height), task, prediction,
                {one.pose_hypothesis: one.fit.landmarks_px for one in tasks},
            )  # fmt: skip


def by_statistics(hand: Malformed, others: list[Malformed]) -> np.ndarray | None:
    """Landmarks of the fit to the nearest sound hand's, where detector and critic disagree."""
    if hand.prediction.landmarks_px is None:
        return None
    seen = hand.task.observation
    apart = np.linalg.norm(seen.landmarks_px - hand.prediction.landmarks_px, axis=1) / hand.size_px
    trust = 1 / (1 + (apart / APART) ** 2)
    placed = [
        _placed(one.sound_px * ([1, 1] if one.sound_side == seen.side else [-1, 1]), seen.landmarks_px, trust)
        for one in others
        if one.photos != hand.photos
    ]
    _, nearest = min(placed, key=lambda pair: pair[0])
    points = trust[:, None] * seen.landmarks_px + (1 - trust[:, None]) * nearest
    flat = replace(seen, landmarks_px=points, depth_px=np.zeros(21))
    return fit_hand(flat, *hand.picture_px).landmarks_px


def _placed(points: np.ndarray, onto: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Points moved by the best similarity, and their weighted squared distance."""
    share = weights / weights.sum()
    a, b = points @ [1, 1j], onto @ [1, 1j]
    a, middle = a - share @ a, share @ b
    moved = (share @ (a.conj() * (b - middle))) / (share @ abs(a) ** 2) * a + middle
    return float(share @ abs(moved - b) ** 2), np.stack([moved.real, moved.imag], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--n", type=int, default=500, help="photographs")
    args = parser.parse_args()
    photographs = list(training_photographs(args.photos))
    order = np.random.default_rng(SEED).permutation(len(photographs))
    critic = open_critic()
    assert critic is not None
    with HandLandmarker(None) as landmarker:
        chosen = [photographs[k] for k in islice(order, args.n)]
        hands = list(malformed_hands(chosen, landmarker, critic))
    for hand in hands:
        points = by_statistics(hand, hands)
        if points is not None:
            hand.readings["as the nearest sound hand"] = points
    as_found = {id(hand): hand.error(hand.task.fit.landmarks_px) for hand in hands}
    misread = [hand for hand in hands if as_found[id(hand)] > FAR]
    print(f"{len(hands)} hands, {len(misread)} misread (error above {FAR} hand sizes as found)")
    print("| hypothesis of a misread hand | N | nearer | farther | error as found, and so (medians) |")
    print("|---|---|---|---|---|")
    for name in dict.fromkeys(name for hand in misread for name in hand.readings):
        pairs = np.array(
            [(as_found[id(h)], h.error(h.readings[name])) for h in misread if name in h.readings]
        )
        gain = pairs[:, 0] - pairs[:, 1]
        nearer, farther = (rate_estimate("", some) for some in (gain > NEARER, gain < -NEARER))
        was, now = np.median(pairs, axis=0)
        print(f"| {name} | {len(pairs)} | {share(nearer)} | {share(farther)} | {was:.3f}, {now:.3f} |")


if __name__ == "__main__":
    main()
