"""Hundreds of broken and hostile files for the commands: no traceback, no hang, nothing written outside.

    python bench/fuzz.py [--seed 0] [--rounds 3] [--page docs/reliability.md]

Files come from ``hostile.py``, the same for the same seed. Every picture is reviewed and refined (every
fifth one's hands are saved); refined pictures are refined again; hands files, poses, parameters,
manifests and shards are given where they belong. Every third picture's bytes are decoded as a worker of
the service does, and JSON files are bodies of requests to the service. Sound is what ends with exit code
0, 1 or 2 (HTTP: below 500) and, where it is 2, one line on stderr and no output file; inputs keep their
bytes; nothing is written but below the output folder (witnesses: Python's audit events, and a list of
the folder); each takes less than ``SLOWEST_S`` (a run that hangs ends with the stacks of its threads).
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PILImage

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_calls import Row, decode, list_and_write, note_write, post, service
from handwright.apps.cli.main import run
from handwright.perception.models.download import default_cache_dir
from hostile import Hostile, pixels
from hostile_json import corpus

SLOWEST_S = 60.0
"""No file of at most 8 MB takes longer on one core, a bomb included; chosen by eye."""

BEGIN, END = "<!-- fuzz -->", "<!-- /fuzz -->"


def main() -> None:
    """Print the table, and put it into the page; exit code 1 where something was not sound."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3, help="of each damage to each format")
    parser.add_argument("--page", type=Path, help="file whose table is replaced")
    options = parser.parse_args()
    rows = fuzz(corpus(options.seed, sound_files(), options.rounds))
    text = table(rows, options.seed)
    print(text)
    if options.page is not None:
        replace_between(options.page.absolute(), BEGIN, END, text)
    sys.exit(any(row.wrong for row in rows.values()))


def replace_between(page: Path, begin: str, end: str, text: str) -> None:
    """Put a text between two markers of a file."""
    whole = page.read_text("utf-8")
    before, after = whole.split(begin)[0], whole.split(end)[1]
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")


def sound_files() -> dict[str, dict[str, Any]]:
    """A sound hands file, pose files, parameters, and the settings that a refined picture holds, by use."""
    from handwright.body.parameters import BodyParameters
    from handwright.hand.files.hands_file import hands_to_json
    from handwright.types import Camera, Hand, HandObservation
    from handwright.workflow import Request
    from handwright.workflow.run.deliver import provenance

    rng = np.random.default_rng(0)
    points = np.linspace((10, 10), (60, 45), 21) + rng.normal(0, 1, (21, 2))
    seen = HandObservation(
        landmarks_px=points, depth_px=np.zeros(21), side="right", score=0.9, found_by="picture"
    )
    hand = Hand(
        pose=np.zeros((15, 3)), palm_arch=np.zeros(2), wrist=np.zeros(3), translation_m=np.array([0, 0, 0.5]),
        shape=np.zeros(9), side="right", camera=Camera(80.0, (36.0, 28.0)),
    )  # fmt: skip
    person = np.concatenate([rng.uniform(5, 60, (133, 2)), np.ones((133, 1))], 1)
    wholebody = {"keypoints": person[:17].ravel().tolist(), "num_keypoints": 17,
                 "foot_kpts": person[17:23].ravel().tolist(), "face_kpts": person[23:91].ravel().tolist(),
                 "lefthand_kpts": person[91:112].ravel().tolist(),
                 "righthand_kpts": person[112:].ravel().tolist()}  # fmt: skip
    openpose = {
        "people": [{"pose_keypoints_2d": person[:18].ravel().tolist(),
                    "hand_left_keypoints_2d": person[91:112].ravel().tolist(),
                    "hand_right_keypoints_2d": person[112:].ravel().tolist()}],
        "canvas_width": 72, "canvas_height": 56,
    }  # fmt: skip
    body = BodyParameters(
        global_orient=np.zeros(3), body_pose=np.zeros((21, 3)), left_hand_pose=np.zeros((15, 3)),
        right_hand_pose=np.zeros((15, 3)), betas=np.zeros(10), transl=np.array([0.0, 0.0, 2.0]),
        camera=Camera(100.0, (36.0, 28.0)), size_px=(72, 56), palm_arch=np.zeros((2, 2)),
        hand_shape=np.zeros(9),
    )  # fmt: skip
    return {
        "hands": hands_to_json([(1, seen, hand)], (72, 56), "0" * 64),
        "pose wholebody": {"annotations": [wholebody], "images": [{"width": 72, "height": 56}]},
        "pose openpose": openpose,
        "pose parameters": body.to_json(),
        "again": json.loads(provenance(Request().as_json(), "0" * 64)),
    }


def fuzz(files: list[Hostile]) -> dict[str, Row]:
    """Give every file to what would get it."""
    rows: dict[str, Row] = defaultdict(Row)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        shutil.copytree(default_cache_dir(), root / "cache", ignore=shutil.ignore_patterns("records"))
        os.environ["HANDWRIGHT_CACHE"] = str(root / "cache")
        sound = root / "sound.png"
        PILImage.fromarray(pixels(np.random.default_rng(1))).save(sound)
        (root / "cwd").mkdir()
        sys.addaudithook(partial(note_write, written := [], root))
        with contextlib.chdir(root / "cwd"), service(root) as client:
            for number, one in enumerate(files):
                row = rows[one.kind]
                row.files += 1
                folder = root / "in" / f"{number:04}"
                folder.mkdir(parents=True)
                path, out = folder / one.name, root / "out" / f"{number:04}"
                path.write_bytes(one.data)
                for command in commands(one, number, path, sound, out):
                    written.clear()
                    attempt(row, one, path, command, root)
                    row.wrong += [f"{one.kind}/{one.name}: {command[0]} wrote {where}" for where in written]
                if one.use == "picture" and number % 3 == 0:
                    decode(row, one)
                if one.use == "sources":
                    written.clear()
                    list_and_write(row, one, path, out)
                    row.wrong += [f"{one.kind}/{one.name}: batch wrote {where}" for where in written]
                if one.use in ("hands", "pose") and one.name.endswith(".json"):
                    post(row, one, client)
    return rows


def commands(one: Hostile, number: int, path: Path, sound: Path, out: Path) -> list[list[str]]:
    """Command lines; the file is named as people do, with ``./`` only where it starts with a dash."""
    file = str(path)
    if one.use == "hands":
        refine = ["refine", str(sound), "-o", f"{out}/made.png"]
        return [[*refine, "--hands", file], [*refine, "--all", "--hand-pose", file]]
    if one.use == "pose":
        return [["generate", "--pose", file, "--skeleton", f"{out}/made.png", "--side", "128"],
                ["review", str(sound), "--calibration", file]]  # fmt: skip
    if one.use == "again":
        return [["refine", "--again", file, "-o", f"{out}/made.png"], ["review", file]]
    if one.use == "sources":
        return []
    found = [["review", file], ["refine", file, "-o", f"{out}/"]]
    return [*found, ["hands", file, "-o", f"{out}/hands"]] if number % 5 == 0 else found


def attempt(row: Row, one: Hostile, path: Path, command: list[str], root: Path) -> None:
    """Run one command and hold it against what is promised."""
    row.runs += 1
    made = root / "out" / path.parent.name / "made.png"
    made.unlink(missing_ok=True)
    before = listing(root)
    errors, began = io.StringIO(), time.perf_counter()
    faulthandler.dump_traceback_later(2 * SLOWEST_S, exit=True)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            code = run(command)
    except BaseException as error:  # noqa: BLE001 - what must not happen is what is looked for
        code = 99
        row.wrong.append(f"{one.name}: {command[0]} raised {type(error).__name__}: {error}")
    finally:
        faulthandler.cancel_dump_traceback_later()
    seconds = time.perf_counter() - began
    row.slowest = max(row.slowest, seconds)
    row.done += code in (0, 1)
    row.refused += code == 2
    text = errors.getvalue()
    new = [name for name in listing(root) - before if not name.startswith("out")]
    problems = {
        f"exit code {code}": code not in (0, 1, 2),
        f"stderr {text[:300]!r}": code == 2 and (text.count("\n") != 1 or "Traceback" in text),
        "its bytes changed": sha256(path.read_bytes()).digest() != sha256(one.data).digest(),
        f"wrote {new}": bool(new),
        "an output although it was refused": code == 2 and made.exists(),
        f"took {seconds:.0f} s": seconds > SLOWEST_S,
    }
    row.wrong += [f"{one.kind}/{one.name}: {command[0]}: {what}" for what, is_so in problems.items() if is_so]


def listing(root: Path) -> set[str]:
    """Every file below a folder but inputs and what commands keep for themselves."""
    names = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(name) for name in names if name.parts[0] in ("cwd", "out", "sound.png")}


HEADER = """| kind | files | runs | worked on | refused in one line | slowest s | not sound |
|---|---|---|---|---|---|---|"""


def table(rows: dict[str, Row], seed: int) -> str:
    """The table in Markdown, and what was not sound."""
    lines, total = [HEADER], Row()
    for kind, row in sorted(rows.items()):
        lines.append(cells(kind, row))
        for name in ("files", "runs", "done", "refused"):
            setattr(total, name, getattr(total, name) + getattr(row, name))
        total.slowest, total.wrong = max(total.slowest, row.slowest), total.wrong + row.wrong
    lines.append(cells(f"all, seed {seed}", total))
    return "\n".join([*lines, "", *(f"* {what}" for what in total.wrong)]).rstrip()


def cells(kind: str, row: Row) -> str:
    """A line of the table."""
    slowest, wrong = f"{row.slowest:.1f}", len(row.wrong)
    return f"| {kind} | {row.files} | {row.runs} | {row.done} | {row.refused} | {slowest} | {wrong} |"


if __name__ == "__main__":
    main()
