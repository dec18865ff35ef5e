"""The long training goes through its stages in order, goes on where it was, and stops when it is asked to."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_forever.sh"

STUB = """#!/usr/bin/env bash
# Notes what it was called with and leaves what the real command would.
echo "$*" >> calls.txt
while [ $# -gt 0 ]; do
    case $1 in -o) out=$2 ;; --max-train-steps) steps=$2 ;; --n) n=$2 ;; esac
    shift
done
case $out in *.jsonl) touch "$out" ;; *) mkdir -p "$out" ;; esac
if [ -n "${steps:-}" ]; then mkdir -p "$out/checkpoints/step-$(printf %08d $steps)" "$out/model/vae"; fi
if [ -n "${n:-}" ]; then touch "$out/shard-$(printf %08d $n).tar"; fi
if [ -e stop_after_this ]; then touch .stop; fi
"""


@pytest.fixture
def started(tmp_path):
    """A function that runs the script on a folder with a stand-in for Python; it returns the calls."""
    stub = tmp_path / "python"
    stub.write_text(STUB, "utf-8")
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    runs = tmp_path / "runs"
    runs.mkdir()

    def go(**given):
        small = {"PICTURES": "250", "ROUND": "250", "PYTHON": str(stub), "PHOTOS": "", "CODEC": "", **given}
        done = subprocess.run(
            [shutil.which("bash"), str(SCRIPT), str(runs)],
            env={**os.environ, **small},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        calls = (runs / "calls.txt").read_text("utf-8").splitlines() if (runs / "calls.txt").exists() else []
        (runs / "calls.txt").unlink(missing_ok=True)
        return calls, done.stdout

    go.runs = runs
    return go


def kinds_of(calls):
    """What each call does: 'synth hands', 'encode latents_128', 'train autoencoder', …"""
    words = [call.split() for call in calls]
    named = {"encode_latents.py": "encode", "measure_base.py": "measure"}
    return [
        f"{named[Path(w[0]).name]} {w[w.index('-o') + 1]}"
        if Path(w[0]).name in named
        else f"{w[2]} {w[w.index('--kind') + 1] if w[2] == 'synth' else w[3]}"
        for w in words
    ]


def test_stages_come_in_order_and_a_second_start_has_nothing_left_to_do(started):
    calls, said = started()
    assert kinds_of(calls) == [
        "synth hands",
        "synth people",
        "synth defects",
        "train autoencoder",
        "encode latents_128",
        "train text_to_image",
        "measure base_128/kid.jsonl",
        "encode latents_256",
        "train text_to_image",
        "measure base_256/kid.jsonl",
    ]
    assert "all stages are done" in said
    assert started()[0] == []


def test_a_finished_codec_is_taken_as_it_is_and_a_base_from_elsewhere_goes_on(started):
    calls, _ = started(CODEC="some/codec", BASE="some/base")
    assert "train autoencoder" not in kinds_of(calls)
    assert all("--vae some/codec" in call for call in calls if "encode_latents" in call)
    first, second = (call for call in calls if "train text_to_image" in call)
    assert "--model some/base" in first
    assert "--model base_128/model" in second


def test_it_does_nothing_while_the_stop_file_is_there(started):
    (started.runs / ".stop").touch()
    calls, said = started()
    assert calls == []
    assert "stopped" in said


def test_it_ends_after_the_command_during_which_it_is_asked_to_stop_and_goes_on_later(started):
    (started.runs / "stop_after_this").touch()
    assert kinds_of(started()[0]) == ["synth hands"]
    (started.runs / "stop_after_this").unlink()
    (started.runs / ".stop").unlink()
    assert kinds_of(started()[0])[:2] == ["synth people", "synth defects"]
