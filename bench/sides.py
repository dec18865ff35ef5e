"""The left–right check on hands of the right side and of the wrong one.

    python bench/sides.py --seed 2062 --n 100
    python bench/sides.py --photographs PHOTOGRAPHS

Hands that the review finds on an arm (of rendered people with known sides; with --photographs, of real people
in sets where arms are seen) are reviewed as they are, and again mirrored about the axis of their palm, which
makes a left hand of a right one on the same arm. Printed are the shares of hands that the
check passes, cannot tell and fails, with Wilson 95 % intervals, with the critic's word on their side and
without (its P(right hand) is one half then). Hands below 32 px are left out. Of renders the share of hands
whose side the review reports rightly is printed, too.

Photographs of --set train are those that the split leaves to training; of --set test those of sets that are
for tests alone.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image as PILImage

from handwright.hand.kinematics import hand_landmarks_px
from handwright.perception.detect.views import box_iou
from handwright.reproduce.people_cases import rendered_people
from handwright.review.checklist import HandReview
from handwright.review.critic.prediction import SMALLEST_PX, Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge, open_judge, review_picture
from handwright.training.streams.photographs import photographs_of
from handwright.types import Hand, Image, Side
from texts import NEAR, SIZE_PX, share

Pixels = UInt8[np.ndarray, "h w 3"]

TRAIN_SETS = ("emrecandir9_gesture", "subhih_handsdataset")
TEST_SETS = (
    "azure_samples_people", "cansik_unsplash_scenes", "coco_ccby_people", "mediapipe_gesture_testdata",
    "mslearn_ai_vision_people", "pexels_cc0_women_on_phones",
)  # fmt: skip
MARGIN = 0.12  # Around a mirrored hand, in its sizes
SAME_PLACE = 0.4  # Least overlap (IoU) of a mirrored hand with one that is found


@dataclass(frozen=True)
class Case:
    """A picture, and its hands where they are known."""

    pixels: Pixels
    hands: Mapping[Side, Hand]


@dataclass(frozen=True)
class WithoutSides:
    """A critic that does not tell left from right."""

    critic: Critic

    def judge(self, pixels: Pixels, regions: Sequence[OrientedSquare]) -> list[CriticPrediction]:
        """The critic's predictions, with P(right hand) of one half."""
        return [replace(one, right=0.5) for one in self.critic.judge(pixels, regions)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=2062)
    parser.add_argument("--n", type=int, default=100, help="people, or photographs of a set at most")
    parser.add_argument("--photographs", type=Path, help="folder with the sets of photographs")
    parser.add_argument("--set", choices=("train", "test"), default="train")
    options = parser.parse_args()
    cases: Iterator[Case]
    if options.photographs is None:
        people = zip(range(options.n), rendered_people(options.seed, options.n, SIZE_PX), strict=False)
        cases = (Case(one.picture, one.parameters) for _, one in people)
    else:
        pictures = train_pictures if options.set == "train" else test_pictures
        cases = (Case(pixels, {}) for pixels in pictures(options.photographs, options.n))
    found = dict[str, list[tuple[HandReview | None, Side | None]]]()
    with open_judge() as judge:
        assert judge.critic is not None
        judges = {"with the critic": judge, "without": replace(judge, critic=WithoutSides(judge.critic))}
        for case in cases:
            for name, one in judges.items():
                for kind, hand, side in reviewed(case, one):
                    found.setdefault(f"{kind}, {name}", []).append((hand, side))
    for name, hands in found.items():
        report(name, hands)


def train_pictures(root: Path, n: int) -> Iterator[Pixels]:
    """Up to ``n`` photographs of each training set, evenly spread over it."""
    for name in TRAIN_SETS:
        photographs = [one.pixels for one in photographs_of(root / name, test_only=False)]
        yield from photographs[:: max(1, len(photographs) // n)]


def test_pictures(root: Path, n: int) -> Iterator[Pixels]:
    """Up to ``n`` photographs of each set that is for tests alone."""
    for name in TEST_SETS:
        files = sorted(path for path in (root / name).rglob("*") if path.suffix in (".jpg", ".jpeg", ".png"))
        for path in files[:n]:
            with PILImage.open(path) as picture:
                yield np.asarray(picture.convert("RGB"))


def reviewed(case: Case, judge: Judge) -> Iterator[tuple[str, HandReview | None, Side | None]]:
    """Each hand on an arm as it is and mirrored (None: not found again), with its true side if known."""
    for hand in review_picture(Image(case.pixels), judge).hands:
        if hand.observation is None or hand.observation.size_px < SMALLEST_PX:
            continue
        if hand.checks["left_right"].value.get("arm") is None:
            continue
        points, side = hand.observation.landmarks_px, None
        if case.hands:
            apart = {s: np.abs(hand_landmarks_px(one) - points).mean() for s, one in case.hands.items()}
            side = min(apart, key=lambda one: apart[one])
            if apart[side] > NEAR * hand.observation.size_px:
                continue
            points = hand_landmarks_px(case.hands[side])
        yield "as they are", hand, side
        pixels, box = with_mirrored_hand(case.pixels, points)
        again = review_picture(Image(pixels), judge).hands
        there = [one for one in again if one.observation and box_iou(one.bbox_xyxy_px, box) > SAME_PLACE]
        other: Side | None = None if side is None else "left" if side == "right" else "right"
        yield "mirrored", there[0] if there else None, other


def with_mirrored_hand(
    pixels: Pixels, points: Float[np.ndarray, "21 2"]
) -> tuple[Pixels, tuple[float, float, float, float]]:
    """The picture with a hand, distal of its wrist, mirrored about the axis of its palm, and its new box."""
    wrist, knuckles = points[0], points[[5, 9, 13, 17]].mean(0)
    axis = (knuckles - wrist) / np.linalg.norm(knuckles - wrist)
    across = np.array([-axis[1], axis[0]])
    turn = np.eye(2) - 2 * np.outer(across, across)
    matrix = np.column_stack([turn, wrist - turn @ wrist]).astype(np.float32)
    height, width = pixels.shape[:2]
    flipped = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
    mirrored = points @ turn.T + matrix[:, 2]
    size = float(np.ptp(points, axis=0).max())
    mask = np.zeros((height, width), np.float32)
    hull = cv2.convexHull(np.concatenate([points, mirrored]).astype(np.float32))
    cv2.fillConvexPoly(mask, hull.astype(np.int32), 1.0)
    reach = max(2, round(MARGIN * size))
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    rows, columns = np.mgrid[:height, :width]
    distal = (columns - wrist[0]) * axis[0] + (rows - wrist[1]) * axis[1]
    mask *= np.clip(distal / (0.04 * size) + 0.5, 0, 1).astype(np.float32)
    share = cv2.GaussianBlur(mask, (0, 0), max(0.7, 0.02 * size))[..., None]
    (x0, y0), (x1, y1) = mirrored.min(0), mirrored.max(0)
    box = float(x0), float(y0), float(x1), float(y1)
    return (pixels * (1 - share) + flipped * share + 0.5).astype(np.uint8), box


def report(name: str, hands: Sequence[tuple[HandReview | None, Side | None]]) -> None:
    """Print the shares of one row."""
    there = [(hand, side) for hand, side in hands if hand is not None]
    verdicts = Counter(hand.checks["left_right"].verdict for hand, _ in there)
    print(f"{name}: N {len(there)}, {len(hands) - len(there)} more not found again")
    for verdict in ("pass", "cannot tell", "fail"):
        print(f"   {verdict:12} {share(verdicts[verdict], len(there))}")
    known = [(hand, side) for hand, side in there if side is not None]
    if known:
        print(f"   side told rightly {share(sum(h.side == s for h, s in known), len(known))}", flush=True)


if __name__ == "__main__":
    main()
