"""The poses of a study, with the pictures that they come from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handwright.errors import InvalidValueError, UsageError
from handwright.perception.body.estimate import PeopleIn
from handwright.reproduce.meeting_people import meeting_people
from handwright.reproduce.people_cases import Case, Pixels, first_of, rendered_people
from handwright.reproduce.two_stage.study import MEETING_FROM, POSES_FROM, TwoStageStudy
from handwright.two_stage.pose_completion import complete_pose


def cases_of(study: TwoStageStudy, people_in: PeopleIn) -> list[Case]:
    """The first ``n`` poses that can be completed.

    Raises:
        UsageError: There is none.
    """
    people = _photographed(study, people_in) if study.data else _rendered(study)
    return first_of(people, study.n, "give other pictures with --data")


def _rendered(study: TwoStageStudy) -> Iterator[Case]:
    if study.poses == "meeting":
        return meeting_people(MEETING_FROM, study.n, study.size_px)
    return rendered_people(POSES_FROM, study.n, study.size_px)


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
