"""What a user's texts become: python bench/generate.py -o WORK [--via V] [--engine E] [--sheet F].

Every text of the file, a line each, goes through what ``handwright generate TEXT --report`` does, each with
its line's number as the seed; a run that was stopped goes on. Printed: how many pictures pass their review
('cannot tell' is no pass, nor is a picture in which no hand is found), with Wilson 95 % intervals, how often
the exit code says that one does not, the seconds a picture (whether the cores are idle is the caller's to
say), and what is held against the rest. The sheet shows all pictures in the texts' order.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from handwright.data.synthesise import tiled
from handwright.image import load_image, write_png
from handwright.metrics.estimate import wilson
from handwright.perception.body.estimate import BodyEstimator
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow.generate.attempts import open_reviewer
from handwright.workflow.generate.engines import open_engine
from handwright.workflow.generate.generation import Generation, generate_from_pose

TEXTS = Path(__file__).parent / "data" / "prompts_50.txt"

SHOWN_PX, COLUMNS = 256, 10


def main() -> None:
    """Make what WORK does not hold yet, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--work", type=Path, required=True)
    parser.add_argument("--texts", type=Path, default=TEXTS)
    parser.add_argument("--via", default="two-stage")
    parser.add_argument("--engine", default="render")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--attempts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    reports = made(options)
    print(table(reports))
    if options.sheet is not None:
        files = [options.work / f"{k:03d}.png" for k in range(len(reports))]
        shown = [
            cv2.resize(load_image(file).pixels, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_AREA)
            for file in files
        ]
        write_png(options.sheet, tiled(shown, COLUMNS))


def made(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The report of every text, from WORK or made now."""
    texts = [line for line in options.texts.read_text(encoding="utf-8").splitlines() if line.strip()]
    folders = {text: options.work / f"{number:03d}" for number, text in enumerate(texts)}
    if not all((folder / "report.json").exists() for folder in folders.values()):
        _make(folders, options)
    return {text: json.loads((folder / "report.json").read_text("utf-8")) for text, folder in folders.items()}


def _make(folders: dict[str, Path], options: argparse.Namespace) -> None:
    """Generate what is not there yet; models are opened once."""
    engine = open_engine(TwoStageSettings(via=options.via, engine=options.engine))
    with open_reviewer() as reviewer, BodyEstimator() as estimator:
        for number, (text, folder) in enumerate(folders.items()):
            if (folder / "report.json").exists():
                continue
            settings = TwoStageSettings(
                prompt=text, via=options.via, engine=options.engine, seed=options.seed + number
            )
            generation = Generation(
                output=folder.with_suffix(".png"),
                settings=settings,
                attempts=options.attempts,
                side=options.side,
                report=folder,
                force=True,
                open_engine=lambda _: engine,
                open_reviewer=lambda: nullcontext(reviewer),
                open_estimator=lambda: nullcontext(estimator),
            )
            report = generate_from_pose(generation).report
            print(number, text, "|", held_against(report) or "passes", flush=True)


def held_against(report: dict[str, Any]) -> list[str]:
    """Reasons why the picture does not pass; none where it does."""
    (picture,) = report["pictures"]
    review = picture["review"]
    if not review["hands"]:
        return ["no hand is found"]
    checks = [(name, check) for hand in review["hands"] for name, check in hand["checks"].items()]
    return [
        f"{check['verdict']}: {name}: {check['reason']}"
        for name, check in checks
        if check["verdict"] in ("fail", "cannot tell")
    ] + [f"note: {note}" for note in review["notes"]]


def kind_of(reason: str) -> str:
    """Verdict and check of a reason."""
    return ":".join(reason.split(":")[:2])


def table(reports: dict[str, dict[str, Any]]) -> str:
    """The figures, and what is held against pictures, in how many of them."""
    pictures = [report["pictures"][0] for report in reports.values()]
    n = len(pictures)
    lines = ["| | pictures |", "|---|---|"]
    counts = {
        "pass": sum(picture["passed"] for picture in pictures),
        "first try passes": sum(picture["attempts"][0]["verdict"] == "pass" for picture in pictures),
        "exit code 1 by default": sum(report["exit_code"] for report in reports.values()),
    }
    for name, count in counts.items():
        low, high = wilson(count, n)
        lines.append(f"| {name} | {count} of {n}: {count / n:.0%} [{low:.0%}, {high:.0%}] |")
    seconds = np.percentile([picture["seconds"] for picture in pictures], (50, 90))
    lines.append(f"| seconds, median and 90 % | {seconds[0]:.1f}, {seconds[1]:.1f} |")
    why = Counter(
        kind for report in reports.values() for kind in {kind_of(reason) for reason in held_against(report)}
    )
    return "\n".join([*lines, *(f"| {reason} | {count} |" for reason, count in why.most_common())])


if __name__ == "__main__":
    main()
