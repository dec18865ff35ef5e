"""Whole pictures: no hand, one, two, five; arms without hands; real photographs of sound hands."""

from __future__ import annotations

import sys
import tarfile
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from handwright.perception.models.download import ensure_models
from handwright.review import CHECKS, open_judge, review_picture
from handwright.review.overlay import draw_review
from handwright.review.review_json import picture_json
from handwright.types import Image
from tests.drawn import SIZE, WALL
from tests.review.checks.test_left_right import someone
from tests.review.drawn import Content, grainy, judge, seen


def row_of(count):
    """Pictures of one hand side by side, and where the hands are."""
    shot, there = grainy(), []
    pixels = np.concatenate([shot.pixels] * count, 1)
    for k in range(count):
        truth = seen(shot.hand)
        there.append(replace(truth, landmarks_px=truth.landmarks_px + np.array([k * SIZE, 0])))
    return Image(np.ascontiguousarray(pixels)), there


@pytest.mark.parametrize("count", [1, 5])
def test_every_hand_gets_every_line_of_the_checklist(count):
    image, there = row_of(count)
    review = review_picture(image, judge(critic=Content()), hands=there)
    assert [hand.id for hand in review.hands] == list(range(1, count + 1))
    for hand in review.hands:
        assert set(hand.checks) == set(CHECKS)
        assert all(check.reason.endswith(".") for check in hand.checks.values())
        assert hand.checks["finger_count"].verdict == "pass"
        assert hand.checks["joint_bending"].verdict == "pass"
        assert hand.verdict == "pass"
    assert review.verdict == "pass"


def test_hands_of_a_large_picture_are_found_in_a_smaller_one_and_lie_where_they_are(monkeypatch):
    looked_at = []

    def found(pixels, landmarker, refused=None):
        looked_at.append(pixels.shape)
        hand = seen(grainy().hand)
        scale = 900 / np.ptp(hand.landmarks_px, axis=0).max()
        return [replace(hand, landmarks_px=hand.landmarks_px * scale)]

    monkeypatch.setattr(sys.modules["handwright.review.judge"], "find_hands", found)
    picture = Image(np.full((1200, 3072, 3), 90, np.uint8))
    (hand,) = review_picture(picture, judge()).hands
    assert looked_at == [(600, 1536, 3)]
    assert hand.observation.size_px == pytest.approx(1800)


def test_without_a_critic_a_sound_hand_is_unsure_and_no_failure():
    image, there = row_of(1)
    review = review_picture(image, judge(), hands=there)
    assert review.verdict == "unsure"
    assert {check.verdict for check in review.hands[0].checks.values()} == {"pass", "cannot tell"}


def test_two_right_hands_alone_in_a_picture_do_not_pass():
    image, there = row_of(2)
    assert review_picture(image, judge(critic=Content()), hands=there).verdict == "unsure"


@pytest.mark.parametrize("size", [(1, 1), (40, 3), (300, 400)])
def test_a_picture_without_hands_says_so(size):
    picture = Image(np.full((*size, 3), WALL, np.uint8))
    review = review_picture(picture, judge())
    assert review.verdict == "no_hands"
    assert review.hands == ()


def test_an_arm_that_ends_without_a_hand_is_no_pass():
    picture = Image(np.full((512, 512, 3), WALL, np.uint8))
    body = someone(right=(60, 260))

    class Mirrored:
        """The same body in the picture and, flipped, in its mirror image."""

        def __init__(self):
            self.turn = 0
            self.order = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9]
            self.order += [k + 1 if k % 2 else k - 1 for k in range(11, 33)]

        def detect(self, pixels, *, max_hands, confidence, presence):
            return []

        def landmarks_in_crop(self, crop):
            return 0.0, seen(grainy().hand)

        def people(self, pixels):
            self.turn += 1
            if self.turn == 1:  # the picture's people are found once
                return [body]
            flipped = (body.points_px * (-1, 1) + (512, 0))[self.order]
            return [type(body)(flipped, body.visibility[self.order])]

    from handwright.review.judge import Judge

    review = review_picture(picture, Judge(Mirrored()))
    (bare,) = review.hands
    assert review.verdict == "unsure"
    assert bare.observation is None
    assert bare.side == "right"
    assert "no hand was found" in bare.checks["left_right"].reason
    assert picture_json("a.png", review)["hands"][0]["found"] is False


def test_the_overlay_marks_every_hand_and_leaves_the_picture_alone():
    image, there = row_of(1)
    before = image.pixels.copy()
    drawn = draw_review(image.pixels, review_picture(image, judge(), hands=there).hands)
    assert drawn.shape == before.shape
    assert (drawn != before).any()
    assert (image.pixels == before).all()


@pytest.mark.photos
@pytest.mark.models
def test_sound_hands_of_real_photographs_do_not_fail(photos):
    with tarfile.open(photos / "subhih_handsdataset" / "subhih_handsdataset-000.tar") as tar:
        names = [name for name in sorted(tar.getnames()) if name.endswith(".jpg")][:2]
        pictures = [np.asarray(PIL.Image.open(tar.extractfile(name)).convert("RGB")) for name in names]
    with open_judge(ensure_models().hand_landmarker) as real:
        reviews = [review_picture(Image(pixels), real) for pixels in pictures]
    for review in reviews:
        assert review.hands
        assert review.verdict in ("pass", "unsure")
