"""Somebody of the synthetic world whose hands meet, or hold a thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.body import BodyParameters, excess_of, wholebody_of
from handwright.body.framing import framed
from handwright.body.free_body import with_fingers
from handwright.data.hands.hold import draw_hold
from handwright.data.hands.objects import Thing
from handwright.data.people.in_pose.hands_together import with_both_hands_on, with_meeting
from handwright.data.people.in_pose.turned_hands import with_thing_upright
from handwright.data.people.posture.meeting import MEETINGS
from handwright.data.people.posture.two_handed import draw_two_handed
from handwright.perception.body.body_pose import HANDS
from handwright.prompts.captions import Holder
from handwright.types import Side

_MEET, _HOLD, _HOLD_IN_BOTH = 0.2, 0.15, 0.08
"""Shares of people who are asked to bring their hands together, to hold a thing in the raised hand, and to
hold one with both hands. Of those who need both hands about half can: chests turned away cannot. By eye:
people mostly gesture, and each of 8 meetings and 14 holds comes often enough to be learnt."""

MEETING_SHARES: Mapping[str, float] = {
    "palms together": 0.2, "clasped": 0.2, "heart": 0.15, "clapping": 0.12, "fingertips together": 0.1,
    "fist in palm": 0.1, "one on the other": 0.07, "crossing": 0.06,
}  # fmt: skip
"""Shares of the meetings: those that prompts name oftener come oftener; by eye."""

TWO_HANDED_SHARES: Mapping[str, float] = {
    "box": 0.18, "board": 0.18, "cup": 0.16, "bowl": 0.12, "large ball": 0.06, "small ball": 0.06,
    "phone": 0.1, "card": 0.07, "bar": 0.07,
}  # fmt: skip
"""Shares of what both hands hold; likewise."""


@dataclass(frozen=True, eq=False)
class BusyHands:
    """A person and what their hands do together or with a thing."""

    body: BodyParameters
    sides: tuple[Side, ...]  # The hands that do it
    meeting: str = ""  # One of ``posture.meeting.MEETINGS``; empty where hands hold something
    thing: Thing | None = None  # What is held, in the frame of the hand that holds it, or of the right one
    name: str | None = None  # The named pose that the hold is, or None

    @property
    def holder(self) -> Holder:
        """Which hand holds the thing."""
        if self.thing is None:
            return None
        return "both" if len(self.sides) == 2 else self.sides[0]


def draw_busy_hands(rng: np.random.Generator, body: BodyParameters, raised: Side | None) -> BusyHands | None:
    """What somebody's hands do, for some people; None for most, and where arms or fingers cannot do it.

    Args:
        rng: Decides.
        body: The person.
        raised: The hand that is held up; None where none is, and then nothing is held in one hand.
    """
    found = _drawn_hands(rng, body, raised)
    return None if found is None or excess_of(found.body).beyond() else found


def _drawn_hands(rng: np.random.Generator, body: BodyParameters, raised: Side | None) -> BusyHands | None:
    kind, seed = rng.random(), int(rng.integers(2**31))
    if kind < _MEET:
        return meeting_hands(body, _drawn(rng, MEETING_SHARES), seed)
    if kind < _MEET + _HOLD_IN_BOTH:
        return hands_on_thing(rng, body, _drawn(rng, TWO_HANDED_SHARES), seed)
    if kind < _MEET + _HOLD_IN_BOTH + _HOLD and raised is not None:
        return hand_with_thing(rng, body, raised)
    return None


def meeting_hands(body: BodyParameters, meeting: str, seed: int) -> BusyHands | None:
    """The person with both hands brought together, in the picture; None where the arms do not get there.

    Args:
        body: The person.
        meeting: One of ``posture.meeting.MEETINGS``.
        seed: Same seed, same hands.
    """
    assert meeting in MEETINGS
    met = with_meeting(body, meeting, seed)
    return None if met is None else BusyHands(_in_picture(met, _BOTH), _BOTH, meeting)


def hands_on_thing(rng: np.random.Generator, body: BodyParameters, kind: str, seed: int) -> BusyHands | None:
    """The person with a thing in both hands, in the picture; None where the arms do not get there.

    Args:
        rng: Draws the thing.
        body: The person.
        kind: One of ``posture.two_handed.TWO_HANDED``.
        seed: Same seed, same arms.
    """
    hold = draw_two_handed(rng, kind)
    held = with_both_hands_on(body, hold, seed)
    if held is None:
        return None
    return BusyHands(_in_picture(held, _BOTH), _BOTH, thing=hold.things["right"])


def hand_with_thing(
    rng: np.random.Generator, body: BodyParameters, side: Side, kind: str | None = None
) -> BusyHands | None:
    """The person with a thing in one hand; a cup upright and in the picture, or None where the arm cannot.

    Args:
        rng: Draws the thing and where a cup is held.
        body: The person.
        side: The hand, which stays where it is unless it holds a cup.
        kind: One of ``hands.hold.THINGS``; any by default.
    """
    posed, thing = draw_hold(rng, kind)
    held = with_fingers(body, {side: posed.dofs_rad})
    if thing.name == "cup":
        moved = with_thing_upright(held, side, thing.axes[2], rng)
        if moved is None:
            return None
        held = _in_picture(moved, tuple(one for one in _BOTH if one == side or _is_shown(body, one)))
    return BusyHands(held, (side,), thing=thing, name=posed.name)


_BOTH: tuple[Side, Side] = ("right", "left")


def _drawn(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))


def _is_shown(body: BodyParameters, side: Side) -> bool:
    """Whether all of a hand is in the picture."""
    points = wholebody_of(body)[HANDS[side]]
    return bool(((points >= 0) & (points < np.array(body.size_px))).all())


def _in_picture(body: BodyParameters, sides: tuple[Side, ...]) -> BodyParameters:
    """The person, about in the middle and so far away that head and these hands are in the picture."""
    points, middle = wholebody_of(body), np.asarray(body.size_px) / 2
    near = np.concatenate([_head_and_hands(points, sides), points[_SHOULDERS]])
    aside_px = (near.min(0) + near.max(0)) / 2 - middle
    if (points[_ANKLES, 1] < body.size_px[1]).all():
        aside_px[1] = 0.0  # All of the person is seen
    moved = body.transl.copy()
    moved[:2] -= _MIDDLED * aside_px / body.camera.focal_px * moved[2]
    body = replace(body, transl=moved)
    return framed(body, _head_and_hands(wholebody_of(body), sides))


def _head_and_hands(
    points_px: Float[np.ndarray, "133 2"], sides: tuple[Side, ...]
) -> Float[np.ndarray, "n 2"]:
    """Nose, eyes, ears, about the crown, and these hands, of a person's COCO-WholeBody points."""
    face = points_px[_FACE].mean(0)
    crown = face + _CROWN * (face - points_px[_SHOULDERS].mean(0))
    return np.concatenate([points_px[_FACE], crown[None], *(points_px[HANDS[side]] for side in sides)])


_MIDDLED, _CROWN = 0.8, 0.7
"""Share of the way to the picture's middle, by eye; from the face to the crown, in distances from the
shoulders to the face."""

_FACE, _SHOULDERS, _ANKLES = slice(0, 5), slice(5, 7), slice(15, 17)
