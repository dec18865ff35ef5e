"""Sound hands gone wrong without a name: seen, in their place, and taught as nothing but malformed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handwright.training.recipes.judging.critic import CriticRecipe, fresh_critic
from handwright.training.streams import unnamed_defects as unforeseen
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.part_maps import UNKNOWN
from handwright.training.streams.unnamed_defects import gone_wrong, processed
from tests.training.drawn_hands import settings
from tests.training.drawn_views import views

HANDS = views()
SOUND = np.nonzero(~HANDS.defects.any(1) & HANDS.hand)[0]


def altered(seed):
    one, other = SOUND[seed % len(SOUND)], SOUND[(seed + 1) % len(SOUND)]
    made = gone_wrong(
        np.random.default_rng(seed), HANDS.pixels[one], HANDS.landmarks_px[one], HANDS.pixels[other]
    )
    return HANDS.pixels[one], HANDS.landmarks_px[one], made


def test_what_went_wrong_shows_where_it_is_said_to_be_and_on_the_hand():
    made = [altered(seed) for seed in range(20)]
    assert sum(one is not None for _, _, one in made) >= 15
    for before, points, one in made:
        if one is None:
            continue
        after, where = one
        assert where.any()
        far = np.abs(after.astype(int) - before).max(2)
        assert far[where].mean() > 4 * far[~where].mean()
        rows, columns = np.nonzero(where)
        nearest = np.hypot(rows[:, None] - points[:, 1], columns[:, None] - points[:, 0]).min(1)
        assert np.median(nearest) < 0.3 * np.ptp(points, axis=0).max()


@pytest.mark.parametrize("way", unforeseen.WAYS, ids=lambda way: way.__name__)
def test_every_way_works_and_leaves_its_input_alone(way, monkeypatch):
    monkeypatch.setattr(unforeseen, "WAYS", (way,))
    kept = HANDS.pixels.copy()
    assert any(altered(seed)[2] is not None for seed in range(6))
    assert np.array_equal(HANDS.pixels, kept)


def test_the_same_work_beside_the_hand_leaves_the_hand_as_it_is():
    one = SOUND[0]
    points = HANDS.landmarks_px[one]
    changed = []
    for seed in range(8):
        out = processed(np.random.default_rng(seed), HANDS.pixels[one], points, HANDS.pixels[SOUND[1]])
        far = np.abs(out.astype(int) - HANDS.pixels[one]).max(2)
        x, y = np.clip(points.round().astype(int), 0, out.shape[0] - 1).T
        assert far[y, x].max() <= 2
        changed.append(far.max())
    assert max(changed) > 20


def drawn(share, count=40, seed=0):
    return ViewStream(HANDS, 64, 0.0, share).draw(np.random.default_rng(seed), count)


def test_a_share_of_the_malformed_ones_has_no_name_and_tells_nothing_else():
    batch = drawn(1.0)
    nameless = batch["unforeseen"] > 0
    assert nameless.sum() > 8
    assert not batch["defects"][nameless].any()
    assert batch["wrong"][nameless].any((1, 2)).mean() > 0.9
    assert not batch["trust"][nameless].any()
    assert (batch["parts"][nameless] == UNKNOWN).all()
    assert (batch["pose"][nameless] == -1).all()
    assert not drawn(0.0)["unforeseen"].any()


def test_a_nameless_defect_counts_as_malformed_and_not_as_any_defect():
    torch.manual_seed(0)
    network = fresh_critic(64)
    recipe = CriticRecipe(network, ViewStream(HANDS, 64, 0.0, 1.0))
    batch = recipe.batch(0, 0, settings(train_batch_size=8))
    clear = batch["judged"] * batch["assessable"]
    nameless = int(torch.nonzero((batch["unforeseen"] * clear) > 0)[0])
    recipe.trained.eval()
    with torch.no_grad():
        first = recipe.trained(batch)
        batch["fingers"][nameless] = 7
        assert torch.equal(recipe.trained(batch), first)
        batch["unforeseen"][nameless] = 0
        assert not torch.equal(recipe.trained(batch), first)
