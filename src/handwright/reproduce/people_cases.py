"""People whose pose, text and hands are known: what studies of people paint again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.body import hand_pixels
from handwright.data.people.sample import record_of, render_person
from handwright.errors import InvalidValueError
from handwright.perception.body.body_pose import BodyPose
from handwright.two_stage.pose_completion import CompletedPose, complete_pose
from handwright.types import Hand, Side

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class Case:
    """One person to paint."""

    name: str  # Of its units
    completed: CompletedPose  # The pose, completed
    caption: str  # What every row paints
    picture: Pixels  # The picture that the pose comes from
    hands: Bool[np.ndarray, "h w"] | None  # Where its hands are seen, exactly; None of photographs
    # The hands that are seen, exactly, in pixels of the picture; empty of photographs
    parameters: Mapping[Side, Hand] = field(default_factory=dict[Side, Hand])
    skin_tone: int | None = None  # Of Monk's scale, 0 lightest … 9; None of photographs
    gestures: tuple[str, ...] = ()  # What its hands do, by the pose grammar's names; nothing of photographs

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.picture.shape[1], self.picture.shape[0]


def rendered_people(seed: int, count: int, size_px: int) -> Iterator[Case]:
    """The first ``count`` rendered people of a seed, without those whose pose cannot be completed."""
    for index in range(count):
        picture = render_person(seed, index, size_px)
        try:
            pose = BodyPose.from_wholebody(picture.person.wholebody)
            completed = complete_pose(pose, size_px, size_px)
        except InvalidValueError:
            continue
        record = record_of(picture, seed, index)
        seen = {hand["side"] for hand in record["hands"]}
        yield Case(
            f"{index:05d}",
            completed,
            str(record["captions"]["natural"]),
            picture.pixels,
            hand_pixels(picture.parts),
            {truth.hand.side: truth.hand for truth in picture.hands if truth.hand.side in seen},
            int(record["skin_tone"]),
            tuple(str(hand["name"]) for hand in record["hands"]),
        )
