"""A critic's calibration: limits keep the budget, on renders and on photographs, and doubts are learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from critic_calibration import calibrate_critic, fit_temperature
from handwright.diffusion.latents import picture_tensor
from handwright.review.calibration.calibration import BUDGET, sigmoid
from handwright.review.critic.onnx_critic import augmented_views, mean_over_views
from handwright.training.networks.critic_classes import DEFECTS_SHOWN
from handwright.training.recipes.judging.critic import fresh_critic
from handwright.training.streams.critic_batches import as_found
from tests.training.drawn_views import views


def predicted_by(network):
    """Tells a network's logits as the runner does."""

    def ask(crops):
        with torch.no_grad():
            told = network(picture_tensor(augmented_views(crops)))
        return mean_over_views({name: value.numpy() for name, value in told._asdict().items()})

    return ask


def test_no_more_sound_hands_are_called_than_the_budget_allows_of_either_kind():
    torch.manual_seed(1)
    hands = views(60, handless=True)
    hands = replace(hands, rendered=np.arange(len(hands)) % 4 < 2)
    network = fresh_critic(64).eval()
    calibration = calibrate_critic(predicted_by(network), network.config, hands, {"critic": "t"})
    crops, clear = as_found(np.random.default_rng([0, 15]), hands, 64, spoilt=False)
    told = predicted_by(network)(crops)
    assert told["malformed"].shape == (len(hands),)
    values = {"malformed": told["malformed"]} | {
        n: told["defects"][:, k] for k, n in enumerate(DEFECTS_SHOWN)
    }
    called = np.zeros(len(hands), np.bool_)
    for name, logits in values.items():
        head = calibration.heads[name]
        called |= sigmoid(head.scale * logits + head.bias) >= head.threshold
    sound = clear & ~hands.defects.any(1)
    for rendered in (True, False):
        assert called[sound & (hands.rendered == rendered)].mean() <= BUDGET
    assert set(calibration.temperatures) == {"fingers", "poses"}
    assert {"right", "gloved", "assessable", "hand"} <= set(calibration.heads)
    assert calibration.about == {"critic": "t", "hands": 60, "budget": BUDGET}


def test_the_same_seed_calibrates_the_same():
    network = fresh_critic(64).eval()
    hands = views(24, handless=True)
    one, two = (calibrate_critic(predicted_by(network), network.config, hands, {}) for _ in range(2))
    assert one.digest == two.digest


def test_one_hand_in_two_hundred_may_be_taken_for_something_else():
    hands = views(100, handless=True)
    network = fresh_critic(64).eval()

    def ask(crops):
        told = predicted_by(network)(crops)
        start = ask.start
        ask.start = (start + len(crops)) % len(hands)
        sure = np.where(hands.hand, np.linspace(0, 4, len(hands)), np.linspace(-1, 1, len(hands)))
        return {**told, "hand": sure[start : start + len(crops)]}

    ask.start = 0
    head = calibrate_critic(ask, network.config, hands, {}).heads["hand"]
    seen = sigmoid(head.scale * np.linspace(0, 4, len(hands))[hands.hand] + head.bias)
    assert 1 <= (seen < head.threshold).sum() <= 2


def test_a_temperature_is_found_again():
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 4, (20_000, 5))
    shares = np.exp(logits / 2.5)
    shares /= shares.sum(1, keepdims=True)
    truths = (shares.cumsum(1) < rng.random((20_000, 1))).sum(1)
    assert fit_temperature(logits, truths) == pytest.approx(2.5, rel=0.03)


def test_temperature_is_one_where_nothing_is_known():
    assert fit_temperature(np.zeros((3, 4)), np.array([0, 1, 2])) == pytest.approx(1.0)
