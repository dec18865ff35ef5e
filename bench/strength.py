"""Ways to a control strength side by side: python bench/strength.py [--n N] [--model DIR] [--json FILE].

What `--strength auto` was chosen from. Every way paints the same rendered hands from pure noise (seeds 840000
and up, which nothing reports) with one seed:

    fixed, full, adaptive   the stored strength, 1, the paper's search
    until L                 1 while more than a share L of the schedule is left, then the stored one
    … or again E            that way; where its joints lie E % of hand size off or more, also 1: the nearer
    rescue K                the stored one; x̂0 of step K is looked at, and 1 from there on where it is 6 % off
    relax K                 1; x̂0 of step K is looked at, and the stored one from there on where it is near

Joint error as everywhere (mean and median in % of hand size, misses 100 %), fine detail as in `handwright
reproduce`, cost in seconds over fixed's, bootstrap 95 % intervals, hands as units. With ``--json`` what is
measured already is kept.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import Inpainted
from handwright.handrefiner.strength import STRENGTHS, Strength, adaptive
from handwright.refine.diffusing import DiffusePainter
from handwright.refine.painting import Painting, Studio, paint_once
from handwright.refine.pipeline import open_engine
from handwright.refine.settings import RefineSettings
from handwright.refine.stopwatch import Stopwatch
from handwright.reproduce.painted import Listener, texture_energy
from handwright.reproduce.subjects import Subject, read_subject, rendered
from handwright.review.judge import Judge
from measures import bootstrap, mean, median

FIRST, SIZE_PX, NEAR = 840_000, 384, 0.06
UNTIL, LOOKS, LIMITS = (0.3, 0.5, 0.7, 0.9), (3, 5, 7), (0.06, 0.1, 1.0)


@dataclass
class Easel:
    """Paints one subject again and again and remembers what it cost."""

    subject: Subject
    settings: DiffusionSettings
    network: Listener
    judge: Judge

    def paint(self, strength: Strength, network: object = None, keep: bool = False) -> tuple[Painting, float]:
        painter = DiffusePainter(self.settings, lambda: network or self.network, keep)
        settings = RefineSettings(painter="diffuse", diffusion=self.settings)
        studio = Studio(painter, settings, self.judge, Stopwatch())
        started = time.perf_counter()
        made = paint_once(self.subject.pixels, [self.subject.task], self.subject.scene, 0, strength, studio)
        return made, time.perf_counter() - started

    def look_at(self, step: int) -> tuple[float, float]:
        """Joint error of x̂0 after some steps of the last painting, and what looking cost."""
        asked, made = self.network.last
        shown = made.steps[step - 1].predicted.astype(np.float32)
        still = replace_network(self.network, Inpainted(shown))
        painting, seconds = self.paint(asked.strength, still)
        return painting.error, seconds


def replace_network(network: Listener, answer: Inpainted) -> Listener:
    """One that has the answer already."""
    still = Listener(network.network)
    still.inpaint = lambda asked: answer
    return still


def ways(easel: Easel) -> dict[str, dict[str, float]]:
    """Error, fine detail and seconds of every way on one hand."""
    steps, fixed = easel.settings.steps, easel.network.fixed_strength
    rows = {}

    def note(name: str, strength: Strength) -> dict[str, float]:
        made, seconds = easel.paint(strength)
        texture = texture_energy(*easel.network.last)
        rows[name] = {"error": made.error, "texture": texture, "seconds": seconds}
        return rows[name]

    note("fixed", fixed)
    full = note("full", 1.0)
    tried = {s: note(f"s {s:g}", s) for s in STRENGTHS}
    tried[1.0] = full
    choice = adaptive(lambda s: Tried(s, tried[s]["error"])).choice
    won = tried[choice.tried[choice.won].strength]
    rows["adaptive"] = {**won, "seconds": sum(tried[one.strength]["seconds"] for one in choice.tried)}
    for until in UNTIL:
        early = sum(1 - k / steps > until for k in range(steps))
        note(f"until {until:g}", (1.0,) * early + (fixed,) * (steps - early))
    for name in ("fixed", *(f"until {until:g}" for until in UNTIL)):
        for limit in LIMITS:
            first = rows[name]
            again = first["error"] >= limit
            better = full if again and full["error"] < first["error"] else first
            seconds = first["seconds"] + again * full["seconds"]
            rows[f"{name} or again {100 * limit:g}"] = {**better, "seconds": seconds}
    for name, first, then in (("rescue", fixed, 1.0), ("relax", 1.0, fixed)):
        for step in LOOKS:
            easel.paint(first, keep=True)
            error, looking = easel.look_at(step)
            off = error >= NEAR
            changed = off if name == "rescue" else not off
            row = note(f"{name} {step}", (first,) * step + ((then if changed else first),) * (steps - step))
            row["seconds"] += looking
    return rows


@dataclass(frozen=True)
class Tried:
    """A painting that is known already."""

    strength: float
    error: float


def table(measured: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """A line a way."""
    hands = list(measured.values())
    lines = [
        f"{len(hands)} hands; joint error mean and median, %; found again, %; fine detail; seconds / fixed's"
    ]
    for name in hands[0]:
        rows = [hand[name] for hand in hands]
        error = np.array([[100 * row["error"]] for row in rows])
        texture = np.array([[np.nan if row["texture"] is None else row["texture"]] for row in rows])
        costs = [[row["seconds"], hand["fixed"]["seconds"]] for row, hand in zip(rows, hands, strict=True)]
        told = (
            bootstrap(error, mean),
            bootstrap(error, median),
            bootstrap((error < 100) * 100.0, mean),
            bootstrap(texture, mean),
            bootstrap(np.array(costs), lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum())),
        )
        lines.append(f"{name:22s} " + "  ".join(f"{v:6.2f} [{a:.2f}, {b:.2f}]" for v, a, b in told))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--json", type=Path, help="keep what is measured here")
    options = parser.parse_args()
    settings = DiffusionSettings(model=options.model)
    kept = json.loads(options.json.read_text("utf-8")) if options.json and options.json.exists() else {}
    with open_engine() as engine:
        network = Listener(engine.inpainters(settings))
        for picture in rendered(FIRST, options.n, SIZE_PX):
            subject = None if picture.name in kept else read_subject(picture, engine.landmarker)
            if subject is None:
                continue
            kept[picture.name] = ways(Easel(subject, settings, network, engine.judge))
            if options.json:
                options.json.write_text(json.dumps(kept), "utf-8")
    print("\n".join(table(kept)))


if __name__ == "__main__":
    main()
