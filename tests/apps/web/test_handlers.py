"""What happens when the page is used, with jobs that are answered at once."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import numpy as np
import pytest

from handwright.apps.web import handlers, state, view, work
from handwright.apps.web.sessions import CancelledError
from handwright.errors import HandwrightError
from handwright.hand.files.hands_file import hands_text, hands_to_json
from tests.apps.web.conftest import SIZE, points_of


class Answers:
    """Sessions whose jobs are finished already; what they were asked is kept."""

    def __init__(self, result=None, error=None, upload=("pose.json", b"")):
        self.result, self.error, self.upload, self.asked = result, error, upload, []

    def run(self, owner, kind, picture, options, files):
        self.asked.append((owner, kind, picture, options, dict(files)))
        yield "starting (0 s)"
        yield "starting (0 s)"
        if self.error:
            raise self.error
        return SimpleNamespace(id="new", result=self.result)

    def picture_of(self, page):
        return b"the picture"

    def job(self, job_id):
        from pathlib import Path

        return SimpleNamespace(folder=Path("/jobs") / job_id)

    def taken(self, upload):
        return self.upload


def steps(handler, sessions, page, given):
    return list(handlers.reported(handler, sessions, page, "me", given))


def found(hands):
    document = hands_to_json([(k, one.observation, one.hand) for k, one in enumerate(hands, 1)], SIZE)
    return {
        "width": SIZE[0], "height": SIZE[1], "sha256": "1" * 64,
        "notes": [], "undetected": [], "generation": None,
        "hands": [{"record": r, "review": h.review} for r, h in zip(document["hands"], hands, strict=True)],
    }  # fmt: skip


def test_a_picture_is_loaded_and_what_fails_is_ticked(hands):
    sessions = Answers(found(hands))
    busy, last = steps(handlers.open_picture, sessions, state.Page(), {"name": "a.png", "data": b"bytes"})
    assert (busy.busy, busy.page) == (True, None)
    assert sessions.asked == [("me", "look", b"bytes", {}, {})]
    assert last.line == "2 hands found: 1 to repair."
    assert [hand.wanted for hand in last.page.edits.hands] == [True, False]
    assert not state.edited(last.page)


def test_an_error_of_a_job_is_one_line_and_the_page_stays(page):
    sessions = Answers(error=HandwrightError("cannot read it", "it is cut off", "send another"))
    *_, last = steps(handlers.open_picture, sessions, page, {"name": "a.png", "data": b""})
    assert (last.line, last.bad) == ("Cannot read it: it is cut off; send another.", True)
    assert last.page is page


def test_cancelling_and_bugs_are_lines_too(page):
    *_, cancelled = steps(handlers.mend, Answers(error=CancelledError("cancelled")), page, {})
    assert (cancelled.line, cancelled.bad) == ("Cancelled.", False)
    *_, bug = steps(handlers.mend, Answers(error=ZeroDivisionError("x")), page, {})
    assert bug.bad and bug.line.startswith("Internal error: ZeroDivisionError: x.")


def test_a_repair_brings_edits_along_under_names_of_our_own(page, mended):
    result = {"pictures": [mended.mended.report], "summary": {"hands": 2, "hands_refined": 1, "hands_kept": 0,
              "hands_skipped": 1, "hands_left_fail": 0, "hands_left_unsure": 0}}  # fmt: skip
    sessions = Answers(result)
    edited = state.with_mask(state.with_wanted(page, 2, True), b"mask")
    *_, last = steps(handlers.mend, sessions, edited, {"seed": 3})
    assert sessions.asked == [
        ("me", "mend", b"the picture", {"seed": 3, "hand": (1, 2)}, {work.MASK_IN: b"mask"})
    ]
    assert last.page.mended.job_id == "new"
    assert "1 refined" in last.line


def test_an_option_that_makes_no_sense_is_refused_before_any_work(page):
    sessions = Answers()
    (last,) = steps(handlers.mend, sessions, page, {"seed": -1})
    assert last.bad and "seed" in last.line
    assert sessions.asked == []


def test_another_candidate_is_taken_from_the_repairs_own_report(mended):
    sessions = Answers({})
    *_, last = steps(handlers.choose, sessions, mended, {"hand": 1, "pick": 0})
    assert sessions.asked[0][3] == {"report": "/jobs/mend/report", "picks": {1: 0, 2: 0}}
    assert last.line == "Hand 1 is as it was."
    assert last.page.edits.shown == "new"
    (same,) = steps(handlers.choose, sessions, mended, {"hand": 1, "pick": 2})
    assert same.page is mended and len(sessions.asked) == 1


def test_a_box_without_a_recognised_hand_gets_a_plain_one(page):
    sessions = Answers(found(()))
    *_, last = steps(handlers.edit, sessions, page, {"op": "box", "box": [600, 300, 500, 100]})
    assert sessions.asked[0][3] == {"box": ((500.0, 100.0, 600.0, 300.0),)}
    assert "drag its joints" in last.line
    new = last.page.edits.hands[2]
    assert (points_of(new).min(0) >= (500, 100)).all() and new.wanted


def test_a_box_with_a_hand_adds_it(page, hands):
    *_, last = steps(handlers.edit, Answers(found(hands[:1])), page, {"op": "box", "box": [0, 0, 300, 300]})
    assert len(last.page.edits.hands) == 3
    assert state.edited(last.page)


@pytest.mark.parametrize(
    ("op", "check"),
    [
        (
            {"op": "joint", "hand": 1, "joint": 4, "x": 60.0, "y": 70},
            lambda h: points_of(h[0])[4].tolist() == [60.0, 70.0],
        ),
        ({"op": "move", "hand": 2, "dx": 5.0, "dy": 0}, lambda h: h[1].edited),
        ({"op": "flip", "hand": 1}, lambda h: h[0].observation.side == "left"),
        ({"op": "want", "hand": 2, "on": True}, lambda h: h[1].wanted),
        ({"op": "remove", "hand": 1}, lambda h: len(h) == 1),
    ],
)  # fmt: skip
def test_every_edit_of_a_hand_can_be_undone(page, op, check):
    (done,) = steps(handlers.edit, Answers(), page, op)
    assert check(done.page.edits.hands)
    (back,) = steps(handlers.edit, Answers(), done.page, {"op": "undo"})
    assert back.page.edits is page.edits


def test_a_mask_comes_as_a_data_address_and_goes(page):
    png = "data:image/png;base64," + base64.b64encode(b"png").decode()
    (done,) = steps(handlers.edit, Answers(), page, {"op": "mask", "png": png})
    assert done.page.edits.mask_png == b"png"
    assert view.editor_json(done.page, lambda job, name: f"{job}/{name}")["mask"] == png
    (gone,) = steps(handlers.edit, Answers(), done.page, {"op": "unmask"})
    assert gone.page.edits.mask_png is None


def test_a_pose_comes_from_a_hands_file_or_a_photograph(page, hands):
    text = hands_text(hands_to_json([(1, hands[1].observation, hands[1].hand)], SIZE)).encode()
    (done,) = steps(handlers.edit, Answers(upload=("b.json", text)), page, {"op": "pose", "hand": 1})
    assert (done.page.edits.hands[0].hand.pose == hands[1].hand.pose).all()
    pose = np.full((15, 3), 0.1).tolist()
    photo = Answers({"pose": pose, "palm_arch": [0.0, 0.0]}, upload=("me.jpg", b"jpeg"))
    *_, done = steps(handlers.edit, photo, page, {"op": "pose", "hand": 2})
    assert photo.asked[0][1:3] == ("pose", b"jpeg")
    assert done.page.edits.hands[1].hand.pose.tolist() == pose


@pytest.mark.parametrize(
    "sent",
    [
        {}, {"op": "explode"}, {"op": "joint", "hand": 1},
        {"op": "joint", "hand": "1", "joint": 1, "x": 1, "y": 1},
        {"op": "flip", "hand": True}, {"op": "mask", "png": "http://elsewhere/x.png"},
        {"op": "mask", "png": "data:image/png;base64,*"}, {"op": "box", "box": "everything"},
        {"op": "pose", "hand": 9},
        {"op": "move", "hand": 1, "dx": None, "dy": 0},
    ],
)  # fmt: skip
def test_what_no_script_of_ours_sends_is_refused_in_one_line(page, sent):
    *_, last = steps(handlers.edit, Answers(), page, sent)
    assert last.bad and "\n" not in last.line and "Internal" not in last.line
    assert last.page is page


def test_a_dragged_joint_needs_nothing_but_what_is_sent(hands):
    record = view.posed_json(hands[0], SIZE)["record"]
    sent = {
        "record": record,
        "moved": [3, "x", 99],
        "joint": 8,
        "x": 50,
        "y": 60.5,
        "width": 640,
        "height": 480,
    }
    hand, size = handlers.dragged(sent)
    assert size == SIZE
    assert points_of(hand)[8].tolist() == [50.0, 60.5]
    assert hand.moved == {3, 8}
    for broken in ({**sent, "record": {}}, {**sent, "joint": 30}, {**sent, "x": "1"}, {}):
        with pytest.raises(HandwrightError):
            handlers.dragged(broken)


def test_the_form_leaves_out_what_a_painter_does_not_read():
    values = {"painter": "draw", "seed": 3.0, "candidates": 2, "prompt": "a", "negative_prompt": ""}
    assert handlers.form_options(values) == {"painter": "draw", "seed": 3, "candidates": 2}
    assert handlers.form_options({**values, "painter": "diffuse"})["prompt"] == "a"


def test_the_result_shows_candidates_reasons_and_files(mended):
    shown = view.result_json(mended, lambda job, name: f"{job}/{name}")
    assert shown["after"] == "mend/after.jpg"
    assert next(one["name"] for one in shown["downloads"]) == "my <b>cat</b>-mended.png"
    first, second = shown["hands"]
    assert [choice["label"] for choice in first["choices"]] == [
        "as it was",
        "candidate 1 (not accepted)",
        "candidate 2",
    ]
    assert (first["pick"], first["verdict"], second["choices"]) == (2, "pass", [])
    other = state.shown_by(state.with_pick(mended, 1, 0), "other")
    assert view.result_json(other, lambda job, name: f"{job}/{name}")["after"] == "other/after.jpg"
