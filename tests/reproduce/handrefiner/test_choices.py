from __future__ import annotations

import json

import pytest

from handwright.errors import DataError, OutputError, UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.reproduce.handrefiner.results import fixed_of, judged_best, read_choices, write_strength
from handwright.reproduce.handrefiner.rows import boxed_rows, pairs, table_rows
from handwright.reproduce.handrefiner.study import GRID
from handwright.reproduce.store import Store


def scores(malformed, error, fit=0.5):
    return {"malformed": malformed, "joint_error": error, "fit_share": fit}


def test_fewest_objections_win_then_the_likeliest_sound_then_the_weakest(tmp_path):
    store = Store(tmp_path, {})
    result = {s: {"objections": 2, "scores": scores(0.1, 0.02)} for s in GRID[1:]}
    result[0.3] = {"objections": 3, "scores": scores(0.0, 0.0)}
    result[0.6] = {"objections": 1, "scores": scores(0.9, 0.05)}
    result[0.7] = result[0.8] = {"objections": 1, "scores": scores(0.4, 0.05)}
    for s, record in result.items():
        store.unit("judged", f"a/{s:g}", lambda record=record: (record, None))
    assert judged_best(store, ["a"]) == {"a": 0.7}


def test_choices_of_people_are_averaged_picture_by_picture(tmp_path):
    file = tmp_path / "choices.csv"
    file.write_text("picture,strength\na,0.4\na,0.6\nb,0.9\nelsewhere,0.1\n")
    chosen = read_choices(file, ["a", "b", "c"])
    assert chosen == {"a": 0.5, "b": 0.9}
    fixed = fixed_of(chosen)
    assert (fixed.value, fixed.n) == (pytest.approx(0.7), 2)
    notes = {"strength": 0.1, "guidance": 1.5}
    result = json.loads(write_strength(tmp_path, fixed, "people", notes).read_text())
    assert (result["strength"], result["pictures"], result["chosen_by"]) == (0.7, 2, "people")
    assert result["guidance"] == 1.5


@pytest.mark.parametrize("line", ["a,strong", "a", "a,3", "a,-1"])
def test_a_choice_that_makes_no_sense_is_refused_with_its_line(tmp_path, line):
    file = tmp_path / "choices.csv"
    file.write_text(f"picture,strength\na,0.5\n{line}\n")
    with pytest.raises(DataError, match="line 3"):
        read_choices(file, ["a"])


def test_choices_of_other_pictures_are_refused(tmp_path):
    file = tmp_path / "choices.csv"
    file.write_text("picture,strength\nz,0.5\n")
    with pytest.raises(UsageError, match="none of the pictures"):
        read_choices(file, ["a"])


def test_a_work_folder_of_another_study_is_refused(tmp_path):
    Store(tmp_path, {"model": "a"})
    Store(tmp_path, {"model": "a"})
    with pytest.raises(OutputError, match="another study"):
        Store(tmp_path, {"model": "b"})


def test_a_variant_that_was_trained_again_is_another_study_and_a_new_one_is_not(tmp_path):
    store = Store(tmp_path, {})
    store.claim("untuned", {"weights": "1"})
    store.claim("untuned", {"weights": "1"})
    store.claim("normals", {"weights": "7"})
    with pytest.raises(OutputError, match=r"its untuned\.json differs"):
        store.claim("untuned", {"weights": "2"})


def test_variants_that_are_not_there_are_rows_that_say_so(tmp_path):
    (tmp_path / "untuned").mkdir()
    rows = {row.name: row for row in table_rows(DiffusionSettings(), 1.0, 0.6, tmp_path)}
    assert rows["untuned"].missing == ""
    assert rows["untuned"].settings.controlnet == str(tmp_path / "untuned")
    assert not rows["untuned"].settings.synthetic_negative
    assert "unmasked" in rows["unmasked"].missing
    assert rows["untuned"].settings.strength == 0.6


def test_variants_are_held_against_one_trained_as_long_where_it_is_there(tmp_path):
    for name in ("untuned", "unmasked"):
        (tmp_path / name).mkdir()
    assert ("the masked loss", "fixed", "unmasked") in pairs(
        table_rows(DiffusionSettings(), 1.0, 0.6, tmp_path)
    )
    (tmp_path / "tuned").mkdir()
    rows = table_rows(DiffusionSettings(), 1.0, 0.6, tmp_path)
    assert ("the masked loss", "tuned", "unmasked") in pairs(rows)
    assert ("tuning as long", "tuned", "untuned") in pairs(rows)
    in_boxes = boxed_rows(rows)
    assert [row.name for row in in_boxes] == ["untuned", "unmasked", "tuned", "full"]
    assert {row.settings.strength for row in in_boxes} == {1.0}


def test_where_there_is_no_negative_branch_a_pair_of_rows_has_one():
    rows = {row.name: row for row in table_rows(DiffusionSettings(), 1.0, 0.6, None)}
    assert rows["guided"].settings.guidance == rows["bare"].settings.guidance == 3.0
    assert (rows["guided"].settings.synthetic_negative, rows["bare"].settings.synthetic_negative) == (
        True,
        False,
    )
    assert ("the negative prompt", "guided", "bare") in pairs(tuple(rows.values()))
    published = {row.name: row for row in table_rows(DiffusionSettings(), 9.0, 0.6, None)}
    assert "guided" not in published
    assert published["bare"].settings.guidance == 9.0
    assert ("the negative prompt", "fixed", "bare") in pairs(tuple(published.values()))
