from __future__ import annotations

import numpy as np
import pytest

from handwright.metrics.estimate import Estimate
from handwright.reproduce.handrefiner.study import GRID
from handwright.reproduce.measure import ANATOMY, APPEARANCE, Gauge
from handwright.reproduce.people_measure import missing_fid
from handwright.reproduce.sheets import against_paper, figure, sign, table
from handwright.reproduce.store import Store


class Colours:
    """Mean colour and its square as features."""

    name = "colours"

    def __call__(self, pictures):
        mean = pictures.reshape(len(pictures), -1, 3).mean(1)
        return np.concatenate([mean, mean**2 / 255], 1).astype(np.float32)


@pytest.fixture
def gauge(tmp_path) -> Gauge:
    """Twelve pictures: 'good' like the reference and exact, 'bad' darker, less exact, three times as slow."""
    store, rng = Store(tmp_path, {}), np.random.default_rng(0)
    for k in range(12):
        for treatment, light, error, seconds in (("good", 150, 0.02, 1.0), ("bad", 60, 0.3, 3.0)):
            crop = np.clip(rng.normal(light, 8, (4, 4, 3)), 0, 255).astype(np.uint8)
            record = {
                "error": error + k / 1000,
                "found": True,
                "score": 0.9,
                "texture": 2.0,
                "seconds": seconds,
            }
            store.unit("g", f"{k}/{treatment}", lambda made=(record, crop): made)
        for s in GRID:
            record = {"error": max(1 - 2 * s, 0.0), "texture": 5 - max(0.0, s - 0.5)}
            store.unit("p", f"{k}/{s:g}", lambda made=(record, None): made)
    crops = np.clip(rng.normal(150, 8, (20, 4, 4, 3)), 0, 255).astype(np.uint8)
    both = {APPEARANCE: Colours(), ANATOMY: Colours()}
    return Gauge(store, both, {key: each(crops) for key, each in both.items()})


NAMES = tuple(f"{k}" for k in range(12))


def test_what_is_alike_is_nearer_and_what_is_off_is_off_in_per_cent(gauge):
    good, bad = (gauge.figures("g", NAMES, t) for t in ("good", "bad"))
    assert good["error"].value == pytest.approx(2.55)
    assert bad["error"].n == 12
    assert good["kid"].value < bad["kid"].value
    assert good["kid"].name == "kid-h[colours]"
    assert good["anatomy"].value == good["kid"].value
    assert good["fid"].value < bad["fid"].value


def test_differences_are_paired(gauge):
    apart = gauge.difference("g", NAMES, "bad", "good")
    assert (apart["error"].value, apart["error"].low) == pytest.approx((28.0, 28.0))
    assert apart["kid"].low > 0


def test_times_are_ratios_of_the_same_pictures(gauge):
    result = gauge.times("g", NAMES, "bad", "good")
    assert (result.value, result.low, result.high) == (3.0, 3.0, 3.0)


def test_structure_that_is_done_at_half_strength_and_texture_that_begins_to_go_there(gauge):
    below, above = gauge.halves("p", NAMES, "error")
    assert (below.value, below.high, above.value) == (-100.0, -100.0, 0.0)
    below, above = gauge.halves("p", NAMES, "texture")
    assert (below.value, above.value, above.high) == (0.0, -0.5, -0.5)
    assert [e.value for e in gauge.curve("p", NAMES, GRID, "error")] == [
        100 * max(1 - 2 * s, 0.0) for s in GRID
    ]


def test_too_few_hands_for_a_distance_leave_it_out(gauge):
    assert {"kid", "anatomy", "fid"}.isdisjoint(gauge.figures("g", NAMES[:5], "good"))


def test_figures_in_words():
    lower, open_ = Estimate("x", -2.0, -3.0, -1.0, 9), Estimate("x", 1.0, -1.0, 3.0, 9)
    assert figure(lower, 1) == "-2.0 [-3.0, -1.0]"
    assert figure(None, 1) == "–"
    assert [sign(lower), sign(open_), sign(None)] == ["lower", "undecided", "not measured"]
    assert against_paper(lower, -0.7) == "as the paper"
    assert against_paper(lower, 0.7) == "**unlike the paper**"
    assert against_paper(open_, 0.7) == "undecided"
    assert table(("a", "b"), [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_an_fid_that_too_few_pictures_leave_out_is_named_where_kid_is_given():
    one = Estimate("x", 1.0, 0.0, 2.0, n=24)
    names = {"fid": "FID", "fid-h": "FID-H"}
    note = missing_fid([{"kid": one, "kid-h": one}, {}], names, 257)
    assert note.startswith("FID and FID-H are not given")
    assert "257 or more" in note
    assert missing_fid([{"kid": one, "fid": one, "kid-h": one}], names, 257).startswith("FID-H is not given")
    assert missing_fid([{"kid": one, "fid": one}, {"kid": one}], names, 257) == ""
    assert missing_fid([{}], names, 257) == ""
