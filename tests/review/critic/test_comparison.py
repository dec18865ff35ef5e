"""Whether one version of a hand looks worse than the other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.review.calibration.calibration import Head
from handwright.review.critic.comparison import (
    Comparison,
    Version,
    change_shares,
    group_sizes,
    inputs,
    open_comparison,
    square_around,
)
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.upright_crops import OrientedSquare, crop_transform


class Brightness:
    """Features that are the mean of the crop, and a map of it at four by four places."""

    size_px = 16

    def means_and_maps(self, crops):
        grey = crops.mean(3) / 255
        maps = grey.reshape(len(crops), 1, 4, 4, 4, 4).mean((3, 5))
        return grey.mean((1, 2))[:, None], (maps,)


SQUARE = OrientedSquare((8.0, 8.0), 16.0, -np.pi / 2)


def flat(level: int, malformed: float = 0.2) -> Version:
    return Version(np.full((16, 16, 3), level, np.uint8), malformed)


def test_the_classifier_reads_the_old_hand_its_change_the_critic_and_what_changed():
    """Inside the change the picture is uneven afterwards, and was not before."""
    before, after = flat(100, 0.5), flat(100, 0.9)
    after.pixels[4:12, 4:8] = 200
    read = inputs(Brightness(), before, after, SQUARE, 8.0, 1.0)  # type: ignore[arg-type]
    rise = (200 - 100) / 255 * 32 / 256
    assert read[:5] == pytest.approx([100 / 255, rise, 0, np.log(9), np.log(9)], abs=1e-6)
    inside, inside_change, border, border_change = read[5:]
    assert (inside, border) == pytest.approx((0, 0), abs=1e-6)
    assert border_change > 0.1
    assert inside_change < border_change
    assert len(read) == len(group_sizes(Brightness()))  # type: ignore[arg-type]
    assert np.isfinite(inputs(Brightness(), flat(9, 0.0), flat(9, 1.0), SQUARE, 8.0, 1.0)).all()


def test_the_change_is_closed_and_filled_and_its_border_is_as_broad_as_the_hand_is_large():
    before, after = np.zeros((120, 160, 3), np.uint8), np.zeros((120, 160, 3), np.uint8)
    cv2.circle(after, (90, 60), 30, (200, 200, 200), 6)
    after[5, 5] = 2  # As good as nothing
    square = OrientedSquare((90.0, 60.0), 80.0, -np.pi / 2)
    to_crop = crop_transform(square, 80, 1.0)
    inside, border = change_shares(before, after, square, 50.0, to_crop, 80)
    assert inside[40, 40] == 1
    assert inside.sum() == pytest.approx(np.pi * 33**2, rel=0.05)
    ring = np.pi * ((33 + 3) ** 2 - (33 - 3) ** 2)
    assert border.sum() == pytest.approx(ring, rel=0.1)
    assert border[40, 40] == 0
    nothing, _ = change_shares(before, before, square, 50.0, to_crop, 80)
    assert not nothing.any()


def test_the_square_holds_landmarks_and_paint():
    points = np.tile([[50.0, 60.0]], (21, 1))
    points[1] = 70, 90
    painted = np.zeros((40, 30), bool)
    painted[5:35, 2:9] = True
    square = square_around(points, painted, (40, 80), 0.3)
    assert square == OrientedSquare((56.0, 87.5), 55.0, 0.3)


def test_a_probability_comes_from_what_changed():
    weights = np.zeros((9, 2))
    weights[1, 0] = -40
    darker_is_worse = LinearClassifier(
        classes=("worse", "not worse"),
        weights=weights,
        biases=np.zeros(2),
        context=1.0,
        calibration=Head(0.5, 0.1),
    )
    compare = Comparison(Brightness(), darker_is_worse)  # type: ignore[arg-type]
    light, dark = flat(200), flat(100)
    assert compare.worse(light, dark, SQUARE, 8.0) > 0.99
    assert compare.worse(dark, light, SQUARE, 8.0) < 0.01
    assert compare.worse(light, light, SQUARE, 8.0) == pytest.approx(1 / (1 + np.exp(-0.1)))


def test_the_packaged_one_finds_a_stain_worse_than_a_mended_finger():
    compare = open_comparison()
    assert compare is not None
    malformed, sound = render_one_hand(9, 256, Defect.EXTRA), render_one_hand(9, 256)
    points = sound.hands[0].keypoints_px
    square = OrientedSquare.of(points)
    stained = malformed.pixels.copy()
    cv2.circle(stained, tuple(int(v) for v in points[9]), int(square.size_px / 4), (110, 60, 30), -1)
    before = Version(malformed.pixels, 0.9)
    mended = compare.worse(before, Version(sound.pixels, 0.02), square, square.size_px)
    assert mended < compare.worse(before, Version(stained, 0.9), square, square.size_px)
    assert 0 < mended < 1


def test_features_of_the_comparison_are_those_of_its_classifier():
    compare = open_comparison()
    assert compare is not None
    assert isinstance(compare.features, RegionFeatures)
    assert len(group_sizes(compare.features)) == len(compare.classifier.weights)


def test_without_its_folder_there_is_none(tmp_path):
    assert open_comparison(tmp_path / "none") is None
