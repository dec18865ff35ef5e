"""What a person's hands do, in words: the reader that T2H is measured with, and chosen by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from handwright.body.free_body import pose_body
from handwright.body.parameters import BodyParameters
from handwright.hand.grammar import PoseWords, StatedPose, words_of_hand
from handwright.types import Side


def hands_in_words(parameters: BodyParameters) -> dict[Side, PoseWords]:
    """Pose, side and direction of both hands, in the words of the pose grammar."""
    return {side: words_of_hand(hand) for side, hand in pose_body(parameters).hands.items()}


@dataclass(frozen=True)
class Agreement:
    """How a person's hands agree with what a text states."""

    hands: int  # Hands that the text states something about
    whole: int  # Of these, all of it is true
    fingers: int  # Of these, all but the directions is true
    directions: int  # Of these, where palm and fingers go is true

    @property
    def all_right(self) -> bool:
        """Whether everything stated is true."""
        return self.whole == self.hands


def agreement_of(parameters: BodyParameters, stated: tuple[StatedPose, ...]) -> Agreement:
    """Compare a person with what a text states of each hand.

    A statement without a side holds for the hand that fits it better; two such statements for one hand each.
    """
    words = hands_in_words(parameters)
    whole = fingers = directions = 0
    for side, pose in _assigned(words, stated):
        closed = replace(pose, palm=None, points=None)
        shape, turned = closed.fits(words[side]), pose.allows(words[side].palm, words[side].points)
        whole += shape and turned
        fingers += shape
        directions += turned
    return Agreement(len(stated), whole, fingers, directions)


def turned_otherwise(parameters: BodyParameters, stated: tuple[StatedPose, ...]) -> dict[Side, StatedPose]:
    """Hands whose palm or fingers go elsewhere than the text states, and what it states of them."""
    words = hands_in_words(parameters)
    return {
        side: pose
        for side, pose in _assigned(words, stated)
        if not pose.allows(words[side].palm, words[side].points)
    }


def _assigned(
    words: Mapping[Side, PoseWords], stated: tuple[StatedPose, ...]
) -> list[tuple[Side, StatedPose]]:
    """Of each statement the hand that it is held against."""
    taken: set[Side] = {pose.side for pose in stated if pose.side is not None}
    found: list[tuple[Side, StatedPose]] = []
    for pose in stated:
        free: list[Side] = [side for side in words if side not in taken]
        sides: list[Side] = [pose.side] if pose.side else free or list(words)
        side = max(sides, key=lambda one: _score(pose, words[one]))
        taken.add(side)
        found.append((side, pose))
    return found


def _score(pose: StatedPose, words: PoseWords) -> int:
    return 2 * replace(pose, palm=None, points=None).fits(words) + (pose.palm in (None, words.palm))
