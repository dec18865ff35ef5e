"""One hand for measuring: same seed, same picture; its truth fits; its twin lacks only the defect."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.hands import render_one_hand
from handwright.data.hands.body import (
    FOREARM,
    HAND_LABEL,
    JEWELLERY,
    LABELS_PER_HAND,
    SLEEVE,
    hand_pixels,
)
from handwright.data.hands.defects.generators import ONE_HAND_DEFECTS
from handwright.hand.depth import hand_coverage
from handwright.hand.kinematics import hand_in_window

SIZE = 144
PINNED = [
    (0, (115.554, 109.598, 97.717), (32.061, 25.065, 20.098)),
    (1, (89.472, 102.879, 59.333), (26.194, 34.131, 16.164)),
    (2, (125.745, 117.474, 111.533), (29.295, 31.689, 32.502)),
    (3, (136.212, 128.989, 80.557), (52.97, 58.306, 36.125)),
]
"""Seed, mean and deviation of each channel: when they change, every table measured on rendered hands does."""


def test_same_seed_renders_the_same_bytes_and_another_does_not():
    first = render_one_hand(3, SIZE).pixels
    assert (render_one_hand(3, SIZE).pixels == first).all()
    assert (render_one_hand(4, SIZE).pixels != first).any()


@pytest.mark.parametrize("seed", range(4))
def test_true_landmarks_and_depth_lie_on_the_drawn_hand(seed: int):
    picture = render_one_hand(seed, SIZE)
    rows, columns = np.nonzero(picture.mask)
    landmarks = picture.hands[0].keypoints_px
    margin = 0.03 * SIZE
    assert (landmarks >= 0).all()
    assert (landmarks <= SIZE).all()
    assert (landmarks.min(0) >= (columns.min() - margin, rows.min() - margin)).all()
    assert (landmarks.max(0) <= (columns.max() + margin, rows.max() + margin)).all()
    assert (picture.depth > 0)[picture.mask].mean() > 0.95
    assert (picture.scene > 0)[picture.mask].all()
    assert (picture.parts == FOREARM).any()


@pytest.mark.parametrize("seed", range(12))
def test_the_hand_is_alone_and_bare(seed: int):
    picture = render_one_hand(seed, 64)
    assert len(picture.hands) == 1
    assert picture.setup.thing is None
    assert not picture.hands[0].gloved
    assert picture.parts.max() <= SLEEVE


@pytest.mark.parametrize("defect", ONE_HAND_DEFECTS)
def test_the_sound_twin_differs_from_its_defect_only_at_the_hand(defect: str):
    broken, sound = (render_one_hand(5, SIZE, defect, without_defect=twin) for twin in (False, True))
    assert [label.name for label in broken.hands[0].defects] == [defect]
    assert not sound.hands[0].defects
    assert (broken.hands[0].keypoints_px == sound.hands[0].keypoints_px).all()
    assert (broken.depth == sound.depth).all()
    assert (broken.setup.place.linear == sound.setup.place.linear).all()
    assert (broken.pixels != sound.pixels).any()
    corners = np.s_[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.abs(broken.pixels[corners].astype(int) - sound.pixels[corners]).mean() < 20


@pytest.mark.parametrize("defect", ["wrong_hand", "extra_finger"])
def test_a_defect_that_one_hand_cannot_show_is_refused_by_name(defect: str):
    with pytest.raises(ValueError, match=f"extra, missing.*{defect}"):
        render_one_hand(0, 64, defect)


@pytest.mark.parametrize(("seed", "mean", "deviation"), PINNED)
def test_the_pictures_that_tables_are_measured_on_are_still_the_same(seed: int, mean, deviation):
    pixels = render_one_hand(seed, SIZE).pixels
    assert pixels.mean((0, 1)) == pytest.approx(mean, abs=0.02)
    assert pixels.std((0, 1)) == pytest.approx(deviation, abs=0.02)


def test_parts_are_what_the_middles_of_pixels_show():
    """The hand's mesh, a quarter of a pixel aside in any direction, agrees less with the picture of parts."""
    agreement = np.zeros((3, 3))
    for seed in range(3):
        picture = render_one_hand(seed, 192)
        part = picture.parts % LABELS_PER_HAND
        shown = (part >= HAND_LABEL) & (part < FOREARM)
        for row, dy in enumerate((-0.25, 0.0, 0.25)):
            for column, dx in enumerate((-0.25, 0.0, 0.25)):
                cover = hand_coverage([hand_in_window(picture.hands[0].hand, -dx, -dy, 1)], 192, 192) > 0.5
                agreement[row, column] += (cover & shown).sum() / (cover | shown).sum() / 3
    assert agreement.argmax() == 4
    assert agreement[1, 1] > 0.95


def test_a_ring_is_part_of_a_hand_and_a_gap_between_fingers_is_not():
    parts = np.zeros((5, 12), np.uint8)
    parts[:, 1:4] = parts[:, 5:8] = HAND_LABEL + 3
    parts[2, 1:4] = JEWELLERY
    seen = hand_pixels(parts)
    assert seen[:, 1:4].all() and seen[:, 5:8].all()
    assert not seen[:, [0, 4, 8, 9]].any()
