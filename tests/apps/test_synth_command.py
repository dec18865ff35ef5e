"""``handwright synth``: shards from the command line, and its errors as one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from handwright.apps.cli.main import run
from handwright.data.shards import list_shards, read_shards


def test_synth_writes_shards_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "world"
    assert run(["synth", "--n", "3", "--size", "64", "--seed", "4", "--sheet", "-o", str(out)]) == 0
    assert "3 pictures in 1 shards (1 of them new)" in capsys.readouterr().out
    entries = list(read_shards(list_shards(out)))
    assert [entry.record["index"] for entry in entries] == [0, 1, 2]
    assert (out / "sheet.jpg").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--kind", "feet"], "no kind 'feet'"), (["--n", "0"], "n is 0"), (["--size", "5"], "size is 5")],
)
def test_bad_options_are_one_line_and_exit_2(tmp_path: Path, capsys, options: list[str], said: str):
    assert run(["synth", *options, "-o", str(tmp_path / "world")]) == 2
    result = capsys.readouterr().err
    assert said in result
    assert result.count("\n") == 1
    assert not (tmp_path / "world").exists()
