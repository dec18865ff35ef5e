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
    inputs,
    open_comparison,
    square_around,
)
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.upright_crops import OrientedSquare


def test_the_classifier_reads_the_old_hand_its_change_and_the_critic():
    read = inputs(np.array([1.0, 2.0]), np.array([1.5, 1.0]), 0.5, 0.9)
    assert read == pytest.approx([1, 2, 0.5, -1, 0, np.log(9), np.log(9)])
    assert np.isfinite(inputs(np.zeros(2), np.zeros(2), 0.0, 1.0)).all()


def test_the_square_holds_landmarks_and_paint():
    points = np.tile([[50.0, 60.0]], (21, 1))
    points[1] = 70, 90
    painted = np.zeros((40, 30), bool)
    painted[5:35, 2:9] = True
    square = square_around(points, painted, (40, 80), 0.3)
    assert square == OrientedSquare((56.0, 87.5), 55.0, 0.3)


class Brightness:
    """Features that are the mean of the crop."""

    def of_regions(self, pixels, regions, context):
        return np.array([[pixels.mean() / 255]])


def test_a_probability_comes_from_what_changed():
    darker_is_worse = LinearClassifier(
        classes=("worse", "not worse"),
        weights=np.array([[0, 0], [-40, 0], [0, 0], [0, 0], [0, 0]], float),
        biases=np.zeros(2),
        context=1.0,
        calibration=Head(0.5, 0.1),
    )
    compare = Comparison(Brightness(), darker_is_worse)  # type: ignore[arg-type]
    light, dark = (Version(np.full((8, 8, 3), level, np.uint8), 0.2) for level in (200, 100))
    square = OrientedSquare((4.0, 4.0), 8.0, 0.0)
    assert compare.worse(light, dark, square) > 0.99
    assert compare.worse(dark, light, square) < 0.01
    assert compare.worse(light, light, square) == pytest.approx(1 / (1 + np.exp(-0.1)))


def test_the_packaged_one_finds_a_stain_worse_than_a_mended_finger():
    compare = open_comparison()
    assert compare is not None
    malformed, sound = render_one_hand(9, 256, Defect.EXTRA), render_one_hand(9, 256)
    points = sound.hands[0].keypoints_px
    square = OrientedSquare.of(points)
    stained = malformed.pixels.copy()
    cv2.circle(stained, tuple(int(v) for v in points[9]), int(square.size_px / 4), (110, 60, 30), -1)
    before = Version(malformed.pixels, 0.9)
    mended = compare.worse(before, Version(sound.pixels, 0.02), square)
    assert mended < compare.worse(before, Version(stained, 0.9), square)
    assert 0 < mended < 1


def test_features_of_the_comparison_are_those_of_its_classifier():
    compare = open_comparison()
    assert compare is not None
    assert isinstance(compare.features, RegionFeatures)
    side = compare.features.size_px
    (features,) = compare.features.of_crops(np.zeros((1, side, side, 3), np.uint8))
    assert len(inputs(features, features, 0.5, 0.5)) == len(compare.classifier.weights)


def test_without_its_folder_there_is_none(tmp_path):
    assert open_comparison(tmp_path / "none") is None
