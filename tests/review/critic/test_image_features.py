"""Features of the pretrained network, and classifiers that read them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from handwright.data.hands import render_one_hand
from handwright.errors import MissingModelError
from handwright.perception.models.image_features import SPREADS
from handwright.review.calibration.calibration import Head
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.onnx_critic import PACKAGED as CRITIC


def classifier(**changes) -> LinearClassifier:
    rng = np.random.default_rng(1)
    fields = {"classes": ("a", "b", "c"), "weights": rng.normal(size=(4, 3)), "biases": rng.normal(size=3)}
    fields |= {"context": 0.7, "calibration": Head(0.8, -0.2), "about": {"crops": 12}}
    return LinearClassifier(**{**fields, **changes})


def test_log_odds_are_those_of_the_softmax():
    one, features = classifier(), np.random.default_rng(2).normal(size=(5, 4))
    shares = np.exp(features @ one.weights + one.biases)
    p = (shares / shares.sum(1, keepdims=True))[:, 0]
    odds = np.log(p / (1 - p))
    assert one.log_odds(features) == pytest.approx(odds)
    assert one.probability(features) == pytest.approx(1 / (1 + np.exp(0.2 - 0.8 * odds)))


def test_a_classifier_comes_back_from_its_file(tmp_path):
    one = classifier()
    one.save(tmp_path / "look.json")
    back = LinearClassifier.load(tmp_path / "look.json")
    assert (back.classes, back.context, back.calibration, back.about) == (
        one.classes,
        one.context,
        one.calibration,
        one.about,
    )
    assert back.weights == pytest.approx(one.weights, rel=1e-5)
    assert back.biases == pytest.approx(one.biases, rel=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "other"},
        {"weights": [[1.0, 2.0]]},
        {"biases": [1.0]},
        {"biases": [1.0, 2.0, None]},
        {"scale": -1.0},
        {"context": "wide"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_damaged_file_is_named(tmp_path, changes):
    path = tmp_path / "look.json"
    classifier().save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(MissingModelError, match="look"):
        LinearClassifier.load(path)


def test_a_hand_and_its_mirror_image_have_the_same_features():
    network = RegionFeatures.load()
    crop = render_one_hand(3, network.size_px).pixels
    one, mirrored = network.of_crops(np.stack([crop, crop[:, ::-1]]))
    assert one == pytest.approx(mirrored, abs=1e-4)
    assert one.std() > 0.01
    as_they_are, _ = network.means_and_spreads(np.stack([crop, crop[:, ::-1]]))
    assert one == pytest.approx(as_they_are.mean(0), abs=1e-4)


def test_a_picture_of_one_colour_is_spread_less_than_a_hand():
    network = RegionFeatures.load()
    crop = render_one_hand(3, network.size_px).pixels
    _, (hand, plain) = network.means_and_spreads(np.stack([crop, np.full_like(crop, 127)]))
    assert hand.shape == (SPREADS,)
    assert hand.mean() > 2 * plain.mean()


def test_a_network_without_spreads_is_refused(tmp_path):
    (tmp_path / "features.onnx").write_bytes((CRITIC / "critic.onnx").read_bytes())
    with pytest.raises(MissingModelError, match="outputs features and spreads"):
        RegionFeatures.load(tmp_path)
