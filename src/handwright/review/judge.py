"""The judge: a picture in, the checklist of each of its hands out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect.arms import find_people
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker, Person
from handwright.perception.detect.not_a_hand import NotAHand
from handwright.perception.detect.own_landmarker import OwnLandmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.fit.own_fitter import OwnFitter
from handwright.plug_ins import PlugIn
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
    found_again,
    hand_box,
    own_arms,
    people_in_mirror,
)
from handwright.review.checks.assessability import is_colourless, reasons_not_assessable
from handwright.review.checks.broken_hold import BrokenHolds, open_broken_holds
from handwright.review.checks.finger_count import count_fingers
from handwright.review.checks.grasp import check_grasp
from handwright.review.checks.joint_bending import check_joints
from handwright.review.checks.left_right import check_side, of_its_arm
from handwright.review.critic.appearance import Appearance, open_appearance
from handwright.review.critic.fusion import fuse_prediction, fuse_without_critic
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.own_critic import OwnCritic
from handwright.review.critic.prediction import SMALLEST_PX, Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.generated_look import review_as_generated
from handwright.review.proposals.network import Proposal, Proposer, open_proposer
from handwright.review.proposals.undetected_hands import (
    confirmed_detections,
    confirmed_proposals,
    ends_arm,
    refuse_proposals,
    review_undetected_hand,
    undetected_proposals,
)
from handwright.threads import both, once, threads
from handwright.types import HandObservation, Image

if TYPE_CHECKING:
    from handwright.prompts.expectation import Expectation


LARGEST_PX = 1536
"""Longer side in pixels to which larger pictures are shrunk for detection: of 4000 × 3000 it finds hands from
125 px on."""


@dataclass(frozen=True)
class Judge:
    """The models of a review, loaded once for many pictures."""

    landmarker: Landmarker  # Finds hands and people
    critic: Critic | None = None  # Predicts the defects of a hand; None: the checks by geometry stand alone
    proposer: Proposer | None = None  # Finds hands that the landmarker misses; None: these stay undetected
    appearance: Appearance | None = None  # Adds how a hand looks to the predictions; None: nothing does
    fitter: OwnFitter | None = None  # The user's mesh fitter; None: the package's
    holds: BrokenHolds | None = None  # Fails holds that no hand shows; None: nothing does

    def with_plug_ins(self, given: Mapping[str, Any]) -> Judge:
        """The judge with the user's landmarker, fitter and critic in place of its own.

        Args:
            given: Names or objects by kind (``handwright.plug_ins``); a painter is left out.

        Raises:
            PlugInError: One cannot be imported or made, or lacks its method.
        """
        own = {kind: PlugIn(kind, one) for kind, one in given.items() if kind != "painter"}
        return replace(
            self,
            landmarker=OwnLandmarker(own["landmarker"], self.landmarker)
            if "landmarker" in own
            else self.landmarker,
            critic=OwnCritic(own["critic"]) if "critic" in own else self.critic,
            fitter=OwnFitter(own["fitter"]) if "fitter" in own else self.fitter,
        )


@contextmanager
def open_judge(landmarker: Path | None = None) -> Generator[Judge]:
    """Load the perception models, and the packaged critic and proposal network if they are installed.

    Args:
        landmarker: A hand_landmarker.task of the user's own.

    Raises:
        MissingModelError: The model is missing and cannot be fetched.
    """
    with HandLandmarker(landmarker) as loaded:
        networks = open_critic(), open_proposer(), open_appearance(loaded)
        yield Judge(loaded, *networks, holds=open_broken_holds())


def review_picture(
    image: Image,
    judge: Judge,
    expected: Expectation | None = None,
    hands: Sequence[HandObservation | HandAnalysis] | None = None,
    search: bool = False,
    people: Callable[[], list[Person]] | None = None,
    look_limit: float | None = None,
) -> PictureReview:
    """Go through the checklist for every hand of a picture.

    Args:
        image: The picture.
        judge: The models.
        expected: What the picture should show, to be compared with it.
        hands: Its hands, where they are known; None: they are detected.
        search: Look for other hands than the known ones, too.
        people: Returns the people of the picture; None: they are found here.
        look_limit: P(looks malformed) from which on a hand does not pass, where the picture is known to be
            generated: a limit of ``generated_look``; None: how it looks decides nothing.

    Returns:
        Hands left to right, or as they were given, then those that only the proposal network finds, then arms
        that end without a hand.
    """
    search = search or hands is None
    people = people or once(lambda: find_people(image.pixels, judge.landmarker))
    if hands is None:
        detected, refused = _detect(image, judge.landmarker, people)
    else:
        detected, refused = [_observation(hand) for hand in hands], []
    predictions: list[CriticPrediction | None] = [None] * len(detected)
    if judge.critic is not None:
        squares = [OrientedSquare.of(hand.landmarks_px) for hand in detected]
        predictions = [*judge.critic.judge(image.pixels, squares)]
        if hands is None:
            detected, predictions = confirmed_detections(detected, predictions)
    (reviews, arms), (undetected, no_hands) = both(
        lambda: _review_hands(image, hands, detected, predictions, people, judge),
        lambda: _undetected(image, detected, people, judge) if search else ([], []),
    )
    bare = [own for own in arms_without(arms, detected) if _is_large(own)] if search else []
    for proposal, prediction in undetected:
        own = next((arm for arm in bare if ends_arm(proposal, arm)), None)
        bare = [arm for arm in bare if arm is not own]
        side = own.side if own else None
        reviews.append(review_undetected_hand(image, proposal, len(reviews) + 1, prediction, side))
    reviews += [_bare_arm(own, len(reviews) + k) for k, own in enumerate(bare, start=1)]
    review = PictureReview(tuple(reviews), image.width, image.height, refused=(*refused, *no_hands))
    if look_limit is not None:
        review = review_as_generated(review, look_limit)
    if expected is None:
        return review
    from handwright.review.expectation_check import check_expectation

    return check_expectation(review, expected)


def _observation(hand: HandObservation | HandAnalysis) -> HandObservation:
    return hand.observation if isinstance(hand, HandAnalysis) else hand


def _detect(
    image: Image, landmarker: Landmarker, people: Callable[[], list[Person]]
) -> tuple[list[HandObservation], list[NotAHand]]:
    """The hands of a picture, and finds that are none; a large picture is shrunk to ``LARGEST_PX`` for it."""
    scale = LARGEST_PX / max(image.width, image.height)
    refused: list[NotAHand] = []
    if scale >= 1:
        return find_hands(image.pixels, landmarker=landmarker, refused=refused, people=people), refused
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = cv2.resize(image.pixels, size, interpolation=cv2.INTER_AREA)
    back = np.array([image.width / size[0], image.height / size[1]])
    hands = [
        replace(hand, landmarks_px=hand.landmarks_px * back, depth_px=hand.depth_px * float(back.mean()))
        for hand in find_hands(small, landmarker=landmarker, refused=refused)
    ]
    return hands, [one.scaled(*back) for one in refused]


def _review_hands(
    image: Image,
    known: Sequence[HandObservation | HandAnalysis] | None,
    detected: Sequence[HandObservation],
    predictions: Sequence[CriticPrediction | None],
    people: Callable[[], list[Person]],
    judge: Judge,
) -> tuple[list[HandReview], list[OwnArm]]:
    """The checklists of the known hands, or else of the detected ones, and all arms of the picture."""
    arms = _arms(image, detected, people(), judge.landmarker)
    of_hand = arms_of_hands(arms, detected)
    if known is None:
        detected = [of_its_arm(*each) for each in zip(detected, of_hand, predictions, strict=True)]
    hands = detected if known is None else known

    def analysed(index: int) -> HandAnalysis:
        hand = hands[index]
        analysis = hand if isinstance(hand, HandAnalysis) else analyse_hand(image, hand, fitter=judge.fitter)
        _ = analysis.fit  # computed here, beside the networks
        return analysis

    def review(index: int) -> HandReview:
        others = [*detected[:index], *detected[index + 1 :]]
        side = check_side(detected[index], of_hand[index], others, len(people()), predictions[index])
        seen = [(OrientedSquare.of(detected[index].landmarks_px), predictions[index])]
        analysis, (prediction,) = both(
            lambda: analysed(index), lambda: _with_appearance(image, seen, judge.appearance)
        )
        return _review_hand(image, index + 1, analysis, others, side, prediction, judge.holds)

    with ThreadPoolExecutor(threads()) as pool:
        return list(pool.map(review, range(len(hands)))), arms


def _undetected(
    image: Image,
    detected: Sequence[HandObservation],
    people: Callable[[], list[Person]],
    judge: Judge,
) -> tuple[list[tuple[Proposal, CriticPrediction | None]], list[NotAHand]]:
    """Hands that only the proposal network finds, with the critic's predictions; proposals that are none."""
    if judge.proposer is None:
        return [], []
    proposals = judge.proposer.propose(image.pixels)
    new = undetected_proposals(proposals, detected, image.width, image.height)
    confirmed = confirmed_proposals(image.pixels, new, judge.critic, judge.proposer.sure)
    if not confirmed:
        return [], []
    hands, refused = refuse_proposals(confirmed, detected, people())
    seen = [(proposal.region, prediction) for proposal, prediction in hands]
    predictions = _with_appearance(image, seen, judge.appearance)
    return [(proposal, one) for (proposal, _), one in zip(hands, predictions, strict=True)], refused


def _with_appearance(
    image: Image,
    hands: Sequence[tuple[OrientedSquare, CriticPrediction | None]],
    appearance: Appearance | None,
) -> list[CriticPrediction | None]:
    """The predictions of these hands, with how they look where anything judges that."""
    predictions = [prediction for _, prediction in hands if prediction is not None]
    if appearance is None or len(predictions) < len(hands):
        return [prediction for _, prediction in hands]
    return [*appearance.judge(image.pixels, [region for region, _ in hands], predictions)]


def _review_hand(
    image: Image,
    number: int,
    analysis: HandAnalysis,
    others: Sequence[HandObservation],
    side: Check,
    prediction: CriticPrediction | None,
    holds: BrokenHolds | None,
) -> HandReview:
    """The checklist of one detected hand."""
    hand = analysis.observation
    reasons = reasons_not_assessable(analysis)
    checks = _geometry(analysis, reasons, others, side)
    colourless = is_colourless(image.pixels, OrientedSquare.of(hand.landmarks_px))
    if prediction is None:
        checks = fuse_without_critic(checks)
    else:
        checks = fuse_prediction(checks, prediction, reasons.keys(), colourless)
    unclear = "grasp" in reasons or colourless or (prediction is not None and prediction.not_assessable)
    if holds is not None and not unclear:
        checks["grasp"] = holds.check(checks["grasp"], analysis)
    return HandReview(
        id=number,
        bbox_xyxy_px=hand.bbox_xyxy_px,
        side=hand.side,
        checks=checks,
        observation=hand,
        prediction=prediction,
    )


def _arms(
    image: Image, hands: Sequence[HandObservation], people: Sequence[Person], landmarker: Landmarker
) -> list[OwnArm]:
    """People's arms; one that contradicts a hand, or lacks one, must be found twice to be sure."""
    size_px = image.width, image.height
    arms = own_arms(people, hands, *size_px)
    of_hand = arms_of_hands(arms, hands)
    contradicting = [own for own, hand in zip(of_hand, hands, strict=True) if own and own.side != hand.side]
    to_confirm = [own for own in (*contradicting, *arms_without(arms, hands)) if own.sure]
    if not to_confirm:
        return arms
    mirrored = own_arms(people_in_mirror(image.pixels, landmarker), hands, *size_px)
    unconfirmed = [own for own in to_confirm if not found_again(own, mirrored)]
    return [replace(own, sure=own.sure and own not in unconfirmed) for own in arms]


def _geometry(
    analysis: HandAnalysis, reasons: Mapping[CheckName, str], others: Sequence[HandObservation], side: Check
) -> Mapping[CheckName, Check]:
    """The four checks by geometry alone; those that cannot be made carry their reason."""
    make: dict[CheckName, Callable[[], Check]] = {
        "finger_count": lambda: count_fingers(analysis, others),
        "joint_bending": lambda: check_joints(analysis),
        "left_right": lambda: side,
        "grasp": lambda: check_grasp(analysis),
    }
    where = Where(region_xyxy_px=analysis.observation.bbox_xyxy_px)
    return {
        name: cannot_tell(reasons[name], where=where) if name in reasons else make[name]() for name in CHECKS
    }


def _is_large(own: OwnArm) -> bool:
    """Whether a sure arm's hand would be large enough to be judged."""
    return own.sure and own.arm.palm_px >= SMALLEST_PX / 2


def _bare_arm(own: OwnArm, number: int) -> HandReview:
    x, y = own.arm.knuckles_px
    where = Where(((float(x), float(y)),), hand_box(own.arm))
    check = cannot_tell(f"A {own.side} arm ends here, but no hand was found.", where=where)
    checks: dict[CheckName, Check] = dict.fromkeys(CHECKS, check)
    checks["left_right"] = replace(check, value={"side": None, "arm": own.side})
    return HandReview(
        id=number, bbox_xyxy_px=hand_box(own.arm), side=own.side, checks=checks, observation=None
    )
