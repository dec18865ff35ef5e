"""Hands that the detector misses and the proposal network finds, malformed ones above all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.landmarker import Person
from handwright.perception.detect.not_a_hand import Candidate, NotAHand, refuse_candidates
from handwright.review.checklist import CHECKS, Check, CheckName, HandReview, Where, cannot_tell
from handwright.review.checks.arms import OwnArm, hand_box
from handwright.review.checks.assessability import is_colourless, is_drawn
from handwright.review.critic.fusion import fuse_prediction
from handwright.review.critic.prediction import SMALLEST_PX, Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import Proposal, same_place
from handwright.types import Box, HandObservation, Image, Side

REASON = "A hand seems to be here, but its fingers could not be made out."
FOUND_BY = "proposal"


@dataclass(frozen=True, kw_only=True)
class UndetectedHandParams:
    """When a detection or a proposal counts as a hand."""

    # P(hand) below which a detection is dropped. The critic gave each of 113 detected hands in pictures kept
    # from training .93 or more.
    max_no_hand: float = 0.05
    # The same for what the proposal network alone finds, and the least score that is sure. In 70 training
    # photographs of office scenes these two leave 23 of 55 such finds, most of which were desks, cables and
    # posters, and 15 of 18 at labelled hands of 60 generated pictures.
    max_no_proposal: float = 0.15
    least_sure_score: float = 0.45
    min_visible: float = 0.5  # Probability from which on a landmark is in view. By eye.
    # Fewest landmarks in view from which the critic's landmarks stand for a detection. By eye.
    min_landmarks: int = 10
    # Distance of a hand's middle from the picture's border, in hand sizes, from which on it is judged. By
    # eye.
    min_inside: float = 0.35


PARAMS = UndetectedHandParams()


def undetected_proposals(
    proposals: Sequence[Proposal], hands: Sequence[HandObservation], width: int, height: int
) -> list[Proposal]:
    """The proposals that are none of the detected hands, left to right."""
    known = [OrientedSquare.of(hand.landmarks_px) for hand in hands]
    new = [
        one
        for one in proposals
        if 0 <= one.region.center_px[0] < width
        and 0 <= one.region.center_px[1] < height
        and not any(_is_known(one.region, region) for region in known)
    ]
    return sorted(new, key=lambda one: one.region.center_px)


def confirmed_detections(
    hands: Sequence[HandObservation], predictions: Sequence[CriticPrediction | None]
) -> tuple[list[HandObservation], list[CriticPrediction | None]]:
    """The detections, and their predictions, without those that are surely no hand; None keeps one."""
    pairs = zip(hands, predictions, strict=True)
    kept = [(hand, p) for hand, p in pairs if p is None or p.hand >= PARAMS.max_no_hand]
    return [hand for hand, _ in kept], [prediction for _, prediction in kept]


def confirmed_proposals(
    pixels: UInt8[np.ndarray, "h w 3"],
    proposals: Sequence[Proposal],
    critic: Critic | None,
    sure_score: float,
) -> list[tuple[Proposal, CriticPrediction | None]]:
    """The proposals that are large enough to be judged and that are hands.

    One is a hand that the critic is sure of, and one of a score that is sure unless the critic rules it out:
    the proposal network has seen pictures of generators, the critic hardly any.

    Args:
        pixels: The picture, uint8 [H, W, 3].
        proposals: What was found in it.
        critic: The critic; None: all that are large enough are hands.
        sure_score: Score from which on a proposal is sure.

    Returns:
        Each with its prediction, None without a critic.
    """
    proposals = [one for one in proposals if one.region.size_px >= SMALLEST_PX]
    if critic is None:
        return [(one, None) for one in proposals]
    pairs = zip(proposals, critic.judge(pixels, [one.region for one in proposals]), strict=True)
    return [
        (one, prediction)
        for one, prediction in pairs
        if prediction.is_hand_without_detection
        or (
            one.score >= max(sure_score, PARAMS.least_sure_score)
            and prediction.hand >= PARAMS.max_no_proposal
        )
    ]


def refuse_proposals(
    proposals: Sequence[tuple[Proposal, CriticPrediction | None]],
    hands: Sequence[HandObservation],
    people: Sequence[Person],
) -> tuple[list[tuple[Proposal, CriticPrediction | None]], list[NotAHand]]:
    """Part proposals, with their predictions, into hands, and those that lie on another part of a body."""
    regions = (proposal.region for proposal, _ in proposals)
    finds = (Candidate.of_square(region.center_px, region.size_px) for region in regions)
    return refuse_candidates(zip(proposals, finds, strict=True), hands, people)


def review_undetected_hand(
    image: Image, proposal: Proposal, number: int, prediction: CriticPrediction | None, arm: Side | None
) -> HandReview:
    """The checklist of a hand that only the proposal network finds.

    Finger count and joints fail by the prediction, as for any hand, but never pass: no fit stands beside it.
    What the critic is not sure to be a hand it cannot read either: no check fails, and nothing is repainted.
    """
    box = _box(proposal.region, image)
    checks: dict[CheckName, Check] = dict.fromkeys(CHECKS, cannot_tell(REASON, where=Where((), box)))
    checks["left_right"] = replace(checks["left_right"], value={"side": arm, "arm": arm})
    if (
        prediction is None
        or not _is_inside(proposal.region, image)
        or is_drawn(image.pixels, proposal.region)
    ):
        return HandReview(id=number, bbox_xyxy_px=box, side=arm, checks=checks, observation=None)
    if not prediction.is_hand_without_detection:
        return HandReview(
            id=number, bbox_xyxy_px=box, side=arm, checks=checks, observation=None, prediction=prediction
        )
    hand = _observation(prediction, proposal)
    colourless = is_colourless(image.pixels, proposal.region)
    fused = fuse_prediction(checks, prediction, ("left_right", "grasp"), colourless)
    checks = {name: fused[name] if fused[name].verdict == "fail" else checks[name] for name in CHECKS}
    return HandReview(
        id=number,
        bbox_xyxy_px=box,
        side=(prediction.sure_side if hand else None) or arm,
        checks=checks,
        observation=hand,
        prediction=prediction,
    )


def _is_inside(region: OrientedSquare, image: Image) -> bool:
    """Whether most of a hand lies within the picture."""
    (x, y), reach = region.center_px, PARAMS.min_inside * region.size_px
    return reach <= x <= image.width - reach and reach <= y <= image.height - reach


def _observation(prediction: CriticPrediction, proposal: Proposal) -> HandObservation | None:
    """The hand by the critic's landmarks and likelier side, where enough of the landmarks are in view."""
    if prediction.landmarks_px is None or prediction.visible is None:
        return None
    in_view = int((prediction.visible >= PARAMS.min_visible).sum())
    if prediction.not_assessable or in_view < PARAMS.min_landmarks:
        return None
    return HandObservation(
        landmarks_px=prediction.landmarks_px.astype(np.float64),
        depth_px=np.zeros(21),
        side=prediction.likelier_side,
        score=proposal.score,
        found_by=FOUND_BY,
    )


def ends_arm(proposal: Proposal, own: OwnArm) -> bool:
    """Whether a proposal lies where an arm's hand should be."""
    x0, y0, x1, y1 = hand_box(own.arm)
    x, y = proposal.region.center_px
    return x0 <= x < x1 and y0 <= y < y1


def _is_known(new: OrientedSquare, known: OrientedSquare) -> bool:
    """Whether a proposal may be of a detected hand: the same place, or its middle within that hand's box.

    A detection of less than half its size is a part of it that was taken for a hand.
    """
    if known.size_px < new.size_px / 2:
        return False
    dx, dy = (abs(a - b) for a, b in zip(new.center_px, known.center_px, strict=True))
    return same_place(new, known) or max(dx, dy) < known.size_px / 2


def _box(region: OrientedSquare, image: Image) -> Box:
    """The square around a hand, as far as it lies within the picture."""
    (x, y), half = region.center_px, region.size_px / 2
    x0, y0, x1, y1 = float(x - half), float(y - half), float(x + half), float(y + half)
    return max(0.0, x0), max(0.0, y0), min(float(image.width), x1), min(float(image.height), y1)
