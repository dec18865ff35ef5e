"""People whose pose, text and hands are known: what studies of people paint again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.body import BodyParameters
from handwright.data.hands.body import hand_pixels
from handwright.data.people.sample import record_of, render_person
from handwright.errors import InvalidValueError, UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.two_stage.pose_completion import CompletedPose, complete_pose
from handwright.types import Hand, Side

Pixels = UInt8[np.ndarray, "h w 3"]


_MOST_TRIES = 4  # So many times ``n`` people are looked at for ``n`` whose pose can be completed


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
    # What its hands do, by the pose grammar's names, None where it has none; nothing of photographs
    gestures: tuple[str | None, ...] = ()
    # The person in pixels of the picture, whose own hands are painted; None: hands are fitted to the pose
    person: BodyParameters | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.picture.shape[1], self.picture.shape[0]


def rendered_people(seed: int, n: int, size_px: int) -> Iterator[Case]:
    """Rendered people of a seed whose pose can be completed; ``_MOST_TRIES`` times ``n`` are looked at."""
    for index in range(_MOST_TRIES * n):
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
            tuple(hand["name"] for hand in record["hands"]),
        )


def first_of(people: Iterable[Case], n: int, fix: str) -> list[Case]:
    """The first ``n``, or as many as there are.

    Args:
        people: Those whose pose can be completed.
        n: How many are wanted.
        fix: What to do where there is none.

    Raises:
        UsageError: There is none.
    """
    found = list(islice(people, n))
    if not found:
        raise UsageError("no pose can be completed", "", fix)
    return found
