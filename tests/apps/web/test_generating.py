"""The generate tab without a browser: pose files that are refused, and the plan of a text."""

import pytest

from handwright.apps.web.generating import MOST_POSE_BYTES, plan_html, planned, read_pose_file
from handwright.errors import UsageError


@pytest.mark.parametrize(
    ("data", "words"),
    [(b" " * (MOST_POSE_BYTES + 1), "larger"), (b"{", "no JSON"), (b"[" * 200_000, "no JSON")],
)
def test_a_pose_file_that_is_none_is_refused_in_one_line(data, words):
    with pytest.raises(UsageError, match=words):
        read_pose_file(data)


def test_a_pose_file_of_the_largest_size_is_read():
    data = b'{"people": []}'
    assert read_pose_file(data + b" " * (MOST_POSE_BYTES - len(data))) == {"people": []}


def test_without_a_text_there_is_no_plan():
    with pytest.raises(UsageError, match="no text"):
        planned("  ")


def test_a_plan_names_the_hands_and_escapes_the_text():
    html = plan_html(planned("a man waving with his left hand at <b>us</b>"))
    assert "Left hand" in html
    assert "<b>us" not in html
