"""Painters side by side: python bench/painters.py [--row NAME …] [--set SET] [--n N] [--json FILE]

The same fitted hand of every test picture is repainted by every row and looked at again: rendered hands and,
where $HANDWRIGHT_PHOTOS is set, real test-only ones. Bootstrap 95 % intervals, pictures as units; differences
are paired, of the pictures that both rows have. With ``--json`` what is measured already is kept, so that a
run that was cut off goes on and rows may have an N of their own. Joint error is SPEC's MPJPE in % of hand
size, misses 100 %; the floor is the same on the untouched picture. KID-H: crops as they come out, against
sound hands of other rendered pictures; of real hands, against the same hands untouched. ``--untuned DIR`` is
a ControlNet of the same UNet that learnt from whole scenes.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from draw import leaked, likeness, nearest, painted
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.metrics.crops import hand_crop as metric_crop
from handwright.metrics.extractors.choose import open_extractor
from handwright.metrics.extractors.features import FeatureExtractor
from handwright.refine.pipeline import Engine, inspect_picture, open_engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.types import Image
from painters_table import UNTOUCHED, Features, Values, table
from sheets import hand_crop, save_pages
from subjects import Subject, subjects

COUNTS = {"rendered": 500, "real": 200}
MISSED: Values = {"found_again": 0.0, "found_before": 0.0, "error": 1.0, "floor": 1.0}
ONE_PAINTING_S = 1e-3
"""Budget of a hand: the first painting is the one that is measured, and no other is made."""

REFERENCE_FROM, REFERENCES = 20_000, 500
"""First seed and number of the rendered hands that KID-H measures against."""


def painters(model: str, guidance: float | None, untuned: str | None) -> dict[str, RefineSettings]:
    """Settings by the name of their row."""
    known = {} if guidance is None else {"guidance": guidance}

    def diffusing(painter: str, **more: object) -> RefineSettings:
        return RefineSettings(painter=painter, diffusion=DiffusionSettings(model=model, **known, **more))

    rows = {
        "draw": RefineSettings(),
        "harmonise": diffusing("harmonise", strength="fixed"),
        "diffuse": diffusing("diffuse", strength=1.0),
        "diffuse, no control": diffusing("diffuse", strength=0.0),
        "diffuse, 50 steps of DDIM": diffusing("diffuse", strength=1.0, steps=50, sampler="ddim"),
        "diffuse, fixed strength": diffusing("diffuse", strength="fixed"),
        "diffuse, auto": diffusing("diffuse", strength="auto"),
    }
    if untuned is not None:
        rows["diffuse, untuned"] = diffusing("diffuse", strength=1.0, controlnet=untuned)
    return rows


def measure(
    subject: Subject, rows: dict[str, RefineSettings], engine: Engine, extractors: Sequence[FeatureExtractor]
) -> tuple[dict[str, Values], dict[str, np.ndarray]]:
    """What every painter reaches on one hand, and its pictures."""
    image = Image(subject.pixels)
    wanted = nearest(inspect_picture(image, RefineSettings(), engine).hands, subject)
    if wanted is None:
        return {name: dict(MISSED) for name in rows}, dict.fromkeys(rows, subject.pixels)
    hands = ((wanted.observation, wanted.fit.hand),)
    box = subject.bbox or wanted.observation.bbox_xyxy_px
    values: dict[str, Values] = {}
    pictures: dict[str, np.ndarray] = {}
    for name, settings in rows.items():
        asked = replace(settings, hands=hands, budget_s=ONE_PAINTING_S)
        repair = refine_picture(image, asked, engine)
        hand = repair.hands[0]
        scores = hand.candidates[0].scores
        pictures[name] = painted(subject.pixels, hand)
        values[name] = {
            "found_again": scores["found_again"],
            "found_before": scores["found_before"],
            "error": scores["joint_error"],
            "floor": scores["joint_error_before"],
            "seconds": repair.seconds["paint"],
            "leaked": leaked(repair),
            "features": features(extractors, pictures[name], box),
            **likeness(subject.pixels, hand),
        }
    values[UNTOUCHED] = {"features": features(extractors, subject.pixels, box)}
    return values, pictures


def features(
    extractors: Sequence[FeatureExtractor], pixels: np.ndarray, box: tuple[float, float, float, float]
) -> Features:
    """Of the hand's crop, rounded so that they can be kept as text."""
    crop = metric_crop(pixels, box)[None]
    return {each.name: [round(float(v), 4) for v in each(crop)[0]] for each in extractors}


def reference(kept: dict[str, list[Features]], extractors: Sequence[FeatureExtractor]) -> list[Features]:
    """Features of rendered hands that nobody repaints."""
    told = kept.setdefault("reference", [])
    if len(told) == REFERENCES:
        return told
    for subject in subjects("rendered", REFERENCES - len(told), REFERENCE_FROM + len(told)):
        assert subject.bbox is not None
        told.append(features(extractors, subject.pixels, subject.bbox))
    return told


def worst(measured: dict[str, dict[str, dict[str, Values]]], row: str, count: int) -> set[str]:
    """Numbers of the hands at which a row's joint error exceeds the floor's most."""
    told = {number: entry["rows"][row] for number, entry in measured.items() if row in entry["rows"]}
    return set(sorted(told, key=lambda k: (told[k]["floor"] - told[k]["error"], int(k)))[:count])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--row", action="append", help="rows to run; by default all")
    parser.add_argument("--set", choices=tuple(COUNTS), action="append")
    parser.add_argument("--n", type=int, help="hands per set")
    parser.add_argument("--part", default="0/1", help="K/N: only every N-th hand, to share the work")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--untuned", help="folder of a ControlNet that learnt from whole scenes")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--extractor", action="append", help="of KID-H; by default both of ours")
    parser.add_argument("--json", type=Path, help="keep what is measured here")
    parser.add_argument("--sheet", type=Path, help="NAME.png: contact sheets NAME_<set>_00.png …")
    parser.add_argument("--worst", type=int, help="sheet of so many hands of --json, the last row's worst")
    options = parser.parse_args()
    rows = painters(options.model, options.guidance, options.untuned)
    rows = {name: rows[name] for name in options.row or rows}
    part, parts = map(int, options.part.split("/"))
    kept = json.loads(options.json.read_text("utf-8")) if options.json and options.json.exists() else {}
    sets = options.set or [kind for kind in COUNTS if kind != "real" or "HANDWRIGHT_PHOTOS" in os.environ]
    extractors = [open_extractor(name) for name in options.extractor or ("hw-v2", "referee-v1")]
    with open_engine() as engine:
        for kind in sets:
            measured, groups = kept.setdefault(kind, {}), []
            chosen = worst(measured, list(rows)[-1], options.worst) if options.worst else None
            for number, subject in enumerate(subjects(kind, options.n or COUNTS[kind], None)):
                entry = measured.setdefault(f"{number}", {"unit": subject.unit, "rows": {}})
                missing = {n: s for n, s in rows.items() if options.sheet or n not in entry["rows"]}
                if number % parts != part or not missing or (chosen and f"{number}" not in chosen):
                    continue
                values, pictures = measure(subject, missing, engine, extractors)
                entry["rows"] |= values
                if options.json:
                    options.json.write_text(json.dumps(kept), "utf-8")
                if options.sheet:
                    tiles = [subject.pixels, *pictures.values()]
                    box = subject.bbox or (0, 0, *subject.pixels.shape[1::-1])
                    groups.append((f"{subject.name} {subject.group}", [hand_crop(p, box) for p in tiles]))
            if chosen is None:
                sound = reference(kept, extractors) if kind == "rendered" else None
                print("\n".join(table(kind, measured, [e.name for e in extractors], sound)), flush=True)
            if options.sheet:
                name = options.sheet.with_name(f"{options.sheet.stem}_{kind}.png")
                print("sheets:", *save_pages(name, groups))
    if options.json:
        options.json.write_text(json.dumps(kept), "utf-8")


if __name__ == "__main__":
    main()
