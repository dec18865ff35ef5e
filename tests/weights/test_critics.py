"""The critic and the referee that ship: they open, tell malformed from sound hands, and are not the same."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from handwright.data.hands import render_defects
from handwright.review.calibration.calibration import BUDGET
from handwright.review.critic.onnx_critic import PACKAGED, open_critic
from handwright.review.critic.upright_crops import OrientedSquare

REFEREE = PACKAGED.parent / "referee"
SEED, COUNT = 930_000, 120
BOTH = pytest.mark.parametrize("folder", [PACKAGED, REFEREE], ids=["critic", "referee"])


@pytest.fixture(scope="module")
def hands():
    """(pixels, region, malformed) of rendered hands in sight, of a world that no weights have seen."""
    found = []
    for index in range(COUNT):
        made = render_defects(SEED, index, 192)
        hand = made.hands[0]
        named = {label.name for label in hand.defects}
        if hand.visible.sum() >= 12 and not hand.gloved and "wrong_hand" not in named:
            found.append((made.pixels, OrientedSquare.of(hand.keypoints_px), bool(named)))
    return found


def area(scores, truths):
    """Share of pairs of a malformed and a sound hand that stand in the right order."""
    bad, good = scores[truths], scores[~truths]
    return float((bad[:, None] > good[None]).mean())


@pytest.mark.parametrize(("folder", "ordered", "found"), [(PACKAGED, 0.85, 0.45), (REFEREE, 0.7, 0.15)])
def test_malformed_hands_stand_out_among_sound_ones(folder, ordered, found, hands):
    critic = open_critic(folder)
    prediction = [critic.judge(pixels, [region])[0] for pixels, region, _ in hands]
    truths = np.array([malformed for *_, malformed in hands])
    assert area(np.array([one.threshold_ratio for one in prediction]), truths) > ordered
    called = np.array([one.threshold_ratio >= 1 and not one.not_assessable for one in prediction])
    assert called[~truths].mean() <= 0.12
    assert called[truths].mean() > found


@BOTH
def test_its_limits_were_set_within_the_budget_and_its_card_says_how_it_was_made(folder):
    critic = open_critic(folder)
    assert critic.calibration.about["budget"] == BUDGET
    assert critic.calibration.about["hands"] > 1000
    card = (folder / "README.md").read_text("utf-8")
    for word in ("Data", "Command", "Measured", "Limits", "seed", "steps"):
        assert word in card


def test_they_are_of_different_build():
    one, other = (onnx.load(folder / "critic.onnx") for folder in (PACKAGED, REFEREE))
    kinds = [{node.op_type for node in model.graph.node} for model in (one, other)]
    assert "ConvTranspose" in kinds[1] - kinds[0]
    told = [{p.key: p.value for p in model.metadata_props} for model in (one, other)]
    names = [json.loads(said["name"]) for said in told]
    assert names == ["critic-v1", "referee-v1"]
    for model in (one, other):
        halves = sum(
            np.prod(t.dims) for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT16
        )
        assert halves > 1_000_000
