from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.errors import DataError, NotEnoughDataError
from handwright.review.calibration.calibration import expected_calibration_error, logit, sigmoid
from handwright.review.critic.recalibration import (
    LabelledHand,
    RecalibratedCritic,
    assessable_hands,
    cross_validated_trial,
    current_trial,
    recalibrate,
    recalibrated,
)
from handwright.review.critic.upright_crops import OrientedSquare
from tests.review.predictions import StubCritic, calibration, prediction


def shifted(rng: np.random.Generator, count: int, by: float, threshold: float = 0.5) -> list[LabelledHand]:
    """Hands of which a critic with true logits speaks with logits that are ``by`` too high."""
    z = rng.normal(0, 3, count)
    wrong = rng.random(count) < sigmoid(z)
    return [
        LabelledHand(
            f"{k // 2}.png",
            bool(bad),
            prediction(float(sigmoid(np.asarray(value + by))), threshold=threshold),
        )
        for k, (value, bad) in enumerate(zip(z, wrong, strict=True))
    ]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_critic_that_cries_too_loud_is_turned_down_and_stays_within_the_budget(rng):
    old, hands = calibration(), shifted(rng, 1200, by=3.0)
    new = recalibrate(old, hands)
    assert new.heads["malformed"].bias == pytest.approx(-3.0, abs=0.35)
    assert new.heads["right"] == old.heads["right"]
    before, after = current_trial(hands), cross_validated_trial(old, hands)
    assert before.reported[~before.malformed].mean() > 0.4
    assert after.reported[~after.malformed].mean() < 0.03
    errors = [expected_calibration_error(one.probability, one.malformed) for one in (before, after)]
    assert errors[1] < 0.05 < errors[0]


def test_few_good_hands_raise_limits_and_never_lower_them(rng):
    quiet = [LabelledHand(f"{k}.png", k % 2 == 0, prediction(0.2 if k % 2 else 0.4)) for k in range(40)]
    raised = [LabelledHand(f"{k}.png", k % 2 == 0, prediction(0.2, {"melted": 0.9})) for k in range(40)]
    old = calibration()
    assert recalibrate(old, quiet).thresholds["melted"] == 0.5
    assert recalibrate(old, raised).thresholds["melted"] == np.nextafter(0.9, 1)
    many = [LabelledHand(f"{k}.png", k % 10 == 0, prediction(0.2)) for k in range(400)]
    assert recalibrate(old, many).thresholds["melted"] == 0.05


def test_a_refitted_head_calls_what_it_called_until_good_hands_speak_against_it(rng):
    old = calibration(threshold=0.7)
    only_bad = [replace(hand, malformed=True) for hand in shifted(rng, 30, by=0.0, threshold=0.7)]
    new = recalibrate(old, only_bad)
    for hand in only_bad:
        assert recalibrated(hand.prediction, old, new).is_malformed == hand.prediction.is_malformed


def test_no_hand_takes_part_in_the_fit_that_it_is_tried_with(rng):
    hands = [LabelledHand(f"{k}.png", k % 2 == 0, prediction(0.6 if k % 2 == 0 else 0.3)) for k in range(40)]
    odd = LabelledHand("odd.png", False, prediction(0.3, {"extra": 0.99}))
    told = cross_validated_trial(calibration(), [*hands, odd])
    assert told.reported[-1]
    assert recalibrate(calibration(), [*hands, odd]).thresholds["extra"] > 0.99


def test_rereading_by_the_same_calibration_changes_nothing():
    old = calibration(0.4, 0.7, -0.2)
    told = prediction(0.37, {"split": 0.81}, threshold=0.4)
    again = recalibrated(told, old, old)
    assert again.malformed == pytest.approx(told.malformed)
    assert again.defects == pytest.approx(dict(told.defects)) and again.thresholds == told.thresholds


def test_a_recalibrated_critic_speaks_by_the_new_calibration_alone(rng):
    old = calibration()
    new = recalibrate(old, shifted(rng, 400, by=3.0))
    critic = StubCritic(lambda pixels, region: prediction(0.8))
    (told,) = RecalibratedCritic(critic, new).judge(
        np.zeros((4, 4, 3), np.uint8), [OrientedSquare((1, 1), 2, 0)]
    )
    head = new.heads["malformed"]
    assert told.malformed == pytest.approx(sigmoid(head.scale * logit(np.asarray(0.8)) + head.bias))
    assert told.thresholds["malformed"] == head.threshold
    with pytest.raises(DataError, match="another critic"):
        RecalibratedCritic(StubCritic(lambda pixels, region: prediction(), calibration(0.6)), new)


def test_a_critic_that_cannot_tell_calls_nothing():
    assert prediction(0.9).is_malformed
    assert prediction(0.1, {"fused": 0.5}).is_malformed
    assert not prediction(0.9, assessable=0.3).is_malformed
    assert not prediction(0.9, gloved=0.8).is_malformed
    assert not replace(prediction(0.6), thresholds={"malformed": 0.61}).is_malformed


@pytest.mark.parametrize(
    ("hands", "why"),
    [
        ([LabelledHand(f"{k}", k == 0, prediction()) for k in range(19)], "19 labelled hands"),
        (
            [LabelledHand(f"{k}", k == 0, prediction(assessable=0.2 if k < 9 else 0.9)) for k in range(28)],
            "19 labelled",
        ),
        ([LabelledHand(f"{k}", False, prediction()) for k in range(20)], "all 20 labelled hands are good"),
        (
            [LabelledHand(f"{k}", True, prediction()) for k in range(20)],
            "all 20 labelled hands are malformed",
        ),
        ([LabelledHand("a", k == 0, prediction()) for k in range(20)], "of one picture"),
    ],
)
def test_too_few_labels_are_refused(hands, why):
    with pytest.raises(NotEnoughDataError, match=why):
        assessable_hands(hands)
