"""Holds: what is wrong shows and is labelled, sound holds touch, floating things do not."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from handwright.data.hands import broken_holds, render_holds
from handwright.data.hands.body import THING_LABEL
from handwright.data.hands.broken_holds import HOLDS, draw_hold
from handwright.data.hands.record import record_of
from handwright.data.hands.thing_flaws import GROWN_LABEL
from handwright.hand.defects import BROKEN_HOLDS, Hold

SIZE = 96
BROKEN = [(state, generator) for state in BROKEN_HOLDS for generator in range(3)]


def picture(state: Hold, generator: int = 0, seed: int = 3):
    return draw_hold(np.random.default_rng([seed, generator]), state, generator, SIZE)


def touches(parts: np.ndarray) -> bool:
    """Whether a pixel of the thing lies beside one of the hand."""
    thing = (parts >= THING_LABEL).astype(np.uint8)
    return bool((cv2.dilate(thing, np.ones((3, 3), np.uint8))[broken_holds.of_hand(parts)] > 0).any())


@pytest.mark.parametrize(("state", "generator"), [(Hold.NONE, 0), (Hold.SOUND, 0), *BROKEN])
def test_a_hold_is_labelled_and_its_thing_is_where_the_record_says(state: Hold, generator: int):
    made = picture(state, generator)
    record = record_of(made, 0, 0, "holds")
    hold = record["hold"]
    assert (hold["state"], hold["generator"]) == (state, generator)
    thing = made.parts >= THING_LABEL
    if state == Hold.NONE:
        assert not thing.any()
        assert hold["bbox_xyxy_px"] is None and record["thing"] is None
        return
    x0, y0, x1, y1 = (int(v) for v in hold["bbox_xyxy_px"])
    assert thing[y0 : y1 + 1, x0 : x1 + 1].sum() == thing.sum() > 0.05 * made.mask.sum()
    assert made.setup.thing is not None
    assert (made.setup.thing.words in record["caption"]) == (state != Hold.FLOATING)


@pytest.mark.parametrize("state", BROKEN_HOLDS)
def test_a_broken_hold_is_the_same_for_the_same_seed_and_differs_from_the_others(state: Hold):
    first, again, other = (picture(state, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.pixels, again.pixels) and first.encoded == again.encoded
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("generator", [0, 1])
def test_between_a_hand_and_a_thing_that_floats_beside_it_there_is_a_gap(generator: int):
    made = draw_hold(np.random.default_rng([3, generator]), Hold.FLOATING, generator, 2 * SIZE)
    assert not touches(made.parts)


@pytest.mark.parametrize("seed", range(2))
def test_a_sound_hold_touches_and_runs_into_nothing(seed: int):
    parts = picture(Hold.SOUND, seed=seed).parts
    assert touches(parts)
    assert not (parts == GROWN_LABEL).any()


@pytest.mark.parametrize("generator", range(3))
def test_where_a_thing_has_grown_into_the_hand_is_marked(generator: int):
    made = picture(Hold.GROWN, generator)
    assert (made.parts == GROWN_LABEL).sum() > 0.03 * made.mask.sum()


def test_a_world_holds_every_state_in_its_share(monkeypatch: pytest.MonkeyPatch):
    drawn: list[tuple[Hold, int]] = []
    monkeypatch.setattr(broken_holds, "draw_hold", lambda rng, state, which, *_: drawn.append((state, which)))
    for index in range(2000):
        render_holds(1, index)
    states = Counter(state for state, _ in drawn)
    shares = (0.15, 0.4, 0.15, 0.15, 0.15)
    assert [states[hold] / 2000 for hold in HOLDS] == pytest.approx(shares, abs=0.03)
    assert {generator for _, generator in drawn} == {0, 1, 2}


def test_a_picture_whose_thing_is_out_of_sight_is_drawn_anew(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    monkeypatch.setattr(broken_holds, "_is_seen", lambda *_: asked.append(1) or len(asked) == 3)
    picture(Hold.SOUND)
    assert len(asked) == 3
