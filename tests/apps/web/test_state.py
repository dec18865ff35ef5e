"""The page as a value: edits, undoing them, and what a repair is asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from handwright.apps.web import state
from handwright.apps.web.posing import flipped, plain_hand, with_joint_at
from handwright.errors import UsageError
from handwright.hand.files.hands_file import parse_hands
from tests.apps.web.conftest import SIZE, review


def test_an_edit_can_be_taken_back_and_nothing_else_changes(page):
    once = state.with_hand(page, 2, lambda hand: flipped(hand, page.size))
    assert once.edits.hands[1].observation.side == "right"
    assert once.edits.hands[0] is page.edits.hands[0]
    assert state.undone(once).edits is page.edits
    assert state.undone(page) is page


def test_every_edit_is_one_step_of_undo_in_the_order_they_came(page):
    edits = [
        lambda now: state.with_wanted(now, 2, True),
        lambda now: state.with_mask(now, b"png"),
        lambda now: state.without_hand(now, 1),
        lambda now: state.with_more(now, (plain_hand((0, 0, 90, 90), "left", SIZE),)),
    ]
    pages = [page]
    for edit in edits:
        pages.append(edit(pages[-1]))
    assert [len(now.history) for now in pages] == [0, 1, 2, 3, 4]
    back = pages[-1]
    for before in reversed(pages[:-1]):
        back = state.undone(back)
        assert back.edits is before.edits


def test_only_so_many_edits_are_remembered(page):
    for k in range(state.MOST_UNDO + 5):
        page = state.with_wanted(page, 2, k % 2 == 0)
    assert len(page.history) == state.MOST_UNDO


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_hand_that_there_is_not_is_refused_in_one_line(page, number):
    with pytest.raises(UsageError, match="there are 2"):
        state.with_wanted(page, number, True)
    with pytest.raises(UsageError, match="there are 2"):
        state.without_hand(page, number)


def test_there_cannot_be_more_hands_than_the_page_edits(page, hands):
    with pytest.raises(UsageError, match="more than 32 hands"):
        state.with_more(page, hands * 16)


def test_an_untouched_page_asks_for_what_the_command_line_does_by_default(page):
    assert state.mend_request(page, {"painter": "draw", "seed": 0, "candidates": 1}) == ({}, {})


def test_another_choice_of_hands_is_named_and_needs_no_file(page):
    options, files = state.mend_request(state.with_wanted(page, 2, True), {"seed": 7})
    assert (options, files) == ({"seed": 7, "hand": (1, 2)}, {})


def test_edited_hands_are_brought_along_as_a_hands_file_that_reads_back(page):
    moved = state.with_hand(page, 1, lambda hand: with_joint_at(hand, 8, 100.0, 80.0, page.size))
    options, files = state.mend_request(moved, {})
    assert options == {"hand": (1,)}
    document = json.loads(files["hands"])
    assert document["picture"] == {"width": 640, "height": 480, "sha256": "0" * 64}
    back = parse_hands(files["hands"].decode(), width=640, height=480)
    assert [observation.side for observation, _ in back] == ["right", "left"]
    assert back[0][0].landmarks_px[8].tolist() == [100.0, 80.0]


def test_a_hand_that_was_swapped_for_another_counts_as_edited(page):
    other = replace(plain_hand((0, 0, 90, 90), "left", SIZE), edited=False, review=review("fail"))
    swapped = state.with_more(state.without_hand(page, 2), (other,))
    assert not state.edited(page)
    assert state.edited(swapped)
    assert state.edited(state.without_hand(page, 2))


def test_a_brushed_mask_names_the_hands(page):
    options, files = state.mend_request(state.with_mask(page, b"png"), {})
    assert (options, files) == ({"hand": (1,)}, {"mask": b"png"})


def test_words_are_left_to_painters_that_read_them(page):
    words = {"prompt": "a cat", "negative_prompt": ""}
    assert state.mend_request(page, words)[0] == {}
    assert state.mend_request(page, {**words, "painter": "diffuse"})[0] == {
        "prompt": "a cat",
        "painter": "diffuse",
    }


def test_nothing_is_repaired_without_a_picture_or_a_hand(page):
    with pytest.raises(UsageError, match="there is no picture"):
        state.mend_request(state.Page(), {})
    with pytest.raises(UsageError, match="tick the hands"):
        state.mend_request(state.with_wanted(page, 1, False), {})


def test_a_choice_of_candidates_can_be_taken_back(mended):
    assert state.picks_now(mended) == {1: 2, 2: 0}
    put_back = state.shown_by(state.with_pick(mended, 1, 0), "other")
    assert (state.picks_now(put_back), put_back.edits.shown) == ({1: 0, 2: 0}, "other")
    again = state.undone(put_back)
    assert (state.picks_now(again), again.edits.shown) == ({1: 2, 2: 0}, "")


def test_the_candidate_that_is_shown_already_is_no_edit(mended):
    assert state.with_pick(mended, 1, 2) is mended


@pytest.mark.parametrize(("hand", "pick"), [(1, 3), (1, -1), (2, 1), (9, 0)])
def test_a_candidate_that_there_is_not_is_refused(mended, hand, pick):
    with pytest.raises(UsageError, match="has no candidate"):
        state.with_pick(mended, hand, pick)


def test_a_new_repair_forgets_choices_of_the_last_one_and_keeps_other_edits(page, mended):
    history = state.with_pick(state.with_pick(state.with_mask(mended, b"a"), 1, 0), 1, 1)
    assert len(history.history) == 3
    after = state.with_result(history, mended.mended)
    assert after.edits.picks == {} and after.edits.mask_png == b"a"
    assert [edits.mask_png for edits in after.history] == [None]


@pytest.mark.parametrize(
    ("sent", "box"),
    [
        ([10, 20, 30, 40], (10.0, 20.0, 30.0, 40.0)),
        ([30, 40, 10, 20], (10.0, 20.0, 30.0, 40.0)),
        ([-5, -5, 9999, 50], (0.0, 0.0, 640.0, 50.0)),
    ],
)
def test_a_drawn_box_is_ordered_and_cut_to_the_picture(sent, box):
    assert state.box_of(sent, SIZE) == box


@pytest.mark.parametrize(
    "sent", [None, [1, 2, 3], ["a", 0, 1, 1], [700, 0, 800, 10], [float("nan"), 0, 1, 1]]
)
def test_what_is_no_box_is_refused(sent):
    with pytest.raises(UsageError):
        state.box_of(sent, SIZE)


@pytest.mark.parametrize(
    ("written", "seed"), [(None, 0), ({"seed": 7}, 7), ({"seed": None}, 0), ({"seed": 2**40}, 0)]
)
def test_a_seed_is_taken_from_the_file_where_it_is_one(written, seed):
    assert state.seed_of(written) == seed
