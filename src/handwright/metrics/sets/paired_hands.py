"""Hands of pictures that exist twice, as they should be and as they came out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError
from handwright.metrics.keypoints.joints import JointErrors, joint_errors, match_hands
from handwright.metrics.sets.gather import Gathered, Picture
from handwright.metrics.sets.items import TrueHand

Points = Float[np.ndarray, "21 2"]


@dataclass(frozen=True, eq=False)
class PairedHands:
    """Errors of hands in FAKE, and the finder's own beside them."""

    errors: JointErrors  # Of the hands found in FAKE
    # Of the hands found in the untouched REAL picture (against its exact truth), or in its mirror image
    # (where the truth is what was found in the picture itself)
    floor: JointErrors


def pair_hands(real: Gathered, fake: Gathered, names: Collection[str] | None = None) -> PairedHands:
    """Match the hands of all pictures that are in both sets under one name.

    Points of FAKE are scaled to REAL's size where the two differ. True hands of which nothing can be seen are
    left out.

    Raises:
        NotEnoughDataError: No picture is in both sets, or no true hand in those that are.
    """
    common = [n for n in real.pictures if n in fake.pictures and (names is None or n in names)]
    if not common:
        raise NotEnoughDataError(
            "joint errors compare pictures of the same name", "no name is in both sets", "name them alike"
        )
    truth: list[TrueHand] = []
    found: list[Points | None] = []
    again: list[Points | None] = []
    pictures: list[int] = []
    for number, name in enumerate(common):
        before, after = real.pictures[name], fake.pictures[name]
        here, floor = _truth_and_floor(before)
        truth += here
        found += match_hands([hand.points_px for hand in here], _scaled(after, before))
        again += match_hands([hand.points_px for hand in here], floor)
        pictures += [number] * len(here)
    if not truth:
        raise NotEnoughDataError("joint errors have nothing to measure", "no hand is in the real pictures")
    points, visible = [hand.points_px for hand in truth], [hand.visible for hand in truth]
    return PairedHands(
        joint_errors(points, found, visible, pictures), joint_errors(points, again, visible, pictures)
    )


def _truth_and_floor(picture: Picture) -> tuple[Sequence[TrueHand], Sequence[Points]]:
    detected = [hand.landmarks_px for hand in picture.hands]
    if picture.labels.broken:
        return [], []
    if picture.labels.hands is not None:
        return [hand for hand in picture.labels.hands if hand.visible.any()], detected
    return [TrueHand(points, np.ones(21, bool)) for points in detected], picture.mirrored_px


def _scaled(after: Picture, before: Picture) -> list[Points]:
    scale = np.array(before.size_px, float) / np.array(after.size_px, float)
    return [hand.landmarks_px * scale for hand in after.hands]
