"""The poses of a study, with the pictures that they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.body import hand_pixels
from handwright.data.people.sample import record_of, render_person
from handwright.errors import InvalidValueError, UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import PeopleIn
from handwright.reproduce.two_stage.study import POSES_FROM, TwoStageStudy
from handwright.two_stage.pose_completion import CompletedPose, complete_pose

Pixels = UInt8[np.ndarray, "h w 3"]

_MOST_TRIES = 4  # So many times ``n`` pictures are looked at for ``n`` poses that can be completed


@dataclass(frozen=True, eq=False)
class Case:
    """One pose to paint."""

    name: str  # Of its units
    completed: CompletedPose  # The pose, completed
    caption: str  # What every row paints
    picture: Pixels  # The picture that the pose comes from
    hands: Bool[np.ndarray, "h w"] | None  # Where its hands are seen, exactly; None of photographs

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        return self.picture.shape[1], self.picture.shape[0]


def cases_of(study: TwoStageStudy, people_in: PeopleIn) -> list[Case]:
    """The first ``n`` poses that can be completed.

    Raises:
        UsageError: There is none.
    """
    found: list[Case] = []
    for case in _photographed(study, people_in) if study.data else _rendered(study):
        found.append(case)
        if len(found) == study.n:
            break
    if not found:
        raise UsageError("no pose can be completed", "", "give other pictures with --data")
    return found


def _rendered(study: TwoStageStudy) -> Iterator[Case]:
    for index in range(_MOST_TRIES * study.n):
        picture = render_person(POSES_FROM, index, study.size_px)
        try:
            pose = BodyPose.from_wholebody(picture.person.wholebody)
            completed = complete_pose(pose, study.size_px, study.size_px)
        except InvalidValueError:
            continue
        caption = record_of(picture, POSES_FROM, index)["captions"]["natural"]
        yield Case(f"{index:05d}", completed, str(caption), picture.pixels, hand_pixels(picture.parts))


def _photographed(study: TwoStageStudy, people_in: PeopleIn) -> Iterator[Case]:
    from handwright.data.photographs import list_photos
    from handwright.image import load_image
    from handwright.workflow.generate.pose_source import pose_from_photo

    assert study.data is not None
    for path in (path for path in list_photos(study.data) if path.is_file()):
        try:
            source = pose_from_photo(path, None, study.size_px, people_in)
            completed = complete_pose(source.pose, source.width, source.height)
        except (InvalidValueError, UsageError):
            continue
        pixels = _sized(load_image(path).pixels, source.width, source.height)
        yield Case(path.stem, completed, study.prompt, pixels, None)


def _sized(pixels: Pixels, width: int, height: int) -> Pixels:
    from PIL import Image as PILImage

    return np.asarray(PILImage.fromarray(pixels).resize((width, height), PILImage.Resampling.LANCZOS))
