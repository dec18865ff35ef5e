"""Whether a hand looks malformed: what the classifier reads, and what its answer does in the review."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from handwright.data.hands import render_one_hand
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.review.calibration.calibration import Head
from handwright.review.critic.appearance import WHOLE, Appearance, appearance_inputs, open_appearance
from handwright.review.critic.fusion import fuse_prediction
from handwright.review.critic.image_features import LinearClassifier
from handwright.review.critic.landmark_stability import COUNT, VIEWS, landmark_stability
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge, review_picture
from handwright.types import HandObservation, Image
from tests.review.critic.test_onnx_critic import checks, prediction
from tests.review.drawn import Content, PeopleLandmarker, grainy, seen

HERE = OrientedSquare((64.0, 60.0), 50.0, -np.pi / 2)


@dataclass
class Scripted:
    """A landmarker that gives one answer after another: presence, P(right), shift of all points in px."""

    answers: list

    def landmarks_in_crop(self, crop):
        presence, right, shift = self.answers.pop(0)
        side, score = ("right", right) if right >= 0.5 else ("left", 1 - right)
        points = np.full((21, 2), len(crop) / 2) + shift
        return presence, HandObservation(
            landmarks_px=points, depth_px=np.zeros(21), side=side, score=score, found_by="picture"
        )


def stability(*answers):
    pixels = np.zeros((128, 128, 3), np.uint8)
    (found,) = landmark_stability(pixels, [HERE], Scripted(list(answers)))  # type: ignore[arg-type]
    return found


def test_a_hand_that_every_view_sees_alike_is_steady():
    presence, side, spread = stability(*[(0.9, 1.0, 0.0)] * 3, (0.9, 0.0, 0.0))
    assert presence == pytest.approx(np.log(9))
    assert side == pytest.approx(0)  # A mirrored right hand is a left one.
    assert spread == pytest.approx(np.log(1e-3))


def test_what_differs_between_views_shows():
    calm = stability(*[(0.9, 1.0, 0.0)] * 3, (0.9, 0.0, 0.0))
    presence, side, spread = stability((0.9, 1.0, 9.0), (0.2, 0.4, -9.0), (0.9, 0.7, 5.0), (0.5, 0.0, 0.0))
    assert presence < calm[0]
    assert side > 0.2
    assert spread > calm[2] + 2


def test_views_that_are_scaled_by_the_hand_measure_in_hand_sizes():
    # A tenth of the hand to and fro; the median of x is that of three views, the mirrored one among them.
    shifts = [224 / side * 0.1 * sign for (side, _), sign in zip(VIEWS, (1, -1, 1, -1), strict=True)]
    *_, spread = stability(*[(0.9, 1.0, shift) for shift in shifts])
    assert np.exp(spread) == pytest.approx(0.1, rel=0.02)


def test_no_hands_have_no_numbers():
    assert landmark_stability(np.zeros((8, 8, 3), np.uint8), [], Scripted([])).shape == (0, COUNT)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def packaged():
    with HandLandmarker(None) as landmarker:
        appearance = open_appearance(landmarker)
        assert appearance is not None
        yield appearance


def test_what_ships_fits_what_it_reads_and_tells_what_it_was_fitted_on(packaged):
    made = render_one_hand(3, 192)
    region = OrientedSquare.of(made.hands[0].keypoints_px)
    assert packaged.inputs(made.pixels, [region, region]).shape == (2, len(packaged.classifier.weights))
    assert packaged.classifier.classes[0] == "malformed"
    assert packaged.classifier.about["crops"]["malformed"] > 50


def test_it_adds_its_probability_and_changes_nothing_else(packaged):
    made = render_one_hand(3, 192)
    region = OrientedSquare.of(made.hands[0].keypoints_px)
    before = prediction()
    (after,) = packaged.judge(made.pixels, [region], [before])
    assert 0 < after.appearance < 1
    assert after.thresholds == before.thresholds
    assert after.defect_scores == before.defect_scores
    assert packaged.judge(made.pixels, [], []) == []


def test_without_its_folder_there_is_none(tmp_path):
    assert open_appearance(PeopleLandmarker(), tmp_path / "none") is None


def test_the_look_of_a_hand_orders_it_and_fails_it_not():
    looks_wrong = prediction(appearance=0.9)
    assert not looks_wrong.is_malformed
    assert looks_wrong.threshold_ratio == prediction().threshold_ratio
    fused = fuse_prediction(checks(), looks_wrong, ())
    assert {check.verdict for check in fused.values()} == {"pass"}
    assert fused["finger_count"].confidence == pytest.approx(1 - looks_wrong.malformed_by_any)


def test_either_may_be_right_that_it_is_malformed():
    assert prediction(malformed=0.5, appearance=0.4).malformed_by_any == pytest.approx(0.7)
    assert prediction(malformed=0.5).malformed_by_any == pytest.approx(0.5)


class Grey:
    """Features that are the mean of the picture and the context that was asked for."""

    def means_and_spreads_of_regions(self, pixels, regions, context):
        return np.array([[pixels.mean() / 255]] * len(regions)), np.full((len(regions), 1), context)


def test_it_reads_means_and_spreads_of_the_middle_and_spreads_of_the_whole_hand():
    pixels = np.full((128, 128, 3), 51, np.uint8)
    landmarker = Scripted([(0.9, 1.0, 0.0)] * 3 + [(0.9, 0.0, 0.0)])
    (found,) = appearance_inputs(pixels, [HERE], Grey(), landmarker, 0.5)  # type: ignore[arg-type]
    assert found[:3] == pytest.approx([0.2, 0.5, WHOLE])
    assert found[3:] == pytest.approx([np.log(9), 0.0, np.log(1e-3)], abs=1e-6)


def judge_to_whom_all_looks_malformed(log_odds: float = 4.0) -> Judge:
    """A judge without any network; its critic is content with every hand."""
    always = LinearClassifier(
        classes=("malformed", "good"),
        weights=np.zeros((3 + COUNT, 2)),
        biases=np.array([log_odds, 0.0]),
        context=1.0,
        calibration=Head(1.0, 0.0),
    )
    people = PeopleLandmarker()
    appearance = Appearance(Grey(), always, people)  # type: ignore[arg-type]
    return Judge(people, Content(), None, appearance)  # type: ignore[arg-type]


def test_the_review_asks_it_for_every_hand_that_the_critic_judged():
    shot, judge = grainy(), judge_to_whom_all_looks_malformed(4.0)
    (hand,) = review_picture(Image(shot.pixels), judge, hands=[seen(shot.hand)]).hands
    assert hand.prediction is not None
    assert hand.prediction.appearance == pytest.approx(1 / (1 + np.exp(-4)))
    alone = replace(judge, critic=None)
    assert review_picture(Image(shot.pixels), alone, hands=[seen(shot.hand)]).hands[0].prediction is None
