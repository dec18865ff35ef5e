"""How the review takes right and wrong texts of hands that are sound:

    python bench/texts.py --seed 2062 --n 200
    python bench/texts.py --signs PHOTOGRAPHS

People are rendered from a seed with the caption that states their hands. Each hand found is held against its
own caption, and against those of other people whose stretched-out fingers (index … pinky) are known to differ
by one, two, or three and more. Printed are the shares of hands that pass, that cannot be told, and that fail,
with Wilson 95 % intervals; beside them what the landmarks that a hand was found by contradict on their own,
without the critic's. Hands that do not pass the grasp check without any text are left out and counted.

With --signs, test-only photographs of letters and gestures: of how many hands each set of landmarks, and the
mean of both, has all of index … pinky rightly stretched out or bent.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from handwright.hand.grammar import bent_by_deg
from handwright.hand.kinematics import dofs_of_pose, hand_landmarks_px
from handwright.metrics.estimate import wilson
from handwright.perception.fit.hand_fit import fit_hand
from handwright.prompts.expectation import Expectation, HandExpectation
from handwright.prompts.parse import parse_prompt
from handwright.reproduce.people_cases import Case, rendered_people
from handwright.review.checklist import HandReview, PictureReview
from handwright.review.expectation_check import check_expectation, contradictions
from handwright.review.judge import open_judge, review_picture
from handwright.training.streams.photographs import photographs_of
from handwright.types import Hand, Image

SIZE_PX = 384
NEAR = 0.35  # Hand sizes within which a hand found is one of the person's
TEXTS = 400  # Wrong ones of each kind


LETTERS = {
    "A": "0000", "B": "1111", "D": "1000", "E": "0000", "F": "0111", "I": "0001", "K": "1100", "L": "1000",
    "M": "0000", "N": "0000", "O": "0000", "R": "1100", "S": "0000", "T": "0000", "U": "1100", "V": "1100",
    "W": "1110", "Y": "0001",
}  # fmt: skip
GESTURES = {
    "call": "0001", "fist": "0000", "four": "1111", "like": "0000", "dislike": "0000", "one": "1000",
    "palm": "1111", "peace": "1100", "rock": "1001", "stop": "1111", "three": "1110", "two_up": "1100",
    "ok": "0111", "peace_inverted": "1100", "stop_inverted": "1111",
}  # fmt: skip
"""Which of index … pinky are stretched out; letters and gestures where that is not plain are left out."""


@dataclass(frozen=True)
class Found:
    """A hand that the review finds, with the person's hand that it is."""

    review: PictureReview  # Without a text, this hand alone
    hand: Hand
    stated: HandExpectation  # What the caption states of it

    @property
    def stretched(self) -> tuple[bool, ...]:
        """Which of index … pinky are stretched out, in truth."""
        return tuple(bent_by_deg(dofs_of_pose(self.hand.pose, self.hand.palm_arch)) < 0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=2062)
    parser.add_argument("--n", type=int, default=200, help="people")
    parser.add_argument("--signs", type=Path, help="folder with the sets of photographs")
    options = parser.parse_args()
    if options.signs is not None:
        report_signs(options.signs)
        return
    found, left_out = found_hands(options.seed, options.n)
    print(
        f"{len(found)} hands of {options.n} people of seed {options.seed}, {SIZE_PX} px; {left_out} left out"
    )
    report("their own text", [(one, one.stated) for one in found])
    for least, pairs in wrong_texts(found).items():
        report(f"{least}{' or more' if least == 3 else ''} other fingers", pairs)


def found_hands(seed: int, n: int) -> tuple[list[Found], int]:
    """Hands of sound renders whose grasp check passes without a text, and how many others there are."""
    found, left_out = list[Found](), 0
    with open_judge() as judge:
        for case, _ in zip(rendered_people(seed, n, SIZE_PX), range(n), strict=False):
            review = review_picture(Image(case.picture), judge)
            for hand in review.hands:
                whose = of_person(hand, case)
                if whose is None:
                    continue
                if hand.checks["grasp"].verdict != "pass":
                    left_out += 1
                    continue
                alone = PictureReview((hand,), review.width, review.height)
                found.append(Found(alone, *whose))
    return found, left_out


def of_person(hand: HandReview, case: Case) -> tuple[Hand, HandExpectation] | None:
    """The person's hand that a hand found is, and what the caption states of it."""
    if hand.observation is None:
        return None
    points = hand.observation.landmarks_px
    size = float(np.ptp(points, axis=0).max())
    stated = {one.side: one for one in parse_prompt(case.caption).hands}
    for side, whose in case.parameters.items():
        miss = np.linalg.norm(hand_landmarks_px(whose) - points, axis=1).mean()
        if miss < NEAR * size and side in stated:
            return whose, stated[side]
    return None


def wrong_texts(found: list[Found]) -> dict[int, list[tuple[Found, HandExpectation]]]:
    """Hands with other hands' texts, by how many fingers are stretched out otherwise (3: or more)."""
    draw, pairs = random.Random(0), dict[int, list[tuple[Found, HandExpectation]]]({1: [], 2: [], 3: []})
    for one in found:
        for other in found:
            differ = sum(a != b for a, b in zip(one.stretched, other.stretched, strict=True))
            if differ:
                pairs[min(differ, 3)].append((one, other.stated))
    return {differ: draw.sample(some, min(TEXTS, len(some))) for differ, some in pairs.items()}


def report(name: str, pairs: list[tuple[Found, HandExpectation]]) -> None:
    """Print the shares of one kind of text."""
    verdicts = Counter(checked(one, stated) for one, stated in pairs)
    alone = sum(bool(contradictions(one.review.hands[0], stated)) for one, stated in pairs)
    print(f"{name}: N {len(pairs)}")
    for verdict in ("pass", "cannot tell", "fail"):
        print(f"   {verdict:12} {share(verdicts[verdict], len(pairs))}")
    print(f"   fail without the critic's landmarks {share(alone, len(pairs))}")


def checked(one: Found, stated: HandExpectation) -> str:
    """Verdict of the grasp check; sides and what is touched are left aside."""
    fingers = HandExpectation(pose=stated.pose, grasp=stated.grasp)
    (hand,) = check_expectation(one.review, Expectation(prompt="", hands=(fingers,))).hands
    return hand.checks["grasp"].verdict


def report_signs(root: Path) -> None:
    """Print of how many photographs' hands the fingers are right, by either landmarks and by both."""
    stretched, found = list[list[bool]](), list[tuple[np.ndarray, np.ndarray]]()
    with open_judge() as judge:
        for pixels, sign in signs(root):
            review = review_picture(Image(pixels), judge)
            hands = [
                (hand, hand.prediction.landmarks_px)
                for hand in review.hands
                if hand.prediction is not None
                and hand.prediction.landmarks_px is not None
                and hand.checks["grasp"].verdict != "cannot tell"
            ]
            if not hands:
                continue
            hand, by_critic = max(hands, key=lambda one: one[0].bbox_xyxy_px[2] - one[0].bbox_xyxy_px[0])
            assert hand.observation is not None
            anew = replace(hand.observation, landmarks_px=by_critic)
            sized = review.width, review.height
            first, second = (fit_hand(one, *sized).hand for one in (hand.observation, anew))
            bent = [bent_by_deg(dofs_of_pose(one.pose, one.palm_arch)) for one in (first, second)]
            stretched.append([finger == "1" for finger in sign])
            found.append((bent[0], bent[1]))
    wanted = np.array(stretched)
    first, second = (np.array(each) for each in zip(*found, strict=True))
    for name, bent in (("found by", first), ("the critic's", second), ("mean", (first + second) / 2)):
        right = int(((bent < 0) == wanted).all(1).sum())
        print(f"landmarks {name}: {share(right, len(wanted))} of {len(wanted)} hands")


def signs(root: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Test-only photographs, each with which of index … pinky are stretched out."""
    letters = root / "roboflow_asl_letters_publicdomain"
    names = {one["file_name"]: one["letter"] for one in json.loads((letters / "labels.json").read_text())}
    for photograph in photographs_of(letters, test_only=True):
        sign = LETTERS.get(names.get(Path(photograph.source).name, ""))
        if sign is not None:
            yield photograph.pixels, sign
    gestures = root / "mediapipe_gesture_testdata"
    for one in json.loads((gestures / "labels.json").read_text()):
        sign = GESTURES.get(one["gesture_folder"])
        if sign is not None:
            yield np.asarray(PILImage.open(gestures / "images" / one["file_name"]).convert("RGB")), sign


def share(count: int, total: int) -> str:
    """A share with its interval, in percent."""
    low, high = wilson(count, total)
    return f"{100 * count / total:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


if __name__ == "__main__":
    main()
