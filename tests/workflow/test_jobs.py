from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwright.errors import UsageError
from handwright.workflow.jobs import Source, find_sources, plan_outputs


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def names(sources: list[Source]) -> list[str]:
    return [source.name.as_posix() for source in sources]


def test_a_folder_keeps_its_structure_and_hides_what_is_hidden_or_no_picture(here: Path):
    touch("in/b.png", "in/sub/a.JPG", "in/.hidden/c.png", "in/.d.png", "in/notes.txt")
    sources = find_sources(["in"])
    assert names(sources) == ["b.png", "sub/a.JPG"]
    assert [job.output.as_posix() for job in plan_outputs(sources, "out")] == ["out/b.png", "out/sub/a.JPG"]


def test_a_pattern_keeps_the_structure_below_its_plain_part(here: Path):
    touch("in/x/a.png", "in/y/a.png", "in/y/b.txt")
    assert names(find_sources(["in/*/a.png"])) == ["x/a.png", "y/a.png"]
    assert names(find_sources(["in/**/*"])) == ["x/a.png", "y/a.png"]
    assert names(find_sources([str(here / "in/*/a.png")])) == ["x/a.png", "y/a.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here: Path):
    touch("a[1].png")
    assert names(find_sources(["a[1].png"])) == ["a[1].png"]


def test_the_same_picture_named_twice_is_done_once(here: Path):
    touch("in/a.png")
    assert len(find_sources(["in", "in/a.png", "in/../in/a.png"])) == 1


@given(st.randoms())
def test_the_order_does_not_depend_on_the_order_of_the_inputs(shuffle: random.Random):
    inputs = [f"{name}.png" for name in "hcbadgfe"]
    shuffle.shuffle(inputs)
    assert names(find_sources(inputs)) == [f"{name}.png" for name in "abcdefgh"]


def test_an_output_folder_inside_the_input_folder_is_no_input(here: Path):
    touch("in/a.png", "in/out/a.png")
    assert names(find_sources(["in"], leave_out=[Path("in/out")])) == ["a.png"]
    assert names(find_sources(["in"], leave_out=[Path("in")])) == ["a.png", "out/a.png"]


@pytest.mark.parametrize("inputs", [[], ["empty"], ["*.png"], ["empty/**/*.png"]])
def test_no_picture_is_said_so(here: Path, inputs: list[str]):
    (here / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no picture"):
        find_sources(inputs)


def test_one_picture_goes_to_a_file_or_into_a_folder(here: Path):
    touch("a.png")
    (here / "dir.png").mkdir()
    sources = find_sources(["a.png"])
    for output, expected in {
        "b.png": "b.png",
        "b": "b/a.png",
        "b.v2/": "b.v2/a.png",
        "dir.png": "dir.png/a.png",
    }.items():
        assert [job.output.as_posix() for job in plan_outputs(sources, output)] == [expected]


def test_several_pictures_do_not_fit_into_one_file(here: Path):
    touch("a.png", "b.png")
    with pytest.raises(UsageError, match="one file"):
        plan_outputs(find_sources(["a.png", "b.png"]), "c.png")


def test_two_pictures_never_share_an_output(here: Path):
    touch("x/a.png", "y/a.png", "z/a.gif")
    with pytest.raises(UsageError, match="both be written"):
        plan_outputs(find_sources(["x/a.png", "y/a.png"]), "out")
    with pytest.raises(UsageError, match="both be written"):
        plan_outputs(find_sources(["x/a.png", "z/a.gif"]), "out")


def test_a_format_that_is_only_read_becomes_png(here: Path):
    touch("a.gif")
    assert plan_outputs(find_sources(["a.gif"]), "out")[0].output == Path("out/a.png")


def test_a_link_to_nothing_is_named_among_the_pictures_so_that_it_fails_aloud(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert [source.name.as_posix() for source in find_sources([tmp_path])] == ["gone.png"]
