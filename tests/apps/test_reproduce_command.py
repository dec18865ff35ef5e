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


def test_the_two_stage_study_is_the_one_that_was_asked_for(tmp_path, monkeypatch, capsys):
    given = {}

    def remember(study, page, command, work):
        given.update(study=study, page=page, command=command, work=work)
        return Path("kept")

    monkeypatch.setattr(reproduce, "reproduce_two_stage", remember)
    (tmp_path / "one").mkdir()
    options = ("--hand-generator", str(tmp_path / "one"), "--n", "7", "--seed", "3", "--steps", "5")
    assert run(["reproduce", "two-stage", "-o", "page.md", *options]) == 0
    study = given["study"]
    assert (study.n, study.seed, study.steps, study.model, study.prompt) == (7, 3, 5, "tiny", "a person")
    assert (study.hand_generator, study.outpainter) == (str(tmp_path / "one"), None)
    assert given["command"] == "handwright reproduce two-stage --n 7 --seed 3 --hand-generator one"
    assert "page.md is written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("two-stage", "--choices", "x.csv"), "--choices means nothing to two-stage"),
        (("two-stage", "--sampler", "ddim"), "--sampler means nothing to two-stage"),
        (("two-stage", "--outpainter", "nowhere"), "--outpainter nowhere is not there"),
        (("two-stage", "--n", "0"), "--n is 0"),
        (("handrefiner", "--outpainter", "nowhere"), "--outpainter means nothing to handrefiner"),
    ],
)
def test_options_of_the_other_paper_are_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert run(["reproduce", *arguments]) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1
