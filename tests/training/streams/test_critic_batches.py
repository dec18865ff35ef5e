"""Samples of views: half of them malformed, what is known moves with the pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handwright.training.streams.critic_batches import CELL_PX, ViewStream, as_found
from handwright.training.streams.part_maps import PARTS, UNKNOWN
from tests.training.drawn_views import views


def drawn(count=24, seed=0, **changes):
    hands = replace(views(), **changes)
    return ViewStream(hands, 64, 0.0).draw(np.random.default_rng(seed), count)


def test_the_same_generator_draws_the_same_samples():
    first, second, other = drawn(), drawn(), drawn(seed=1)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["pictures"], other["pictures"])


def test_half_of_the_samples_are_malformed_however_rare_that_is():
    hands = views(9)
    few = hands.where(np.array([0, 2, 4, 6, 1]))
    batch = ViewStream(few, 64, 0.0).draw(np.random.default_rng(0), 10)
    assert batch["defects"].any(1).sum() == 5
    sound = ViewStream(hands.where(np.array([0, 2])), 64, 0.5).draw(np.random.default_rng(0), 4)
    assert not sound["defects"].any()


def test_tips_stay_on_the_fingers_parts_and_wrong_places_with_them():
    batch = drawn(40)
    hit = seen = 0
    for k in range(40):
        for tip in (8, 20):
            x, y = batch["landmarks"][k, tip] * 64 / CELL_PX
            if 1 <= x < 15 and 1 <= y < 15:
                seen += 1
                near = batch["parts"][k, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2]
                hit += PARTS.index("index" if tip == 8 else "pinky") in near
    assert seen > 50
    assert hit > 0.9 * seen
    malformed = batch["defects"].any(1)
    assert batch["wrong"][malformed].any((1, 2)).mean() > 0.9
    assert not batch["wrong"][~malformed].any()


def test_a_mirrored_hand_is_of_the_other_side():
    batch = drawn(60)
    thumb, pinky = batch["landmarks"][:, 4], batch["landmarks"][:, 20]
    up = batch["landmarks"][:, 0] - batch["landmarks"][:, 9]
    across = pinky - thumb
    turn = np.sign(up[:, 0] * across[:, 1] - up[:, 1] * across[:, 0])
    assert 10 < batch["right"].sum() < 50
    assert len({(float(side), float(sign)) for side, sign in zip(batch["right"], turn, strict=True)}) == 2


def test_what_nobody_knows_stays_unknown():
    hands = views(4)
    unknown = np.full_like(hands.parts, UNKNOWN)
    batch = drawn(6, parts=np.repeat(unknown, 2, 0), side=np.full(8, -1, np.int8))
    assert (batch["parts"] == UNKNOWN).all()
    assert (batch["right"] == -1).all()


def test_landmarks_outside_do_not_count_and_hidden_ones_count_less():
    hands = views(2, defective=False)
    hands.visible[:, 6] = False
    hands.landmarks_px[:, 5] = -300
    batch = ViewStream(hands, 64, 0.0).draw(np.random.default_rng(0), 4)
    assert not batch["trust"][:, 5].any()
    assert (batch["trust"][:, 6] < batch["trust"][:, 9]).all()
    assert not batch["visible"][:, [5, 6]].any()


def test_a_finders_crops_are_near_the_true_one_and_spoilt_when_asked():
    hands = views(6)
    clean, able = as_found(np.random.default_rng(0), hands, 64, spoilt=False)
    assert clean.shape == (6, 64, 64, 3)
    assert able.all()
    spoilt, seen = as_found(np.random.default_rng(0), views(60), 64, spoilt=True)
    assert 0 < (~seen).sum() < 30
    assert spoilt.dtype == np.uint8


def test_hands_of_generators_come_as_often_as_asked_in_turns_with_repainted_ones():
    hands = views(9)
    origin, malformed = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2]), np.array([0, 0, 0, 0, 1, 0, 1, 1, 1]) > 0
    hands = replace(
        hands,
        generated=origin.astype(np.int8),
        unforeseen=malformed,
        defects=np.zeros_like(hands.defects),
        fingers=np.arange(9, dtype=np.int8),
        hand=np.ones(9, np.bool_),
    )
    drawn = ViewStream(hands, 64, 0.0, generated_share=0.5).draw(np.random.default_rng(0), 400)
    kinds = origin[drawn["fingers"]]
    assert 0.4 < (kinds > 0).mean() < 0.6
    assert 0.35 < (kinds[kinds > 0] == 1).mean() < 0.65
    assert np.array_equal(drawn["unforeseen"] > 0, malformed[drawn["fingers"]])
