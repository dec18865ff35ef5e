"""Several looks at a crop: which they are, and how they are made one."""

from __future__ import annotations

import numpy as np

from handwright.review.critic.onnx_critic import VIEWS, augmented_views, mean_over_views


def test_looks_are_the_crop_its_mirror_and_both_nearer():
    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    looks = augmented_views(crops).reshape(3, VIEWS, 64, 64, 3)
    np.testing.assert_array_equal(looks[:, 0], crops)
    np.testing.assert_array_equal(looks[:, 1], crops[:, :, ::-1])
    np.testing.assert_array_equal(looks[:, 3], looks[:, 2, :, ::-1])
    dot = np.zeros((1, 64, 64, 3), np.uint8)
    dot[0, 30:34, 50:54] = 255
    near = augmented_views(dot)[2, ..., 0]
    assert abs(np.nonzero(near > 128)[1].mean() + 0.5 - (32 + (52 - 32) * 1.14)) < 1.5


def test_logits_are_averaged_sides_turned_back_and_maps_read_off_the_first_look():
    told = {
        "malformed": np.array([1.0, 2.0, 3.0, 6.0, 0.0, 0.0, 0.0, 4.0]),
        "right": np.array([2.0, -2.0, 2.0, -2.0, 1.0, 1.0, 1.0, 1.0]),
        "where": np.arange(8.0).reshape(8, 1, 1, 1),
    }
    said = mean_over_views(told)
    np.testing.assert_allclose(said["malformed"], [3.0, 1.0])
    np.testing.assert_allclose(said["right"], [2.0, 0.0])
    np.testing.assert_allclose(said["where"].ravel(), [0.0, 4.0])
