"""A person's own two hands brought together, or to one thing: both arms of body parameters solved at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np

from handwright.body import BodyParameters, pose_body
from handwright.data.hands.arrange import Turned
from handwright.data.people.in_pose.solved_arms import Arms, Place, chest_axes, with_hands_at
from handwright.data.people.posture.meeting import MEETINGS, PALM, Places, own_hands
from handwright.data.people.posture.two_handed import TwoHandedHold
from handwright.data.shapes import Vector
from handwright.hand.rig import axis_angle_matrix
from handwright.prompts.parse import parse_prompt
from handwright.types import Side

_OWNER = np.diag([-1.0, -1.0, 1.0])
"""How the owner sees it (x right, y down, z ahead) → axes of the body (x left, y up, z ahead)."""

_TURNED_DEG = 15.0  # Whose chest is turned farther from the camera has one hand behind the other; by eye
_OFF_M = 0.004  # By so much the hands may lie otherwise to each other than the meeting has them


def meeting_of(text: str) -> str | None:
    """How one person's own hands meet by a text, of ``posture.meeting.MEETINGS``; None where they do not."""
    expected = parse_prompt(text)
    own = len(expected.hands) == 2 and (expected.people or 1) == 1
    return expected.meeting if own and expected.meeting in MEETINGS else None


def with_meeting(body: BodyParameters, meeting: str, seed: int) -> BodyParameters | None:
    """The same person, both hands brought together; None where arms do not get there, or it is not seen.

    Args:
        body: The person.
        meeting: One of ``posture.meeting.MEETINGS``.
        seed: Same seed, same hands.
    """
    pair = own_hands(np.random.default_rng(seed), meeting, _size_of(body))
    return _brought(body, {hand.side: hand for hand in pair}, MEETINGS[meeting].places, seed)


def with_both_hands_on(body: BodyParameters, hold: TwoHandedHold, seed: int) -> BodyParameters | None:
    """The same person, both hands on one thing; None where arms do not get there, or it is not seen.

    Args:
        body: The person.
        hold: The thing, and the hands on it.
        seed: Same seed, same arms.
    """
    size = _size_of(body)
    pair: dict[Side, Turned] = {
        hand.side: replace(hand, at_m=size * hand.at_m) for hand in (hold.right, hold.left)
    }
    return _brought(body, pair, hold.places, seed)


def _size_of(body: BodyParameters) -> float:
    """Of the person's hands, against the mean ones."""
    return float(np.exp(pose_body(body).hands["right"].shape[0]))


def _brought(
    body: BodyParameters, pair: Mapping[Side, Turned], places: Places, seed: int
) -> BodyParameters | None:
    """The person with both hands where it is easiest of the places; None where there is no way."""
    axes = chest_axes(body)
    if axes[2, 2] > -np.cos(np.deg2rad(_TURNED_DEG)):
        return None
    arms = Arms.of(body, axes)
    best: tuple[float, Mapping[Side, Place]] | None = None
    for ahead, below, tilt in product(places.ahead, places.below, places.tilts_deg):
        wanted = _wanted(arms, pair, np.array([0.0, -below, ahead]), np.deg2rad(tilt))
        found = arms.solved(wanted, seed)
        discomfort = sum(arm.discomfort for arm in found.values()) if len(found) == 2 else np.inf
        if discomfort < (np.inf if best is None else best[0]):
            best = discomfort, wanted
    if best is None:
        return None
    there = with_hands_at(body, axes, best[1], seed)
    if there is None:
        return None
    off = [axes.T @ hand.translation_m - best[1][side].at_m for side, hand in pose_body(there).hands.items()]
    return there if np.linalg.norm(off[0] - off[1]) < _OFF_M else None


def _wanted(arms: Arms, pair: Mapping[Side, Turned], middle: Vector, tilt_rad: float) -> dict[Side, Place]:
    """Both hands about a place before the shoulders' middle, in lengths of the arm."""
    length_m = float(np.linalg.norm(np.diff(arms.chain(arms.bones.rest_heads_m)[0], axis=0), axis=1).sum())
    centre = arms.chain(arms.bones.heads_m)[:, 0].mean(0) + length_m * middle
    view = axis_angle_matrix(np.array([tilt_rad, 0.0, 0.0])) @ _OWNER
    between = np.mean([hand.at_m + hand.turn @ PALM for hand in pair.values()], 0)
    return {
        side: Place(hand.posed.dofs_rad, view @ hand.turn, centre + view @ (hand.at_m - between))
        for side, hand in pair.items()
    }
