"""The skeleton picture against DWPose's published drawing, and what it leaves out."""

from __future__ import annotations

import colorsys
import math

import cv2
import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.perception.body.body_pose import FACE, HANDS, BodyPose
from handwright.perception.body.pose_file import openpose_json, pose_of
from handwright.perception.body.skeleton_picture import skeleton_picture

_BODY = (
    (256, 90), (270, 78), (242, 78), (288, 84), (224, 84), (320, 170), (192, 170), (372, 250), (140, 250),
    (330, 190), (182, 300), (300, 330), (212, 330), (304, 420), (208, 420), (306, 500), (206, 500),
)  # fmt: skip


def person(shift: float = 0.0) -> BodyPose:
    points = np.zeros((133, 2))
    points[:17] = _BODY
    points[17:23] = [(322, 508), (330, 506), (300, 509), (190, 508), (182, 506), (212, 509)]
    angles = np.linspace(0, np.pi, 68)
    points[FACE] = np.stack([256 + 34 * np.cos(angles), 84 + 40 * np.sin(angles)], 1)
    fan = np.array([(0, 0)] + [(6 * f - 12 + 2 * k, -10 * k) for f in range(5) for k in range(1, 5)], float)
    points[HANDS["left"]], points[HANDS["right"]] = (
        fan + np.array([330, 190]),
        fan * [-1, 1] + np.array([182, 300]),
    )
    return BodyPose(points + shift + 0.25, np.ones(133))


def published(pose: BodyPose) -> np.ndarray:
    """What DWPose draws on a canvas of 512², written down from its ``util.py``."""
    points = pose.points_px
    order = [0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    body = np.array([(points[5] + points[6]) / 2 if k < 0 else points[k] for k in order])
    pairs = [[2, 3], [2, 6], [3, 4], [4, 5], [6, 7], [7, 8], [2, 9], [9, 10], [10, 11], [2, 12], [12, 13],
             [13, 14], [2, 1], [1, 15], [15, 17], [1, 16], [16, 18]]  # fmt: skip
    colors = [[255, 0, 0], [255, 85, 0], [255, 170, 0], [255, 255, 0], [170, 255, 0], [85, 255, 0],
              [0, 255, 0], [0, 255, 85], [0, 255, 170], [0, 255, 255], [0, 170, 255], [0, 85, 255],
              [0, 0, 255], [85, 0, 255], [170, 0, 255], [255, 0, 255], [255, 0, 170],
              [255, 0, 85]]  # fmt: skip
    canvas = np.zeros((512, 512, 3), np.uint8)
    for i in range(17):
        index = np.array(pairs[i]) - 1
        rows, columns = body[index, 0], body[index, 1]
        length = ((columns[0] - columns[1]) ** 2 + (rows[0] - rows[1]) ** 2) ** 0.5
        angle = math.degrees(math.atan2(columns[0] - columns[1], rows[0] - rows[1]))
        outline = cv2.ellipse2Poly(
            (int(np.mean(rows)), int(np.mean(columns))), (int(length / 2), 4), int(angle), 0, 360, 1
        )
        cv2.fillConvexPoly(canvas, np.array(outline), colors[i])
    canvas = (canvas * 0.6).astype(np.uint8)
    for i, (x, y) in enumerate(body):
        cv2.circle(canvas, (int(x), int(y)), 4, colors[i], thickness=-1)
    edges = [[0, 1], [1, 2], [2, 3], [3, 4], [0, 5], [5, 6], [6, 7], [7, 8], [0, 9], [9, 10], [10, 11],
             [11, 12], [0, 13], [13, 14], [14, 15], [15, 16], [0, 17],
             [17, 18], [18, 19], [19, 20]]  # fmt: skip
    for part in (points[91:112], points[112:133]):
        for i, (a, b) in enumerate(edges):
            colour = tuple(255 * v for v in colorsys.hsv_to_rgb(i / len(edges), 1.0, 1.0))
            ends = [(int(part[k][0]), int(part[k][1])) for k in (a, b)]
            cv2.line(canvas, ends[0], ends[1], colour, thickness=2)
        for x, y in part:
            cv2.circle(canvas, (int(x), int(y)), 4, (0, 0, 255), thickness=-1)
    for x, y in points[23:91]:
        cv2.circle(canvas, (int(x), int(y)), 3, (255, 255, 255), thickness=-1)
    return canvas


def test_at_512_it_is_dwposes_drawing() -> None:
    ours, theirs = skeleton_picture(person(), 512, 512), published(person())
    assert np.abs(ours.astype(int) - theirs).max() <= 1  # a hue that falls between two bytes
    assert (ours != theirs).any(2).mean() < 0.001


def test_a_point_has_its_colour_and_a_limb_six_tenths_of_its_own() -> None:
    drawn = skeleton_picture(person(), 512, 512)
    assert drawn[170, 192].tolist() == [255, 170, 0]  # right shoulder: OpenPose's point 2
    assert drawn[210, 166].tolist() == [153, 102, 0]  # right upper arm: limb 2
    assert drawn[190 - 40, 330 + 12 + 8].tolist() == [0, 0, 255]  # tip of a finger


def test_what_is_not_seen_is_not_drawn_and_no_line_leads_to_it() -> None:
    pose = person()
    hidden = pose.visibility.copy()
    hidden[[8, 10]], hidden[FACE], hidden[HANDS["right"]] = 0.2, 0.0, 0.29
    drawn = skeleton_picture(BodyPose(pose.points_px, hidden), 512, 512)
    assert not drawn[200:340, 100:175].any()
    assert drawn[170, 192].any()
    shown = skeleton_picture(BodyPose(pose.points_px, hidden), 512, 512, min_visibility=0.1)
    assert shown[200:340, 100:175].any()


def test_unknown_points_are_never_drawn() -> None:
    pose = BodyPose(np.zeros((133, 2)), np.zeros(133))
    assert not skeleton_picture(pose, 64, 32, min_visibility=0.0).any()


def test_sizes_grow_with_the_canvas_and_what_lies_outside_is_cut_off() -> None:
    pose = person()
    twice = BodyPose(2 * pose.points_px, pose.visibility)
    small, large = skeleton_picture(pose, 512, 512), skeleton_picture(twice, 1024, 1024)
    assert (large > 0).mean() == pytest.approx((small > 0).mean(), rel=0.08)
    moved = BodyPose(pose.points_px + np.array([400, 0]), pose.visibility)
    assert skeleton_picture(moved, 512, 512).shape == (512, 512, 3)


def test_several_people_are_on_one_canvas() -> None:
    shifted = BodyPose(person().points_px + np.array([120, 0]), np.ones(133))
    both = skeleton_picture([person(), shifted], 512, 512)
    assert both[170, 192].tolist() == both[170, 312].tolist() == [255, 170, 0]


def test_a_canvas_without_pixels_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="it is 0 × 5"):
        skeleton_picture(person(), 0, 5)


def test_the_pose_comes_back_from_its_openpose_file() -> None:
    pose = person()
    back = pose_of(openpose_json(pose, 512, 512))
    assert np.allclose(back.points_px, pose.points_px, atol=0.005)
    assert np.array_equal(back.visibility, pose.visibility)


def test_points_outside_the_canvas_come_back_too() -> None:
    """Known and not seen: of a person who is close to the camera, shoulders and elbows lie outside."""
    pose = person()
    points, seen = pose.points_px.copy(), pose.visibility.copy()
    points[[6, 8]], seen[[6, 8]] = [[-2.4, 413.8], [-70.5, 608.0]], 0
    points[[13, 14]], seen[[13, 14]] = 0, 0  # not known
    back = pose_of(openpose_json(BodyPose(points, seen), 512, 512))
    assert np.allclose(back.points_px, points, atol=0.005)
    assert np.array_equal(back.known, BodyPose(points, seen).known)
    assert back.visibility[[6, 8]].max() < 0.05
