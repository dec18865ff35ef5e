from __future__ import annotations

import numpy as np
import pytest

from handwright.metrics.extractors.choose import RandomFilters
from handwright.metrics.sets.evaluation import Plan, evaluate_sets
from tests.metrics.sets.picture_folders import MarkFinder, blots, mark, named, write


@pytest.fixture
def moved(tmp_path):
    """14 pictures; FAKE's hands are 1 or 2 px off, OTHER's 4 px; OTHER lost one and has one picture less."""
    plain = blots(14, 60)
    real = write(tmp_path / "real", [mark(p, 8, 6) for p in plain])
    fake = write(tmp_path / "fake", [mark(p, 9 + i % 2, 6) for i, p in enumerate(plain)])
    other = [mark(p, 12, 6) for p in plain[:13]]
    other[3] = plain[3]
    return real, fake, write(tmp_path / "other", other)


def run(real, fake, versus, *metrics, extractor=None):
    sets = [named(folder) for folder in (real, fake, versus)]
    extractor = extractor or RandomFilters()
    return evaluate_sets(sets[0], sets[1], Plan(metrics), extractor, MarkFinder(), versus=sets[2])


def test_differences_are_taken_hand_by_hand_over_what_both_have(moved):
    result = {e.name: e for e in run(*moved, "mpjpe", "pck", "det").estimates}
    off = [1 + i % 2 for i in range(13)]
    lost = [20.0 if i == 3 else 4.0 for i in range(13)]
    px = result["Δ mpjpe[px]"]
    assert (px.value, px.n) == (pytest.approx(np.mean(off) - np.mean(lost)), 13)
    assert px.high < 0 and px.p is not None and px.p < 0.001
    assert result["Δ mpjpe[% hand]"].value == pytest.approx(5 * px.value)
    assert result["Δ hand-found"].value == pytest.approx(1 / 13)
    assert result["Δ det-conf"].value == pytest.approx(0.9 / 13)
    assert result["Δ pck@0.2"].value == pytest.approx(1 / 13) and result["Δ pck@0.2"].p == 1


def test_another_set_changes_nothing_of_the_figures_themselves(moved):
    with_it = run(*moved, "mpjpe", "kid")
    without = evaluate_sets(
        named(moved[0]), named(moved[1]), Plan(("mpjpe", "kid")), RandomFilters(), MarkFinder()
    )
    assert [e for e in with_it.estimates if not e.name.startswith("Δ")] == list(without.estimates)


def test_a_treatment_against_itself_is_no_difference(moved):
    real, fake, _ = moved
    result = [e for e in run(real, fake, fake, "kid", "mpjpe", "det").estimates if e.name.startswith("Δ")]
    assert len(result) == 5 and all(e.value == e.low == e.high == 0 for e in result)
    assert {e.p for e in result} == {None, 1.0}


def test_the_kernel_difference_sees_the_noisier_treatment(tmp_path):
    real = write(tmp_path / "real", blots(30))
    mild, strong = (write(tmp_path / f"n{n}", blots(30, seed=1, noise=n)) for n in (5, 60))
    delta = run(real, mild, strong, "kid")["Δ kid[rand-v1]"]
    assert delta.high < 0 and delta.n == 30
    assert run(real, strong, mild, "kid")["Δ kid[rand-v1]"].value == pytest.approx(-delta.value)


def test_pictures_are_paired_by_name_and_not_by_place(tmp_path):
    real, fake = write(tmp_path / "real", blots(30)), write(tmp_path / "fake", blots(30, seed=1))
    other = write(tmp_path / "other", blots(30, seed=1))
    (fake / "0000.png").unlink()
    (other / "0029.png").unlink()
    delta = run(real, fake, other, "kid")["Δ kid[rand-v1]"]
    assert delta.n == 28 and delta.value == delta.low == delta.high == 0


def test_captions_are_compared_where_both_have_them(tmp_path):
    class Reader(RandomFilters):
        def texts(self, texts):
            return np.ones((len(texts), 144), np.float32)

    real, fake = write(tmp_path / "real", blots(12)), write(tmp_path / "fake", blots(12))
    other = write(tmp_path / "other", blots(12, noise=80))
    for i in range(12):
        (fake / f"{i:04d}.txt").write_text("a hand")
    for i in range(7):
        (other / f"{i:04d}.txt").write_text("a hand")
    result = run(real, fake, other, "clipsim", extractor=Reader())
    assert result["clipsim"].n == 12 and result["Δ clipsim[rand-v1]"].n == 7
    assert result["Δ clipsim[rand-v1]"].value != 0


def test_no_name_in_common_is_a_failure_beside_the_figures(moved, tmp_path):
    real, fake, _ = moved
    other = write(tmp_path / "x", blots(12))
    for path in list(other.iterdir()):
        path.rename(other / f"x{path.name}")
    result = run(real, fake, other, "kid")
    assert [f.metric for f in result.failed] == ["Δ kid"] and result["kid"].n == 14
    assert "none is in both FAKE and VERSUS" in result.failed[0].reason
