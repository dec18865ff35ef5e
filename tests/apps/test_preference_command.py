"""``handwright evaluate preference``: make, score and size from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps.cli.main import run


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for k, name in enumerate(("ours", "base")):
        (tmp_path / name).mkdir()
        for p in range(12):
            noise = np.random.default_rng(p).integers(0, 50, (32, 32, 3)) + 50 * k
            PILImage.fromarray(noise.astype(np.uint8)).save(tmp_path / name / f"p{p}.png")
    return [str(tmp_path / "ours"), str(tmp_path / "base")]


def answer_all(study: Path, target: Path, wanted: str) -> None:
    key = json.loads((study / "key.json").read_text("utf-8"))
    answers = [
        {"id": trial["id"], "question": name, "answer": "ab"[trial["b"] == wanted], "left": "a", "ms": 700}
        for trial in key["trials"]
        for name in key["questions"]
    ]
    answers += [
        {"id": check["id"], "question": name, "answer": check["intact"], "left": "a", "ms": 700}
        for check in key["checks"]
        for name in key["questions"]
    ]
    target.write_text(json.dumps({"study": key["study"], "rater": target.stem, "answers": answers}))


def test_a_study_is_made_and_scored(folders, tmp_path: Path, capsys):
    texts = tmp_path / "texts.csv"
    texts.write_text("".join(f'p{p}.png,"a hand, open"\n' for p in range(12)))
    study = tmp_path / "study"
    questions = ["--questions", "plausibility,relevance", "--prompts", str(texts)]
    assert run(["evaluate", "preference", "make", *folders, "-o", str(study), *questions]) == 0
    assert "12 pairs of 12 pictures, 3 attention checks" in capsys.readouterr().out
    for rater in ("anna", "ben"):
        answer_all(study, tmp_path / f"{rater}.json", "ours")
    files = [str(tmp_path / "anna.json"), str(tmp_path / "ben.json")]
    assert run(["evaluate", "preference", "score", str(study), *files]) == 0
    shown = capsys.readouterr().out
    assert "ours over base 1 [0.7354, 1] N 12" in shown
    assert "by majority 12 to 0" in shown
    assert run(["evaluate", "preference", "score", str(study), *files, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["questions"]["relevance"]["pairs"][0]["first_answers"] == 24
    assert result["raters"] == ["anna", "ben"]


def test_the_sample_size_is_printed(capsys):
    assert run(["evaluate", "preference", "size", "0.9"]) == 0
    assert int(capsys.readouterr().out) < 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["make", "none-here", "nor-here", "-o", "x"], "none-here"),
        (["score", "none-here", "x.json"], "none-here"),
        (["size", "0.4"], "win rate"),
        (["size", "much"], "--help"),
        (["draw"], "preference --help"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, words, capsys):
    assert run(["evaluate", "preference", *arguments]) == 2
    shown = capsys.readouterr().err
    assert words in shown
    assert shown.count("\n") == 1


def test_texts_that_are_no_rows_are_named(folders, tmp_path: Path, capsys):
    (tmp_path / "texts.csv").write_text("p0,a,b\n")
    options = ["--prompts", str(tmp_path / "texts.csv"), "-o", str(tmp_path / "study")]
    assert run(["evaluate", "preference", "make", *folders, *options]) == 2
    assert "name,text" in capsys.readouterr().err


def test_one_folder_twice_is_refused(folders, tmp_path: Path, capsys):
    assert run(["evaluate", "preference", "make", folders[0], folders[0], "-o", str(tmp_path / "s")]) == 2
    assert "same name" in capsys.readouterr().err
