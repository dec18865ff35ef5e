"""The strategies on a painter of scripted errors: no picture, no network."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from handwright.handrefiner.strength import (
    NEAR,
    STRENGTHS,
    adaptive,
    auto,
    choose_strength,
    resolved,
    schedule,
)
from handwright.options import STRATEGIES


@dataclass(frozen=True)
class Shown:
    strength: float | None
    error: float


class Script:
    """Errors by strength; remembers what was asked for."""

    def __init__(self, errors: dict[float, float], others: float = 1.0):
        self.errors, self.others, self.tried = errors, others, []

    def __call__(self, strength):
        self.tried.append(strength)
        return Shown(strength, self.errors.get(strength, self.others))


def test_the_reference_is_painted_first_and_the_first_exact_enough_wins():
    script = Script({1.0: 0.04, 0.4: 0.2, 0.5: 0.045, 0.6: 0.01})
    decision = adaptive(script)
    assert script.tried == [1.0, 0.4, 0.5]
    assert decision.picked == Shown(0.5, 0.045)
    assert [(one.strength, one.joint_error) for one in decision.choice.tried] == [
        (1.0, 0.04),
        (0.4, 0.2),
        (0.5, 0.045),
    ]
    assert (decision.choice.strategy, decision.choice.won) == ("adaptive", 2)


def test_1_15_times_the_reference_is_not_below_it():
    script = Script({1.0: 0.1, 0.4: 0.1 * 1.15, 0.5: 0.1149})
    assert adaptive(script).picked.strength == 0.5


def test_where_no_weaker_one_is_exact_enough_the_picture_at_1_is_taken_and_said_to_be():
    script = Script({1.0: 0.02}, others=0.5)
    decision = adaptive(script)
    assert script.tried == [1.0, *STRENGTHS] == [1.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert decision.picked == Shown(1.0, 0.02)
    chosen = decision.choice.tried[decision.choice.won]
    assert (chosen.strength, chosen.joint_error) == (1.0, 0.02)
    assert "2.3 %" in decision.choice.why


def test_a_miss_never_wins_not_even_over_another_miss():
    assert adaptive(Script({}, others=1.0)).picked.strength == 1.0
    assert adaptive(Script({0.7: 0.3}, others=1.0)).picked == Shown(0.7, 0.3)
    assert adaptive(Script({1.0: 0.95}, others=1.0)).picked.strength == 1.0


@pytest.mark.parametrize(("steps", "strong"), [(10, 5), (4, 2), (5, 3), (1, 1)])
def test_the_schedule_is_strong_on_the_noisier_half_and_weak_after_it(steps, strong):
    told = schedule(steps, 0.6)
    assert told == (1.0,) * strong + (0.6,) * (steps - strong)


def test_a_schedule_never_rises_towards_the_clean_end():
    assert schedule(6, 1.4) == (1.4,) * 6


def test_words_become_numbers():
    assert resolved("fixed", 0.7, 10) == 0.7
    assert resolved("auto", 0.7, 10) == schedule(10, 0.7)
    assert resolved(0.3, 0.7, 10) == 0.3
    assert resolved((1.0, 0.2), 0.7, 2) == (1.0, 0.2)


@pytest.mark.parametrize("strength", [0.55, "fixed", None])
def test_a_number_and_the_stored_one_paint_once(strength):
    script = Script({}, others=0.05)
    decision = choose_strength(strength, script)
    assert script.tried == [strength]
    assert len(decision.choice.tried) == 1
    assert decision.choice.strategy == (strength if isinstance(strength, str) else "given")


def test_auto_paints_once_where_that_is_near():
    script = Script({"auto": NEAR - 0.001})
    decision = auto(script)
    assert script.tried == ["auto"]
    assert (decision.picked.error, decision.choice.won) == (NEAR - 0.001, 0)


@pytest.mark.parametrize(("first", "second", "won"), [(1.0, 0.3, 1), (0.4, 1.0, 0), (1.0, 1.0, 0)])
def test_auto_paints_once_more_at_1_where_it_is_off_and_takes_the_nearer(first, second, won):
    script = Script({"auto": first, 1.0: second})
    decision = auto(script)
    assert script.tried == ["auto", 1.0]
    assert decision.picked.error == (first, second)[won]
    assert decision.choice.won == won
    assert [one.joint_error for one in decision.choice.tried] == [first, second]


def test_searches_are_found_by_their_names():
    assert set(STRATEGIES) == {"auto", "fixed", "adaptive"}
    assert choose_strength("auto", Script({"auto": 0.01})).choice.strategy == "auto"
    script = Script({1.0: 0.1, 0.4: 0.1})
    assert choose_strength("adaptive", script).picked.strength == 0.4
    assert script.tried == [1.0, 0.4]
