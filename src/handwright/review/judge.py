"""The judge: a picture in, the checklist of each of its hands out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect.arms import find_people
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.review.checklist import (
    CHECKS,
    Check,
    CheckName,
    HandReview,
    PictureReview,
    Where,
    cannot_tell,
)
from handwright.review.checks.arms import (
    OwnArm,
    arms_of_hands,
    arms_without,
    hand_box,
    own_arms,
    people_in_mirror,
    seen_twice,
)
from handwright.review.checks.assessability import NotAssessable, reasons_not_assessable
from handwright.review.checks.colour import is_colourless
from handwright.review.checks.finger_count import count_fingers
from handwright.review.checks.grasp import check_grasp
from handwright.review.checks.joint_bending import check_joints
from handwright.review.checks.left_right import check_side
from handwright.review.critic.fusion import fuse_prediction, fuse_without_critic
from handwright.review.critic.open_critic import open_critic
from handwright.review.critic.prediction import SMALLEST_PX, Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import Proposal, Proposer, open_proposer
from handwright.review.proposals.undetected_hands import (
    claimed_by,
    confirmed_detections,
    confirmed_proposals,
    review_undetected_hand,
    undetected_proposals,
)
from handwright.threads import both, threads
from handwright.types import HandObservation, Image

if TYPE_CHECKING:
    from handwright.prompts.expectation import Expectation


LARGEST_PX = 1536
"""Hands are looked for in pictures of at most this longer side: of 4000 × 3000 hands from 125 px on are."""


@dataclass(frozen=True)
class Judge:
    """What stays loaded between pictures.

    Attributes:
        landmarker: The eyes that find hands and people.
        critic: A second opinion of its own, or None.
        proposer: Finds hands that the landmarker overlooks, or None.
    """

    landmarker: Landmarker
    critic: Critic | None = None
    proposer: Proposer | None = None


@contextmanager
def open_judge(landmarker: Path | None = None) -> Generator[Judge]:
    """Load the perception models, and the packaged critic and proposal network if they are there.

    Args:
        landmarker: A hand_landmarker.task of the user's own.

    Raises:
        MissingModelError: The model is missing and cannot be fetched.
    """
    with HandLandmarker(landmarker) as eyes:
        yield Judge(eyes, open_critic(), open_proposer())


def review_picture(
    image: Image,
    judge: Judge,
    expected: Expectation | None = None,
    hands: Sequence[HandObservation | HandAnalysis] | None = None,
    search: bool = False,
) -> PictureReview:
    """Go through the checklist for every hand of a picture.

    Args:
        image: The picture.
        judge: Loaded models.
        expected: What a prompt says of its hands.
        hands: The hands, if they are known already, with their analysis where there is one; found otherwise.
        search: Look for others than the known ones, too: overlooked hands, and arms without one.

    Returns:
        Hands left to right, or as they were given, then those that only the proposal network sees, then
        arms that end without a hand.
    """
    search = search or hands is None
    found = _find(image, judge.landmarker) if hands is None else [_observation(hand) for hand in hands]
    heard: list[CriticPrediction | None] = [None] * len(found)
    if judge.critic is not None:
        heard = [*judge.critic.judge(image.pixels, [OrientedSquare.of(hand.landmarks_px) for hand in found])]
        if hands is None:
            found, heard = confirmed_detections(found, heard)
    (reviews, arms), new = both(
        lambda: _reviewed(image, found if hands is None else hands, heard, judge.landmarker),
        lambda: _overlooked(image, found, judge) if search else [],
    )
    bare = [arm for arm in arms_without(arms, found) if _plain(arm)] if search else []
    for one, prediction in new:
        own = next((arm for arm in bare if claimed_by(one, arm)), None)
        bare = [arm for arm in bare if arm is not own]
        side = own.side if own else None
        reviews.append(review_undetected_hand(image, one, len(reviews) + 1, prediction, side))
    reviews += [_bare_arm(arm, len(reviews) + k) for k, arm in enumerate(bare, start=1)]
    review = PictureReview(tuple(reviews), image.width, image.height)
    if expected is None:
        return review
    from handwright.review.expectation_check import check_expectation

    return check_expectation(review, expected)


def _observation(hand: HandObservation | HandAnalysis) -> HandObservation:
    return hand.observation if isinstance(hand, HandAnalysis) else hand


def _find(image: Image, landmarker: Landmarker) -> list[HandObservation]:
    """The hands of a picture, of a large one as found at ``LARGEST_PX``."""
    shrunk = LARGEST_PX / max(image.width, image.height)
    if shrunk >= 1:
        return find_hands(image.pixels, landmarker=landmarker)
    size = max(1, round(image.width * shrunk)), max(1, round(image.height * shrunk))
    small = cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA)
    grown = np.array([image.width / size[0], image.height / size[1]])
    return [
        replace(hand, landmarks_px=hand.landmarks_px * grown, depth_px=hand.depth_px * float(grown.mean()))
        for hand in find_hands(small, landmarker=landmarker)
    ]


def _reviewed(
    image: Image,
    hands: Sequence[HandObservation | HandAnalysis],
    heard: Sequence[CriticPrediction | None],
    landmarker: Landmarker,
) -> tuple[list[HandReview], list[OwnArm]]:
    """The checklists of hands that were found, and all arms of the picture."""
    found = [_observation(hand) for hand in hands]
    people, arms = _arms(image, found, landmarker)
    of_hand = arms_of_hands(arms, found)

    def look(index: int) -> HandReview:
        others = [*found[:index], *found[index + 1 :]]
        side = check_side(found[index], of_hand[index], others, people)
        hand = hands[index]
        analysis = hand if isinstance(hand, HandAnalysis) else analyse_hand(image, hand)
        return _review_hand(image, index + 1, analysis, others, side, heard[index])

    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(look, range(len(found)))), arms


def _overlooked(
    image: Image, found: Sequence[HandObservation], judge: Judge
) -> list[tuple[Proposal, CriticPrediction | None]]:
    """Hands that only the proposal network sees, with what the critic says of them."""
    if judge.proposer is None:
        return []
    new = undetected_proposals(judge.proposer.propose(image.pixels), found, image.width, image.height)
    return confirmed_proposals(image.pixels, new, judge.critic)


def _review_hand(
    image: Image,
    number: int,
    analysis: HandAnalysis,
    others: Sequence[HandObservation],
    side: Check,
    prediction: CriticPrediction | None,
) -> HandReview:
    """The checklist of one hand that was found."""
    hand = analysis.observation
    said = reasons_not_assessable(analysis)
    checks = _geometry(analysis, said, others, side)
    if prediction is None:
        return HandReview(number, hand.bbox_xyxy_px, hand.side, fuse_without_critic(checks), hand, prediction)
    pale = is_colourless(image.pixels, OrientedSquare.of(hand.landmarks_px))
    checks = fuse_prediction(checks, prediction, hand, said.keys(), pale)
    return HandReview(number, hand.bbox_xyxy_px, hand.side, checks, hand, prediction)


def _arms(image: Image, hands: Sequence[HandObservation], landmarker: Landmarker) -> tuple[int, list[OwnArm]]:
    """How many people there are, and their arms; what would speak against a hand must be seen twice."""
    size_px = image.width, image.height
    people = find_people(image.pixels, landmarker)
    arms = own_arms(people, hands, *size_px)
    of_hand = arms_of_hands(arms, hands)
    odd = [own for own, hand in zip(of_hand, hands, strict=True) if own and own.side != hand.side]
    doubtful = [own for own in (*odd, *arms_without(arms, hands)) if own.sure]
    if not doubtful:
        return len(people), arms
    again = own_arms(people_in_mirror(image.pixels, landmarker), hands, *size_px)
    once = [own for own in doubtful if not seen_twice(own, again)]
    return len(people), [replace(own, sure=own.sure and own not in once) for own in arms]


def _geometry(
    analysis: HandAnalysis, said: NotAssessable, others: Sequence[HandObservation], side: Check
) -> Mapping[CheckName, Check]:
    """The four checks by geometry alone; those in doubt say why."""
    makers: dict[CheckName, Callable[[], Check]] = {
        "finger_count": lambda: count_fingers(analysis, others),
        "joint_bending": lambda: check_joints(analysis),
        "left_right": lambda: side,
        "grasp": lambda: check_grasp(analysis),
    }
    where = Where(region_xyxy_px=analysis.observation.bbox_xyxy_px)
    return {name: cannot_tell(said[name], where=where) if name in said else makers[name]() for name in CHECKS}


def _plain(own: OwnArm) -> bool:
    return own.sure and own.arm.palm_px >= SMALLEST_PX / 2


def _bare_arm(own: OwnArm, number: int) -> HandReview:
    x, y = own.arm.knuckles_px
    where = Where(((float(x), float(y)),), hand_box(own.arm))
    reason = f"A {own.side} arm ends here, but no hand was found."
    check = cannot_tell(reason, where=where)
    checks: dict[CheckName, Check] = dict.fromkeys(CHECKS, check)
    checks["left_right"] = replace(check, value={"side": None, "arm": own.side})
    return HandReview(number, hand_box(own.arm), own.side, checks, None)
