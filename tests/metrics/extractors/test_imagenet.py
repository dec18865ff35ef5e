"""The ImageNet features behind KID: any size goes in, mirrors are alike, other pictures are further away."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.hands import render_hands
from handwright.metrics.extractors import open_extractor
from handwright.metrics.kernel import kernel_distance

SEED = 940_100


@pytest.fixture(scope="module")
def imagenet():
    return open_extractor("imagenet")


@pytest.fixture(scope="module")
def pictures():
    return np.stack([render_hands(SEED, index, 128).pixels for index in range(48)])


def test_pictures_of_any_size_have_features_of_one_length(imagenet, pictures):
    wide = np.repeat(pictures[:1], 3, axis=2)
    assert imagenet(wide).shape == imagenet(pictures[:1]).shape == (1, 416)
    assert imagenet(pictures[:1]).dtype == np.float32
    assert imagenet.name == "imagenet-lite2"


def test_neighbours_in_a_batch_change_nothing_and_a_mirror_image_is_the_same(imagenet, pictures):
    alone = np.concatenate([imagenet(pictures[k : k + 1]) for k in range(3)])
    assert np.array_equal(imagenet(pictures[:3]), alone)
    assert imagenet(np.ascontiguousarray(pictures[:3, :, ::-1])) == pytest.approx(alone, abs=1e-2)


def test_noise_moves_pictures_away_from_others_of_their_world(imagenet, pictures):
    half = len(pictures) // 2
    noise = np.random.default_rng(0).normal(0, 30, pictures[half:].shape)
    noisy = np.clip(pictures[half:] + noise, 0, 255).astype(np.uint8)
    known = imagenet(pictures[:half])
    plain, moved = (kernel_distance(known, imagenet(p), rounds=200) for p in (pictures[half:], noisy))
    assert moved.low > plain.high
