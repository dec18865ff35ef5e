"""Painters side by side: python bench/painters.py [--n N] [--model DIR] [--json FILE] [--sheet NAME.png].

The same fitted hand of every test picture is painted by `draw`, `harmonise` and `diffuse` (control strength
.55 and 1, 10 and 50 steps) and looked at again: 200 rendered hands and, where $HANDWRIGHT_PHOTOS is set, 100
real test-only ones. Bootstrap 95 % intervals, pictures as units; differences to `draw` are paired. With
``--json`` what is measured already is kept, so a run that was cut off goes on. Joint error is SPEC's MPJPE in
% of hand size, misses 100 %; the floor is the same on the untouched picture.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from pathlib import Path

import numpy as np

from draw import leaked, likeness, nearest, painted
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.pipeline import Engine, inspect_picture, open_engine, refine_picture
from handwright.handrefiner.settings import RefineSettings
from handwright.types import Image
from measures import mean, median, row
from sheets import hand_crop, save_pages
from subjects import Subject, subjects

COUNTS = {"rendered": 200, "real": 100}
MISSED = {"found_again": 0.0, "found_before": 0.0, "error": 1.0, "floor": 1.0}


def painters(model: str, guidance: float | None) -> dict[str, RefineSettings]:
    """Settings by the name of their row."""
    known = {} if guidance is None else {"guidance": guidance}
    rows = {"draw": RefineSettings()}
    diffusion = DiffusionSettings(model=model, strength=0.55, **known)
    rows["harmonise"] = RefineSettings(painter="harmonise", diffusion=diffusion)
    for strength in (0.55, 1.0):
        for steps in (10, 50):
            diffusion = DiffusionSettings(model=model, strength=strength, steps=steps, **known)
            name = f"diffuse s={strength:g} {steps} steps"
            rows[name] = RefineSettings(painter="diffuse", diffusion=diffusion)
    return rows


def measure(
    subject: Subject, rows: dict[str, RefineSettings], engine: Engine
) -> tuple[dict[str, dict[str, float]], dict[str, np.ndarray]]:
    """What every painter reaches on one hand, and its pictures."""
    image = Image(subject.pixels)
    wanted = nearest(inspect_picture(image, RefineSettings(), engine).hands, subject)
    if wanted is None:
        return {name: dict(MISSED) for name in rows}, dict.fromkeys(rows, subject.pixels)
    hands = ((wanted.observation, wanted.fit.hand),)
    values, pictures = {}, {}
    for name, settings in rows.items():
        asked = RefineSettings(painter=settings.painter, diffusion=settings.diffusion, hands=hands)
        repair = refine_picture(image, asked, engine)
        hand = repair.hands[0]
        scores = hand.candidates[0].scores
        values[name] = {
            "found_again": scores["found_again"],
            "found_before": scores["found_before"],
            "error": scores["joint_error"],
            "floor": scores["joint_error_before"],
            "seconds": repair.seconds["paint"],
            "leaked": leaked(repair, hand),
            **likeness(subject.pixels, hand),
        }
        pictures[name] = painted(subject.pixels, hand)
    return values, pictures


def table(kind: str, measured: dict[str, tuple[str, dict[str, dict[str, float]]]]) -> list[str]:
    """Lines of the table of one set; several hands of one picture count as one unit."""
    names = list(next(iter(measured.values()))[1])
    lines = [f"— {kind}: {len(measured)} hands in {len({unit for unit, _ in measured.values()})} pictures"]

    def column(name: str, key: str) -> np.ndarray:
        by_unit = defaultdict(list)
        for unit, rows in measured.values():
            by_unit[unit].append(rows[name].get(key, np.nan))
        return np.array([np.mean(v) for v in by_unit.values()])

    lines.append(row("untouched: found, %", column("draw", "found_before"), mean, scale=100))
    lines.append(row("untouched: joint error (floor), median %", column("draw", "floor"), median, scale=100))
    lines.append(row("untouched: joint error (floor), mean %", column("draw", "floor"), mean, scale=100))
    for name in names:
        lines += [
            row(f"{name}: found again, %", column(name, "found_again"), mean, scale=100),
            row(f"{name}: joint error, median %", column(name, "error"), median, scale=100),
            row(f"{name}: joint error, mean %", column(name, "error"), mean, scale=100),
            row(f"{name}: ΔE00, median", column(name, "delta_e"), median),
            row(f"{name}: |sharpness ratio − 1|, median", abs(column(name, "sharpness") - 1), median),
            row(f"{name}: seconds a hand, median", column(name, "seconds"), median),
        ]
        if name != "draw":
            for key, scale in (("found_again", 100), ("error", 100), ("delta_e", 1)):
                apart = column(name, key) - column("draw", key)
                lines.append(row(f"   {key} less draw's, mean", apart, mean, scale=scale))
        lines.append(f"{name}: samples changed outside the mask {int(np.nansum(column(name, 'leaked')))}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, help="hands per set")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--set", choices=tuple(COUNTS), action="append")
    parser.add_argument("--only", action="append", help="rows to run")
    parser.add_argument("--json", type=Path, help="keep what is measured here")
    parser.add_argument("--sheet", type=Path, help="NAME.png: contact sheets NAME_<set>_00.png …")
    options = parser.parse_args()
    rows = painters(options.model, options.guidance)
    rows = {name: rows[name] for name in options.only or rows}
    kept = json.loads(options.json.read_text("utf-8")) if options.json and options.json.exists() else {}
    sets = options.set or [kind for kind in COUNTS if kind != "real" or "HANDWRIGHT_PHOTOS" in os.environ]
    with open_engine() as engine:
        for kind in sets:
            measured, groups = kept.setdefault(kind, {}), []
            for number, subject in enumerate(subjects(kind, options.n or COUNTS[kind], None)):
                if f"{number}" in measured and not options.sheet:
                    continue
                values, pictures = measure(subject, rows, engine)
                measured[f"{number}"] = subject.unit, values
                if options.json:
                    options.json.write_text(json.dumps(kept), "utf-8")
                if options.sheet:
                    tiles = [subject.pixels, *pictures.values()]
                    box = subject.bbox or (0, 0, *subject.pixels.shape[1::-1])
                    groups.append((f"{subject.name} {subject.group}", [hand_crop(p, box) for p in tiles]))
            print("\n".join(table(kind, measured)), flush=True)
            if options.sheet:
                name = options.sheet.with_name(f"{options.sheet.stem}_{kind}.png")
                print("sheets:", *save_pages(name, groups))


if __name__ == "__main__":
    main()
