"""Reviews of many pictures on the page."""

from __future__ import annotations

import base64
import json
import re
from types import SimpleNamespace

import pytest

from handwright.apps.web import folder
from handwright.apps.web.sessions import CancelledError
from handwright.errors import UsageError
from tests.apps.web.conftest import review


class Reviews:
    """Reviews by the name of the upload; of what is said to be generated or not."""

    def __init__(self, generated=False):
        self.generated = generated

    def taken(self, upload):
        if upload["name"] == "gone":
            raise UsageError("there is no such upload")
        return upload["name"], upload["name"].encode()

    def run(self, owner, kind, picture, options):
        assert (owner, kind, options) == ("me", "review", {"generated": self.generated})
        yield "reviewing"
        if picture == b"stop":
            raise CancelledError("cancelled")
        verdict = picture.decode().partition(".")[0]
        entry = {
            "path": "input.png",
            "verdict": verdict,
            "notes": [],
            "hands": [{"id": 1, **review(verdict)}],
        }
        return SimpleNamespace(result={"pictures": [entry]})


def steps(*names, **more):
    uploads = [{"name": name, "path": name} for name in names]
    return list(folder.review_uploads(Reviews(), "me", {"uploads": uploads, **more}))


def test_the_worst_come_first_and_one_that_is_gone_stops_nothing():
    *busy, last = steps("pass.png", "gone", "fail.png")
    assert [step.line for step in busy] == [
        f"Reviewing {k} of 3: {n}" for k, n in enumerate(("pass.png", "gone", "fail.png"), 1)
    ]
    assert all(step.busy for step in busy) and not last.busy
    assert last.line == "3 reviewed."
    names = re.findall("<b>([^<]*)</b>", folder.rows_html(last.review))
    assert names == ["gone", "fail.png", "pass.png"]


def test_what_is_said_to_be_generated_is_reviewed_so():
    given = {"uploads": [{"name": "pass.png"}]}
    last = list(folder.review_uploads(Reviews(generated=True), "me", given, generated=True))[-1]
    assert last.review["generated"] is True and last.line == "1 reviewed."
    assert "generated" not in steps("pass.png")[-1].review


def test_cancelling_keeps_what_is_done():
    last = steps("fail.png", "stop", "pass.png")[-1]
    assert last.line == "Cancelled after 1 of 3."
    assert [picture["path"] for picture in last.review["pictures"]] == ["fail.png"]


def test_no_more_than_the_most_and_it_is_admitted(monkeypatch):
    monkeypatch.setattr(folder, "MOST_PICTURES", 1)
    last = steps("fail.png", "pass.png", left_out=4)[-1]
    assert last.line == "1 reviewed. 4 more were left out: the most is 1."


@pytest.mark.parametrize("given", [{}, {"uploads": []}, {"uploads": [], "error": "too large"}])
def test_nothing_uploaded_is_one_line(given):
    (last,) = folder.review_uploads(Reviews(), "me", given)
    assert last.bad and last.line


def test_names_are_shown_and_never_run():
    last = steps("fail.<script>alert(1)</script>")[-1]
    page = folder.rows_html(last.review)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_the_link_holds_the_whole_review():
    last = steps("fail.png")[-1]
    data = re.search('base64,([^"]*)', folder.rows_html(last.review))[1]
    assert json.loads(base64.b64decode(data)) == last.review
