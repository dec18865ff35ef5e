"""MediaPipe's pose network with what hands need not know: depth of the joints, and a mask of each person.

It finds people by their faces and upper bodies, at most ``MAX_PEOPLE`` in a view: a person who is small, in a
crowd, or seen without head and shoulders is missed. Its network of masks was made for one person in view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.arms import same_person, views_of_people
from handwright.perception.detect.landmarker import Person, PoseNetwork, person_of
from handwright.perception.detect.views import View


@dataclass(frozen=True, eq=False)
class FoundBody:
    """What the pose network estimates of one person."""

    person: Person  # The 33 joints in the picture
    # float64 [33] depth in pixels of the picture, + away from the camera, from the middle of the hips
    depth_px: Float[np.ndarray, "33"]
    mask: Float[np.ndarray, "h w"]  # float32 in [0, 1]: how surely a pixel of the picture is of this person


class BodyNetwork:
    """The pose network with masks; it loads on first use and stays open until ``close``."""

    def __init__(self, model: Path) -> None:
        self._network = PoseNetwork(model, masks=True)

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"]) -> list[FoundBody]:
        """Find the people of a picture (sRGB), each once, in its pixels.

        Raises:
            MissingModelError: The model file does not load.
        """
        height, width = pixels.shape[:2]
        found: list[FoundBody] = []
        for view in views_of_people(width, height):
            result = self._network.detect(view.sample(pixels))
            for joints, mask in zip(result.pose_landmarks, result.segmentation_masks or (), strict=True):
                body = _in_picture(joints, mask.numpy_view().squeeze(), view, width, height)
                if not any(same_person(body.person, other.person) for other in found):
                    found.append(body)
        return found

    def close(self) -> None:
        """Close the networks."""
        self._network.close()


def _in_picture(
    joints: Any,  # noqa: ANN401
    mask: Float[np.ndarray, "n n"],
    view: View,
    width: int,
    height: int,
) -> FoundBody:
    person, depth = person_of(joints, view.size_px), np.array([joint.z for joint in joints], float)
    scale = view.side_px / view.size_px
    shift = np.asarray(view.center_px) - view.side_px / 2 + 0.5 * scale - 0.5
    matrix = np.column_stack([scale * np.eye(2), shift])
    there = cv2.warpAffine(np.ascontiguousarray(mask, np.float32), matrix, (width, height))
    person = replace(person, points_px=view.to_picture(person.points_px))
    return FoundBody(person, depth * view.size_px * scale, np.asarray(there))
