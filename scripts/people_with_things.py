"""People who hold things, as `handwright generate` makes them of texts, with the truth about each hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from handwright.data.sample import box_around
from handwright.errors import HandwrightError
from handwright.hand.defects import Hold
from handwright.perception.body.body_pose import HANDS
from handwright.two_stage.engine import Engine, PoseRequest
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.settings import TwoStageSettings
from handwright.types import Box, Side
from handwright.workflow.generate.pose_source import pose_from_text

PEOPLE = (
    "a woman", "a man", "a girl", "a boy", "an old woman", "an old man", "a young woman", "a young man",
    "a cook", "a teacher", "a farmer", "a woman with glasses", "a man with a beard", "a child", "a gardener",
    "a woman in a blue dress", "a man in a white shirt", "a runner", "a shopkeeper", "a sailor",
)  # fmt: skip
PLACES = ("", "", " in a kitchen", " on a street", " in a park", " in an office", " at the beach", " at home")
IN_ONE = (
    "a cup", "a mug", "a glass", "a phone", "a smartphone", "a pen", "a pencil", "a brush", "a card",
    "an envelope", "a ball", "an apple", "an egg", "a stick", "a pipe", "a rod",
)  # fmt: skip
IN_BOTH = (
    "a cup", "a mug", "a bowl", "a soup bowl", "a phone", "a controller", "a card", "a ticket", "a ball",
    "a melon", "a balloon", "a box", "a parcel", "a book", "a sign", "a picture", "a map", "a bar", "a broom",
    "a pole",
)  # fmt: skip
"""Of each kind that ``prompts/words.toml`` can draw."""

SHARE_BOTH = 0.5


@dataclass(frozen=True, eq=False)
class HeldPicture:
    """Someone, and how their hands hold."""

    pixels: np.ndarray  # uint8 [H, W, 3]
    boxes: dict[Side, Box]  # Where each hand of the pose is
    states: dict[Side, Hold]  # How it holds; hands of which that is not known are left out
    text: str


def drawn_text(rng: np.random.Generator) -> tuple[str, str]:
    """A text of somebody who holds a thing, and the words for that person and place alone."""
    who, place = str(rng.choice(PEOPLE)), str(rng.choice(PLACES))
    if rng.random() < SHARE_BOTH:
        return f"{who} holding {rng.choice(IN_BOTH)} with both hands{place}", who + place
    side = rng.choice(["right", "left"])
    return f"{who} holding {rng.choice(IN_ONE)} in the {side} hand{place}", who + place


def people_with_things(
    seed: int, number: int, engine: Engine, settings: TwoStageSettings, side_px: int
) -> Iterator[HeldPicture]:
    """The picture of a text, and of every other one its twin: the same person and hands without the thing."""
    rng = np.random.default_rng([seed, number])
    text, bare = drawn_text(rng)
    own = int(rng.integers(2**31))
    try:
        source = pose_from_text(text, side_px, own)
        completed = complete_pose(source.pose, source.width, source.height)
    except HandwrightError:
        return  # An arm that cannot be
    request = PoseRequest(
        completed, source.width, source.height, replace(settings, prompt=text), own, source.body
    )
    boxes: dict[Side, Box] = {
        side: box_around(completed.pose.points_px[HANDS[side]]) for side in completed.hands
    }
    made = engine.make(request)
    if made.held is not None:
        shared = made.held.in_both_hands
        holding = {side for side in boxes if shared or f"{side} hand" in text}
        states: dict[Side, Hold] = {side: Hold.SOUND if side in holding else Hold.NONE for side in boxes}
        yield HeldPicture(made.pixels, boxes, states, text)
    if made.held is None or number % 2 == 0:
        twin = engine.make(replace(request, settings=replace(settings, prompt=bare)))
        yield HeldPicture(twin.pixels, boxes, dict.fromkeys(boxes, Hold.NONE), bare)
