"""Where a critic sees a hand's flesh: in cells of a crop that may be turned, back in the picture."""

from __future__ import annotations

import numpy as np

from handwright.review.critic.output_maps import LIKELY, PartMaps
from handwright.review.critic.upright_crops import OrientedSquare, crop_transform

PARTS = ("other", "palm", "thumb", "arm", "too much")
CELLS, SIZE = 16, 64


def flesh(to_crop, **places):
    """Every cell is other but for the places (rows, columns) of the parts."""
    logits = np.zeros((len(PARTS), CELLS, CELLS))
    logits[0] = 6.0
    for name, place in places.items():
        logits[:, *place] = -6.0
        logits[PARTS.index(name.replace("_", " ")), *place] = 6.0
    return PartMaps.of(logits, PARTS, to_crop, SIZE)


def test_the_hand_is_all_its_parts_and_too_much_of_it_but_not_the_arm():
    same = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    seen = flesh(
        same, palm=np.s_[4:8, 4:8], arm=np.s_[8:12, 4:8], thumb=np.s_[4:6, 2:4], too_much=np.s_[0:2, 12:14]
    )
    hand, surplus = (share > LIKELY for share in seen.in_window((0, 0, SIZE, SIZE)))
    assert hand[18:30, 18:30].all()
    assert hand[18:22, 10:14].all()
    assert not hand[36:46, 18:30].any()
    assert hand[0:6, 50:54].all()
    assert surplus[0:6, 50:54].all()
    assert surplus.sum() <= 8 * 8 + 4
    assert not hand[50:].any()


def test_a_window_shows_its_part_of_the_picture_and_beyond_the_crop_nothing_is_known():
    same = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    seen = flesh(same, palm=np.s_[4:8, 4:8])
    whole, _ = seen.in_window((0, 0, 100, 80))
    part, _ = seen.in_window((10, 12, 90, 60))
    assert np.array_equal(part, whole[12:60, 10:90])
    assert whole.max() > 0.9
    assert whole[:, 64:].max() < LIKELY
    assert not whole[:, 68:].any()


def test_a_turned_and_enlarged_crop_is_laid_back():
    region = OrientedSquare((200.0, 150.0), 80.0, 0.6)
    seen = flesh(crop_transform(region, SIZE, 1.5), palm=np.s_[6:10, 6:10])
    hand, _ = seen.in_window((0, 0, 400, 300))
    hand = hand > LIKELY
    rows, columns = np.nonzero(hand)
    assert abs(rows.mean() + 0.5 - 150) < 1
    assert abs(columns.mean() + 0.5 - 200) < 1
    assert 0.85 < hand.sum() / (4 * 120 / CELLS) ** 2 < 1.15


def test_what_is_too_much_is_told_as_a_share_of_the_hands_flesh():
    same = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    seen = flesh(same, palm=np.s_[4:8, 4:8], too_much=np.s_[0:2, 12:14], arm=np.s_[9:16, 4:8])
    assert seen.surplus_share == 4 / 20
    assert flesh(same, palm=np.s_[4:8, 4:8]).surplus_share == 0
    assert flesh(same).surplus_share == 0
