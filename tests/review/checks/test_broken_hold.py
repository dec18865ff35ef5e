"""Broken holds: what the network is shown, from which probability a hand fails, and what is said then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.errors import MissingModelError
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.review.checks.broken_hold import FILE, BrokenHolds, hold_crop, open_broken_holds
from handwright.review.checks.grasp import check_grasp
from handwright.review.judge import review_picture
from handwright.types import Image
from tests.review.drawn import Content, evidence_of, grainy, judge, seen

CLASSES = tuple(Hold)


class Fixed:
    """A session whose logits make one hold so likely, and all others equally unlikely."""

    def __init__(self, hold, probability):
        self.logits = np.full(len(CLASSES), np.log((1 - probability) / (len(CLASSES) - 1)))
        self.logits[CLASSES.index(hold)] = np.log(probability)

    def run(self, names, inputs):
        assert names == ["logits"]
        (crops,) = inputs.values()
        assert crops.dtype == np.float32
        assert np.abs(crops).max() <= 1
        return [np.tile(self.logits, (len(crops), 1)).astype(np.float32)]


def network(hold=Hold.SOUND, probability=0.9, limit=0.8, held=0.95, may_hold=0.92):
    return BrokenHolds(Fixed(hold, probability), CLASSES, 64, 1.6, limit, held, may_hold)


def test_a_crop_shows_the_hand_upright_with_the_silhouette_of_its_fit():
    shot = grainy()
    analysis = evidence_of(shot)
    crop = hold_crop(analysis, 128, 1.6)
    assert crop.shape == (128, 128, 4)
    silhouette = crop[..., 3] > 127
    assert 0.1 < silhouette.mean() < 0.6
    skin = np.median(analysis.crop[analysis.silhouette], 0)
    away = np.abs(crop[..., :3].astype(float) - skin).sum(2)
    assert np.median(away[silhouette]) < 0.3 * np.median(away[~silhouette])
    rows = np.flatnonzero(silhouette.any(1))
    assert silhouette[rows[0] : rows[0] + 6].sum() < silhouette[64:70].sum(), "fingers point up"


@pytest.mark.parametrize("hold", BROKEN_HOLDS)
def test_a_hand_fails_from_the_limit_on_and_the_reason_names_what_is_wrong(hold):
    analysis = evidence_of(grainy())
    check = check_grasp(analysis)
    broken = 0.7 + 0.3 * 2 / 4
    above, below = (network(hold, 0.7, broken + more).check(check, analysis) for more in (-1e-6, 1e-6))
    assert below.verdict == "pass"
    assert below.reason == check.reason
    assert above.verdict == "fail"
    assert above.value["hold"] == hold
    word = {Hold.CUT: "cut", Hold.FLOATING: "held by nothing", Hold.GROWN: "grown"}[hold]
    assert word in above.reason
    assert above.value["broken_hold"] == below.value["broken_hold"] == pytest.approx(broken, abs=1e-3)
    assert above.where.region_xyxy_px == analysis.observation.bbox_xyxy_px


def test_what_is_sound_or_empty_stays_as_it_was():
    analysis = evidence_of(grainy())
    for verdict in ("pass", "cannot tell"):
        check = replace(check_grasp(analysis), verdict=verdict, confidence=0.0)
        for hold in (Hold.NONE, Hold.SOUND):
            told = network(hold).check(check, analysis)
            assert (told.verdict, told.reason) == (check.verdict, check.reason)


def test_a_hand_holds_a_thing_from_its_limit_on_though_none_is_seen_across_it():
    analysis = evidence_of(grainy())
    check = check_grasp(analysis)
    assert check.value["contact"] is None and check.verdict == "pass"
    above, below = (network(held=0.9 + more).check(check, analysis) for more in (-1e-6, 1e-6))
    assert (below.value["contact"], below.reason) == (None, check.reason)
    assert (above.value["contact"], above.value["hold"], above.verdict) == (True, Hold.SOUND, "pass")
    assert "seems to hold a thing" in above.reason
    unclear = network(held=0.5).check(replace(check, verdict="cannot tell", confidence=0.0), analysis)
    assert (unclear.verdict, unclear.reason, unclear.value["contact"]) == ("cannot tell", check.reason, True)
    empty = network(Hold.NONE, held=0.5).check(check, analysis)
    assert empty.value["contact"] is None


def test_what_may_be_held_says_nothing_without_a_text_that_asks_for_a_thing():
    analysis = evidence_of(grainy())
    check = check_grasp(analysis)
    above, below = (network(may_hold=0.9 + more).check(check, analysis) for more in (-1e-6, 1e-6))
    assert (above.verdict, above.reason, above.value["contact"]) == ("pass", check.reason, None)
    assert above.value["may_hold"] is True
    assert "may_hold" not in below.value
    assert "may_hold" not in network(Hold.NONE, may_hold=0.5).check(check, analysis).value


def reviewed(pixels, hand, holds=None):
    with_network = replace(judge(critic=Content()), holds=holds)
    (review,) = review_picture(Image(pixels), with_network, hands=[hand]).hands
    return review.checks["grasp"]


def test_a_review_fails_a_broken_hold_without_a_prompt():
    shot = grainy()
    assert reviewed(shot.pixels, seen(shot.hand), network(Hold.CUT)).verdict == "fail"
    assert reviewed(shot.pixels, seen(shot.hand)).verdict == "pass"


def test_a_hand_that_cannot_be_judged_does_not_fail():
    shot = grainy()
    grey = np.repeat(shot.pixels.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    assert reviewed(grey, seen(shot.hand), network(Hold.CUT)).verdict != "fail"
    below = np.array([0, 0.6 * shot.pixels.shape[0]])
    far = replace(seen(shot.hand), landmarks_px=seen(shot.hand).landmarks_px + below)
    assert reviewed(shot.pixels, far, network(Hold.CUT)).verdict != "fail"


def test_without_its_folder_there_is_no_network_and_a_damaged_one_is_named(tmp_path):
    assert open_broken_holds(tmp_path / "none") is None
    (tmp_path / FILE).write_bytes(b"no network")
    with pytest.raises(MissingModelError, match="does not load"):
        open_broken_holds(tmp_path)
