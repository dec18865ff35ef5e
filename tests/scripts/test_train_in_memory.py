"""A member trained by the clock from a pool that other processes fill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from handwright.training.members import open_member
from handwright.training.settings import TrainSettings
from handwright.two_stage.networks.outpainter import Outpainter
from tests.diffusion.models import write_sd
from tests.training.people_shards import people_shard

ROOT = Path(__file__).parents[2]


def called(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "train_in_memory.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def test_a_run_leaves_a_member_that_learnt_and_a_log(tmp_path: Path):
    data, model, run = people_shard(tmp_path / "people"), write_sd(tmp_path / "sd", 9), tmp_path / "run"
    made = called(
        "outpainter", "--data", data, "--model", model, "--minutes", ".03", "--batch", "2",
        "--capacity", "40", "--workers", "1", "--set", "lr_warmup_steps=1", "-o", run,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    last = json.loads((run / "log.jsonl").read_text("utf-8").splitlines()[-1])
    assert last["seen"] == 2 * last["step"] > 0
    assert (run / "samples.png").exists()
    learnt = Outpainter.from_pretrained(run / "model" / "outpainter").state_dict()
    before = open_member("outpainter", data, model, TrainSettings()).outpainter.state_dict()
    assert any(not value.equal(before[name]) for name, value in learnt.items())


def test_what_is_no_setting_or_no_such_member_ends_it_in_one_line(tmp_path: Path):
    data, model = people_shard(tmp_path / "people"), write_sd(tmp_path / "sd", 9)
    given = ("--data", data, "--model", model, "--minutes", "1", "--workers", "1", "-o", tmp_path / "run")
    unknown = called("outpainter", *given, "--set", "speed=3")
    assert (unknown.returncode, unknown.stderr.strip()) == (1, "there is no setting 'speed'")
