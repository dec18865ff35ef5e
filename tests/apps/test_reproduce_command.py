"""``handwright reproduce``: one line for what is wrong, and a study as it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from handwright import reproduce
from handwright.apps.cli.main import run
from handwright.reproduce import SCALES


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("handdiffuser",), "there is no paper 'handdiffuser'; choose one of: handrefiner"),
        (("handrefiner", "--scale", "huge"), "--scale is huge; choose one of: quick, paper"),
        (("handrefiner", "--scale", "paper", "--quick"), "--scale is paper"),
        (("handrefiner", "--n", "0"), "--n is 0"),
        (("handrefiner", "--data", "nowhere"), "--data nowhere is not there"),
        (("handrefiner", "--variants", "nowhere"), "--variants nowhere is not there"),
        (("handrefiner", "--steps", "0"), "--steps is 0"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert run(["reproduce", *arguments]) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_study_is_the_one_that_was_asked_for(tmp_path, monkeypatch, capsys):
    given = {}

    def remember(study, page, command, work):
        given.update(study=study, page=page, command=command, work=work)
        return Path("kept")

    monkeypatch.setattr(reproduce, "reproduce_handrefiner", remember)
    (tmp_path / "v").mkdir()
    options = (
        "--model",
        "mine",
        "--steps",
        "20",
        "--n",
        "7",
        "--variants",
        str(tmp_path / "v"),
        "--seed",
        "3",
    )
    assert run(["reproduce", "handrefiner", "--quick", "-o", "page.md", *options]) == 0
    study = given["study"]
    assert (study.scale.table, study.scale.judged) == (7, SCALES["quick"].judged)
    assert (study.diffusion.model, study.diffusion.steps, study.seed) == ("mine", 20, 3)
    assert study.variants == tmp_path / "v"
    assert (given["page"], given["work"]) == (Path("page.md"), None)
    assert given["command"] == "handwright reproduce handrefiner --scale quick --n 7 --variants v"
    assert "page.md is written" in capsys.readouterr().out


def test_paper_scale_has_the_papers_numbers():
    scale = SCALES["paper"]
    assert (scale.table, scale.judged, scale.spoiled) == (2000, 200, 12_000)
