"""Faults of bench/faults.py in this process: small and slow disks, clocks that jump; its own checks."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import fault_disk as disk
import fault_jobs as jobs
import fault_scenes as scenes
import fault_tools as tools
import faults
from fault_slow import slow_disk
from handwright.apps.cli.main import run
from handwright.errors import OutputError
from handwright.workflow import RunOptions, refine_files
from handwright.workflow.report.evidence import Evidence
from tests.workflow.fakes import picture


def undisturbed(here: Path) -> dict[str, bytes]:
    for number in range(3):
        picture(here / f"in/{number}.png", hands=1 + number % 2)
    assert refine_files(["in"], "whole", None, RunOptions(report=Path("whole-report"))).exit_code == 0
    return tools.files_in(here / "whole")


def test_a_full_disk_leaves_whole_files_and_with_room_the_same_command_ends_well(here: Path, capsys):
    whole, sources = undisturbed(here), tools.files_in(here / "in")
    try:
        with disk.small_disk(here / "disk"):
            for share in (0.0, 0.5):
                out = here / f"disk/out{share}"
                command = ["refine", "in", "-o", str(out), "--report", f"{out}-report"]
                filler = disk.fill(here / "disk", int(share * disk.room_of(here / "whole")))
                assert run(command) == 2
                said = capsys.readouterr().err
                assert tools.not_in_one_line(said) == []
                assert "o space left on device" in said
                assert tools.files_in(out).items() <= whole.items()
                assert tools.unreadable(Path(f"{out}-report")) == []
                assert list((here / "disk").rglob("*.part")) == []
                filler.unlink()
                assert run(command) == 0
                assert tools.files_in(out) == whole
    except PermissionError as error:
        pytest.skip(str(error))
    assert tools.files_in(here / "in") == sources


def test_a_report_picture_of_which_a_disk_takes_half_is_not_written(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
    try:
        with disk.small_disk(tmp_path / "disk"):
            (tmp_path / "disk/a").mkdir()
            disk.fill(tmp_path / "disk", 2 * disk.PAGE)
            evidence = Evidence(tmp_path / "disk", "a")
            for write, name in ((evidence._view, "a.jpg"), (evidence._crop, "a.png")):
                with pytest.raises(OutputError, match="o space left on device"):
                    write(name, pixels)
            assert list((tmp_path / "disk/a").iterdir()) == []
    except PermissionError as error:
        pytest.skip(str(error))


def test_a_slow_disk_changes_no_result(here: Path, monkeypatch: pytest.MonkeyPatch):
    whole = undisturbed(here)
    for name in ("fsync", "replace", "rename"):
        monkeypatch.setattr(os, name, getattr(os, name))  # put back afterwards
    slow_disk(0.02)
    began = time.monotonic()
    assert refine_files(["in"], "out").exit_code == 0
    assert time.monotonic() - began > 3 * 0.02
    assert tools.files_in(here / "out") == whole


@pytest.mark.parametrize("seconds", scenes.JUMPS_S.values())
def test_a_clock_that_jumps_changes_no_result_and_makes_no_negative_seconds(
    here: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
):
    whole, now, calls = undisturbed(here), time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: now() + seconds * (next(calls) % 2))
    assert refine_files(["in"], "out", None, RunOptions(report=Path("report"))).exit_code == 0
    assert tools.files_in(here / "out") == whole
    pictures = json.loads(Path("report/report.json").read_text("utf-8"))["pictures"]
    assert len(pictures) == 3
    assert not jobs.has_negative_seconds([entry["seconds"] for entry in pictures])


def test_the_checks_of_the_bench_see_what_is_wrong(tmp_path: Path):
    whole = picture(tmp_path / "whole.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "torn.json").write_text('{"a": ')
    (tmp_path / "torn.html").write_text("<html>")
    assert {path.stem for path in tools.unreadable(tmp_path)} == {"torn"}
    assert tools.not_in_one_line("handwright: the disk is full.\n") == []
    for text in ("", "Traceback (most recent call last):\n", "handwright: internal error: x\n"):
        assert tools.not_in_one_line(text) != []
    assert jobs.has_negative_seconds({"all": [0.1, {"find": -0.1}]})
    assert not jobs.has_negative_seconds({"all": 0.0})


def test_the_table_counts_trials_in_which_something_was_not_as_promised():
    row = tools.Row("kill -9", "`refine`", 3)
    row.note("kill 2", ["a.png is torn", "an input was changed"])
    text = faults.table([row, tools.Row("disk full", "`batch`", not_run="no tmpfs")], 0)
    assert "| kill -9 | `refine` | 3 | 2 | 1 |" in text
    assert "| disk full | `batch` | not run | – | – | no tmpfs |" in text
    assert "| all | seed 0 | 3 | 2 | 1 |" in text
    assert "* kill -9, `refine`: kill 2: a.png is torn" in text
