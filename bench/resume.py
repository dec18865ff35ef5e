"""Members that are killed and resumed: bench/resume.py --data DIR -o DIR [--members …] [--minutes 10].

Each member trains for half of the minutes, is ended with SIGKILL between two checkpoints, and goes on with
--resume until the minutes are used up. Steps that were done twice (after the checkpoint, before the kill)
must have the same loss to the last digit, and the loss must have fallen: else the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

MEMBERS = ("vae", "text", "base", "handrefiner", "features", "critic")
CHECKPOINTING_MINUTES = 2.0
BUILDS_ON = {"handrefiner": "base"}


def command(args: argparse.Namespace, member: str, minutes: float) -> list[str]:
    given = ["--data", str(args.data), "-o", str(args.output / member), "--resume"]
    given += ["--max-minutes", f"{minutes:.3f}", "--max-train-steps", "1000000"]
    given += ["--checkpointing-minutes", str(args.checkpointing_minutes)]
    if member in BUILDS_ON:
        given += ["--model", str(args.output / BUILDS_ON[member] / "model")]
    return [sys.executable, "-m", "handwright", "train", member, *given, *args.options.split()]


def losses(log: Path) -> dict[int, dict[str, float]]:
    """Whole lines of a log by step."""
    lines = [line for line in log.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
    return {int(said["step"]): said for said in map(json.loads, lines)}


def minutes_done(log: Path) -> float:
    return max((said["minutes"] for said in losses(log).values()), default=0.0) if log.exists() else 0.0


def minutes_kept(run: Path) -> float:
    """Minutes of training that the newest checkpoint holds."""
    newest = max(p for p in (run / "checkpoints").iterdir() if p.name.startswith("step-"))
    return float(json.loads((newest / "progress.json").read_text("utf-8"))["minutes"])


def prove(args: argparse.Namespace, member: str) -> dict[str, float | int | str | bool]:
    """Train, kill, resume; what came of it."""
    run = args.output / member
    shutil.rmtree(run, ignore_errors=True)
    log, half = run / "log.jsonl", (args.minutes + args.checkpointing_minutes) / 2
    process = subprocess.Popen(command(args, member, args.minutes), stdout=subprocess.DEVNULL)
    while minutes_done(log) < half:
        if process.poll() is not None:
            raise SystemExit(f"{member}: ended by itself with {process.returncode}")
        time.sleep(2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = losses(log)
    left = args.minutes - minutes_kept(run)
    subprocess.run(command(args, member, left), stdout=subprocess.DEVNULL, check=True)
    after = losses(log)
    started = min(step for step in after if after[step]["minutes"] != before.get(step, {}).get("minutes"))
    twice = [step for step in before if step >= started]
    curve = np.array([after[step]["loss"] for step in sorted(after)])
    tenth = max(len(curve) // 10, 1)
    return {
        "member": member,
        "steps": len(after),
        "minutes": round(minutes_done(log), 1),
        "samples_per_s": round(float(np.median([said["samples_per_s"] for said in after.values()])), 1),
        "loss_first_tenth": round(float(curve[:tenth].mean()), 4),
        "loss_last_tenth": round(float(curve[-tenth:].mean()), 4),
        "steps_done_twice": len(twice),
        "equal_to_the_last_digit": sum(before[k]["loss"] == after[k]["loss"] for k in twice),
        "none_missing": sorted(after) == list(range(len(after))),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--members", default=",".join(MEMBERS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--checkpointing-minutes", type=float, default=CHECKPOINTING_MINUTES)
    parser.add_argument("--options", default="", help="options of `handwright train`, in one string")
    args = parser.parse_args()
    good = True
    for member in args.members.split(","):
        found = prove(args, member)
        held = (
            found["steps_done_twice"] > 0
            and found["steps_done_twice"] == found["equal_to_the_last_digit"]
            and found["none_missing"]
            and found["loss_last_tenth"] < found["loss_first_tenth"]
        )
        good &= bool(held)
        print(json.dumps(found | {"held": bool(held)}), flush=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
