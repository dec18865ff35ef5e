"""The referee's features: a hand stays the same however it is turned, and malformed ones are further away."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
import pytest

from handwright.data.hands import render_hands
from handwright.errors import MissingModelError
from handwright.metrics.crops import hand_crop
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.referee import FOLDER, RefereeExtractor
from handwright.metrics.kernel import kernel_distance


@pytest.fixture(scope="module")
def referee():
    return open_extractor("referee-v1")


@pytest.fixture(scope="module")
def hands():
    """Crops of hands, rendered with a seed that no weights have seen."""
    crops = []
    for index in range(70):
        truth = (made := render_hands(940_000, index, 160)).hands[0]
        if truth.visible.sum() >= 12 and not truth.gloved:
            low, high = truth.keypoints_px.min(0), truth.keypoints_px.max(0)
            crops.append(hand_crop(made.pixels, (*low, *high), 128))
    return np.stack(crops)


def twisted(crop, by_px):
    """The crop bent in waves: fingers melt, grain and colour stay."""
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]].astype(np.float32)
    right, down = (by_px * np.sin(x / 9).astype(np.float32) for x in (rows, columns))
    return cv2.remap(crop, columns + right, rows + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def test_a_hand_turned_by_one_of_its_directions_has_nearly_the_same_features(referee, hands):
    turned = hands[:12].transpose(0, 2, 1, 3)[:, ::-1]
    here, there, other = (referee(np.ascontiguousarray(c)) for c in (hands[:12], turned, hands[12:24]))
    apart = np.linalg.norm(here - there, axis=1)
    assert np.median(apart) < 0.3 * np.median(np.linalg.norm(here - other, axis=1))


def test_twisted_hands_are_further_away_than_sound_ones_and_noisy_ones_hardly(referee, hands):
    half = len(hands) // 2
    sound, others = referee(hands[:half]), hands[half:]
    noisy = np.clip(others + np.random.default_rng(0).normal(0, 4, others.shape), 0, 255).astype(np.uint8)
    plain, grainy, bent = (
        kernel_distance(sound, referee(c), rounds=2).value
        for c in (others, noisy, np.stack([twisted(crop, 9) for crop in others]))
    )
    assert bent > plain + 0.05
    assert abs(grainy - plain) < 0.4 * (bent - plain)


def test_one_crop_or_many_make_no_difference(referee, hands):
    together = referee(hands[:3])
    assert together.shape == (3, 192) and together.dtype == np.float32
    assert np.concatenate([referee(crop[None]) for crop in hands[:3]]) == pytest.approx(together, abs=1e-5)


def test_a_critic_without_features_says_what_to_do(tmp_path):
    model = onnx.load(str(FOLDER / "critic.onnx"))
    del model.graph.output[-1]
    (tmp_path / "critic.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(MissingModelError, match="referee_features"):
        RefereeExtractor(tmp_path)
