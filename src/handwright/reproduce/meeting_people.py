"""People whose two hands meet, touching or crossed, rendered: poses that one crop of stage I has both in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from handwright.body import pose_body
from handwright.data.people.in_pose.busy_hands import meeting_hands
from handwright.data.people.in_pose.picture import picture_in_pose
from handwright.data.people.parameters import body_of_setup
from handwright.data.people.posture.meeting import MEETINGS
from handwright.data.people.sample import scene_of_setup
from handwright.data.people.setup import draw_setup
from handwright.errors import InvalidValueError
from handwright.perception.body.body_pose import boxes_meet
from handwright.prompts.captions import captions
from handwright.reproduce.people_cases import Case
from handwright.two_stage.engine import fit_hands, hands_of
from handwright.two_stage.pose_completion import complete_pose
from handwright.workflow.generate.pose_source import pose_from_parameters

_MOST_TRIES = 12  # So many times ``n`` people are looked at; a third of them bring their hands together
_STREAM = 46  # Keeps these people apart from others of the same seed


def meeting_people(seed: int, n: int, size_px: int) -> Iterator[Case]:
    """Rendered people of a seed whose hands meet, the meetings of ``MEETINGS`` in turn.

    A person whose arms do not get there, or whose hands' boxes do not meet in the picture, is left out, and
    the next one is to do the same, so that every meeting comes equally often. ``_MOST_TRIES`` times ``n``
    people are looked at.

    Args:
        seed: Of the world; same seed, same people.
        n: How many people are wanted.
        size_px: Side of the square pictures, pixels.
    """
    names, found = list(MEETINGS), 0
    for index in range(_MOST_TRIES * n):
        case = _meeting(seed, index, names[found % len(names)], size_px)
        if case is not None:
            found += 1
            yield case


def _meeting(seed: int, index: int, meeting: str, size_px: int) -> Case | None:
    """One person, both hands in the picture and in one crop; None where that cannot be."""
    rng = np.random.default_rng([seed, index, _STREAM])
    setup = draw_setup(rng, size_px)
    met = meeting_hands(body_of_setup(setup, size_px), meeting, int(rng.integers(2**31)))
    if met is None:
        return None
    body = met.body
    source = pose_from_parameters(body, size_px, meeting)
    try:
        completed = complete_pose(source.pose, size_px, size_px)
    except InvalidValueError:
        return None
    fits = fit_hands(completed, size_px, size_px, body)
    if len(fits) < 2 or not boxes_meet(*(fit.landmarks_px for fit in fits.values())):
        return None
    caption = captions(replace(scene_of_setup(setup), meeting=meeting), rng)["natural"]
    drawn = picture_in_pose(completed.pose, hands_of(fits), size_px, size_px, caption, rng)
    return Case(
        f"{index:05d}",
        completed,
        caption,
        drawn.pixels,
        np.logical_or(*drawn.hands.values()),
        dict(pose_body(body).hands),
        gestures=(meeting,),
        person=body,
    )
