"""The table that guards painter and judge: what is worse beyond its interval is named, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import quality
from draw import Outcome, Subject
from quality import Values, compare


def hands(count: int = 40, **shift: float) -> dict[str, Values]:
    """Hands with values of their own, some of them shifted."""
    rng = np.random.default_rng(0)
    values = [
        {"found_again": 1.0, "error": rng.uniform(0.02, 0.3), "delta_e": rng.uniform(1, 6), "failed": 0.0}
        for _ in range(count)
    ]
    return {
        f"{k}": {key: v + shift.get(key, 0.0) for key, v in item.items()} for k, item in enumerate(values)
    }


def test_the_same_values_are_not_worse():
    assert compare({"rendered": hands()}, {"rendered": hands()})[1] == []


@pytest.mark.parametrize(("key", "shift"), [("error", 0.001), ("delta_e", 0.01), ("found_again", -0.01)])
def test_a_small_loss_on_every_hand_is_found_because_pairs_are_compared(key, shift):
    worse = compare({"rendered": hands(**{key: shift})}, {"rendered": hands()})[1]
    assert worse == [f"rendered: {quality.MEASURES[key].name}"]
    assert compare({"rendered": hands(**{key: -shift})}, {"rendered": hands()})[1] == []


def test_a_verdict_is_a_false_alarm_on_sound_hands_and_recall_on_malformed_ones():
    now, then = hands(failed=1.0), hands()
    assert compare({"rendered": now}, {"rendered": then})[1] == ["rendered: " + quality.FALSE_ALARMS.name]
    assert compare({"malformed": now}, {"malformed": then})[1] == []
    assert compare({"malformed": then}, {"malformed": now})[1] == ["malformed: " + quality.RECALL.name]


def test_hands_that_only_one_side_has_do_not_count():
    then = hands(30)
    assert compare({"rendered": hands(40)}, {"rendered": then})[1] == []
    assert compare({"real": hands()}, {"rendered": then})[1] == []


def test_what_is_measured_is_as_exact_as_what_is_committed():
    seen = {"found_again": 0.0, "error": 0.12345678, "delta_e": float("nan")}
    values = quality.measured(Outcome(cast(Subject, None), None, None, seen))
    assert values == {"found_again": 0.0, "error": 0.1235, "delta_e": None, "failed": 0.0}


def test_values_go_through_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import json

    monkeypatch.setattr(quality, "COMMITTED", tmp_path / "quality.json")
    values = {"rendered": {"1": {"error": 0.1235, "grain": None}}, "real": {"a b": {"error": 0.5}}}
    quality.write(values)
    assert json.loads((tmp_path / "quality.json").read_text()) == {
        "rendered": {"1": {"error": 0.1235, "grain": None}},
        "real": {"a b": {"error": 0.5}},
    }
