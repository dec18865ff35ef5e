"""``handwright generate --plan``: a table for people, JSON for scripts, one line for mistakes."""

from __future__ import annotations

import json

from handwright.apps.cli.main import run


def test_the_plan_is_shown_with_prompts_to_copy(capsys):
    assert run(["generate", "--plan", "a woman waving with her left hand"]) == 0
    shown = capsys.readouterr().out
    assert "left hand" in shown
    assert "what it touches" in shown
    assert "a woman waving with her left hand, the left hand held open, palm facing the camera" in shown
    assert "negative:" in shown


def test_json_is_all_there_is_on_stdout(capsys):
    assert run(["generate", "two hands [holding] a mug", "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["hands_least"], plan["hands_most"]) == (2, 2)
    assert [hand["fixed"]["contact"] for hand in plan["hands"]] == ["holding a mug"] * 2
    assert set(plan["prompts"]) == {"terse", "natural", "technical"}
    assert {question["point"] for question in plan["hands"][0]["open"]} == {"side", "direction", "extension"}


def test_square_brackets_of_a_prompt_are_shown_as_they_are(capsys):
    assert run(["generate", "--plan", "a [red:0.5] fist"]) == 0
    assert "a [red:0.5] fist" in capsys.readouterr().out


def test_without_plan_or_words_it_says_in_one_line_what_to_do(capsys):
    for arguments in (["generate", "a fist"], ["generate", "--plan", " "]):
        assert run(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1
