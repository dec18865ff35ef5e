from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.anatomy import BONES
from handwright.hand.depth import (
    depth_control,
    hand_coverage,
    hand_window,
    meeting_groups,
    part_ids,
    render_hand,
)
from handwright.types import Hand


def at(hand: Hand, x: float, z: float) -> Hand:
    return replace(hand, translation_m=np.array([x, 0.08, z]))


@pytest.mark.parametrize("seed", range(4))
def test_nearest_is_255_farthest_51_background_0(make_hand: Callable[..., Hand], seed: int) -> None:
    hand = make_hand(seed, "left" if seed % 2 else "right")
    control = depth_control([hand], 512, 512)
    depth = render_hand(hand, 512, 512).depth_m
    inside = np.isfinite(depth)
    np.testing.assert_array_equal(control.hand_id, np.where(inside, 0, -1))
    assert (control.depth[~inside] == 0).all()
    assert control.depth[inside].min() == 51 and control.depth[inside].max() == 255
    assert control.depth[inside][depth[inside].argmin()] == 255
    assert control.depth[inside][depth[inside].argmax()] == 51


def test_depth_follows_the_formula(rest_hand: Hand) -> None:
    control, depth = depth_control([rest_hand], 512, 512), render_hand(rest_hand, 512, 512).depth_m
    inside = np.isfinite(depth)
    d = depth[inside].astype(np.float64)
    expected = 255 * (1 - 0.8 * (d - d.min()) / (d.max() - d.min()))
    assert np.abs(control.depth[inside] - expected).max() <= 0.5 + 1e-3


def test_hands_apart_have_ranges_of_their_own(rest_hand: Hand) -> None:
    near, far = at(rest_hand, -0.12, 0.5), at(rest_hand, 0.2, 0.8)
    control = depth_control([near, far], 512, 512)
    for k in (0, 1):
        own = control.depth[control.hand_id == k]
        assert own.min() == 51 and own.max() == 255


def test_overlapping_hands_share_one_range_and_the_nearer_one_hides_the_other(rest_hand: Hand) -> None:
    front, back = at(rest_hand, 0.0, 0.5), at(rest_hand, 0.03, 0.8)
    for hands, front_id in (([front, back], 0), ([back, front], 1)):
        control = depth_control(hands, 512, 512)
        silhouette = np.isfinite(render_hand(front, 512, 512).depth_m)
        np.testing.assert_array_equal(control.hand_id == front_id, silhouette)
        ours, theirs = (
            control.depth[control.hand_id == front_id],
            control.depth[control.hand_id == 1 - front_id],
        )
        assert ours.max() == 255 and theirs.min() == 51
        assert ours.min() > theirs.max()


def test_interlocking_hands_occlude_each_other_pixel_by_pixel(rest_hand: Hand) -> None:
    one, other = (
        at(rest_hand, 0.0, 0.5),
        replace(at(rest_hand, 0.0, 0.5), wrist=np.array([np.pi - 0.3, 0, 0])),
    )
    control = depth_control([one, other], 512, 512)
    a, b = render_hand(one, 512, 512).depth_m, render_hand(other, 512, 512).depth_m
    both = np.isfinite(a) & np.isfinite(b)
    np.testing.assert_array_equal(control.hand_id[both], np.where(a[both] <= b[both], 0, 1))
    assert len(np.unique(control.hand_id[both])) == 2


def test_no_hands_make_an_empty_control() -> None:
    control = depth_control([], 20, 30)
    assert control.depth.shape == (20, 30) and not control.depth.any() and (control.hand_id == -1).all()


def test_a_hand_outside_the_picture_leaves_nothing(rest_hand: Hand) -> None:
    control = depth_control([at(rest_hand, 5.0, 0.5)], 64, 64)
    assert not control.depth.any()
    assert hand_window(at(rest_hand, 5.0, 0.5), 64, 64) is None


def test_a_window_shows_the_same_pixels(make_hand: Callable[..., Hand]) -> None:
    hand = make_hand(2)
    window = hand_window(hand, 512, 512)
    assert window is not None
    x0, y0, x1, y1 = window
    whole = render_hand(hand, 512, 512).depth_m
    np.testing.assert_array_equal(render_hand(hand, 512, 512, window=window).depth_m, whole[y0:y1, x0:x1])
    assert np.isfinite(whole).sum() == np.isfinite(whole[y0:y1, x0:x1]).sum()


@pytest.mark.parametrize("side", ["left", "right"])
def test_part_ids_cover_the_silhouette_and_name_bones(make_hand: Callable[..., Hand], side: str) -> None:
    hand = make_hand(1, side)
    ids = part_ids(hand, 512, 512)
    np.testing.assert_array_equal(ids >= 0, np.isfinite(render_hand(hand, 512, 512).depth_m))
    assert ids.max() < len(BONES)


def test_part_ids_of_a_mirrored_picture_are_mirrored(rest_hand: Hand) -> None:
    from handwright.hand.kinematics import mirror_hand_x

    ids, mirrored = part_ids(rest_hand, 512, 512), part_ids(mirror_hand_x(rest_hand, 512), 512, 512)
    assert (ids[:, ::-1] == mirrored).mean() > 0.999


def test_groups_join_through_others() -> None:
    row = np.zeros((4, 1, 12), bool)
    row[0, 0, 0:4], row[1, 0, 8:12], row[2, 0, 3:9] = True, True, True
    assert sorted(map(sorted, meeting_groups(list(row[:2])))) == [[0], [1]]
    assert meeting_groups(list(row[:3])) == [[0, 1, 2]]
    assert sorted(map(sorted, meeting_groups(list(row)))) == [[0, 1, 2], [3]]


def test_coverage_is_the_silhouette_without_the_stump_below_the_wrist(rest_hand: Hand) -> None:
    cover = hand_coverage([rest_hand], 512, 512)
    silhouette = np.isfinite(render_hand(rest_hand, 512, 512).depth_m)
    assert 0.9 < (cover > 0.5).sum() / silhouette.sum() < 1
    lacking = silhouette & (cover < 0.5)
    wrist_y = rest_hand.camera.project(rest_hand.translation_m[None])[0, 1]
    assert np.median(np.nonzero(lacking)[0]) > wrist_y - 2  # fingers point up
    assert ((cover > 0) & (cover < 1)).sum() > 100


def test_hands_that_meet_cover_as_one(rest_hand: Hand) -> None:
    one, other = at(rest_hand, 0.0, 0.5), at(rest_hand, 0.03, 0.8)
    both = hand_coverage([one, other], 512, 512)
    alone = [hand_coverage([hand], 512, 512) for hand in (one, other)]
    assert (both >= np.maximum(*alone)).all()
    assert (both <= np.minimum(np.add(*alone), 1)).all()
