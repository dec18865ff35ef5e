"""Variants of the family side by side: bench/variants.py --data DIR --held DIR --work DIR [--only NAME].

Small families (128² pictures, 3.6 M weights) are trained for the same number of samples on DIR of --data, one
after another, and measured alike on one hand of each picture of --held, shards of another seed, and on every
twelfth photograph of --data, which none of them learns from. Both a training that was cut off and a list that
was go on where they were. Bootstrap 95 % intervals, hands as units; differences to the default are paired.
Written to WORK: results.json as they come, table.md and sheet.jpg.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handwright.perception.detect.landmarker import HandLandmarker
from handwright.training.panels import words
from handwright.training.streams.crop_folders import load_crops
from handwright.training.streams.crops import Crops
from measures import bootstrap, mean
from variant_measures import How, held_hands, looked_at, middle, painted, told_from_noise
from variant_training import RESOLUTION, Variant, drawn_pictures, small_tokenizer, train_variant

SIZE = 9 * RESOLUTION // 8
DEFAULT = Variant()
VARIANTS = {
    "default": DEFAULT,
    "epsilon": replace(DEFAULT, prediction="epsilon"),
    "flow": replace(DEFAULT, prediction="flow"),
    "x0": replace(DEFAULT, prediction="sample"),
    "default, seed 1": replace(DEFAULT, seed=1),
    "half of the batches start drawn": replace(DEFAULT, drawn=True),
    "text-to-image first, then inflated": replace(DEFAULT, text_first=True),
    "no min-SNR": replace(DEFAULT, snr_gamma=0.0),
    "no photographs": replace(DEFAULT, photograph_share=0.0),
    "half photographs": replace(DEFAULT, photograph_share=0.5),
    "no augmentation": replace(DEFAULT, augmented=False),
    "16 channels": replace(DEFAULT, channels=16),
    "32 channels": replace(DEFAULT, channels=32),
    "half as wide": replace(DEFAULT, widths=(24, 40, 56)),
    "two layers a level": replace(DEFAULT, layers=2),
    "guidance 3 distilled": replace(DEFAULT, distilled=True),
    "learnt codec": replace(DEFAULT, learnt=True),
    "4 × 4 patches, 16 channels": replace(DEFAULT, patch=4, channels=16),
}
FROM_DRAWN = How(steps=4, level=0.4)
STEPS = (4, 8, 10, 20)
SWEEP = {f"{name}, {n} steps": How(name, n) for name in ("ddim", "dpm++", "unipc", "euler") for n in STEPS}
SWEEP |= {"ddim, 50 steps": How("ddim", 50)}
SWEEP |= {f"guidance {w:g}": How(guidance=w) for w in (1.0, 1.5, 3.0)}
SWEPT, SHOWN = 50, 10
COLUMNS = {
    "PSNR": ("told from noise, dB", 1, 2),
    "latent error": ("its latents, squared error", 1, 3),
    "found": ("found again, %", 100, 1),
    "joint error": ("joint error, %", 100, 1),
    "ΔE00": ("ΔE00", 1, 1),
    "sharpness": ("sharpness ratio", 1, 2),
}
"""Label, factor and decimals of the tables' columns."""


def measured(
    family: Any, held: Crops, photographs: Crops, eyes: HandLandmarker, strip: Path
) -> dict[str, Any]:
    """All numbers of one family; the first hands that it painted go to ``strip``."""
    began = time.process_time()
    made = painted(family, held, How())
    seconds = (time.process_time() - began) / len(held)
    Image.fromarray(np.concatenate(list(made[:SHOWN]), 1)).save(strip)
    return {
        "from drawn": looked_at(painted(family, held, FROM_DRAWN), held, eyes),
        "seconds": seconds,
        "parameters": sum(p.numel() for p in family.unet.parameters()),
        "hands": told_from_noise(family, held) | looked_at(made, held, eyes),
        "photographs": told_from_noise(family, photographs),
    }


def swept(family: Any, held: Crops, eyes: HandLandmarker, kept: dict[str, Any], save: Any) -> None:
    """Solvers, steps and guidance of one family."""
    hands = held.where(slice(SWEPT))
    for name, how in SWEEP.items():
        if name not in kept:
            began = time.process_time()
            made = painted(family, hands, how)
            kept[name] = looked_at(made, hands, eyes) | {
                "seconds": (time.process_time() - began) / len(hands)
            }
            save()


def compared(values: dict[str, list[float]], default: dict[str, list[float]], name: str) -> str:
    """A cell: mean with its interval, and below it the paired difference to the default."""
    if name not in values:
        return ""
    _, scale, decimals = COLUMNS[name]
    own, base = (scale * np.array(v[name], float) for v in (values, default))
    text = _interval(own, f".{decimals}f")
    return text if values is default else f"{text}<br>{_interval(own - base[: len(own)], f'+.{decimals}f')}"


def _interval(values: np.ndarray, form: str) -> str:
    middle, low, high = (format(v, form) for v in bootstrap(values[:, None], mean))
    return f"{middle} [{low}, {high}]"


def table(
    results: dict[str, dict[str, dict[str, list[float]]]], default: dict[str, list[float]]
) -> list[str]:
    """Markdown rows, one a name."""
    head = [label for label, _, _ in COLUMNS.values()]
    lines = ["| | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    for name, values in results.items():
        lines.append(f"| {name} | " + " | ".join(compared(values, default, c) for c in COLUMNS) + " |")
    return lines


def written(
    results: dict[str, Any], plain: dict[str, dict[str, list[float]]], held: Crops, work: Path
) -> None:
    """Tables and the sheet of what is measured so far."""
    families = {n: r for n, r in results.items() if n in VARIANTS}
    default = families["default"]["hands"]
    rows = {"untouched": plain["untouched"]} | {n: r["hands"] for n, r in families.items()}
    drawn = {"drawn": plain["drawn"]} | {n: r["from drawn"] for n, r in families.items()}
    photographs = {n: r["photographs"] for n, r in families.items()}
    sweep = results.get("sweep", {})
    parts = [
        table(rows, default),
        table(drawn, families["default"]["from drawn"]),
        table(photographs, families["default"]["photographs"]),
        table(sweep, sweep["guidance 1"]) if "guidance 1" in sweep else [],
    ]
    weights = ["| | million weights of the UNet | CPU seconds a hand, 10 steps |", "|---|---|---|"]
    weights += [f"| {n} | {r['parameters'] / 1e6:.1f} | {r['seconds']:.2f} |" for n, r in families.items()]
    parts.append(weights)
    (work / "table.md").write_text("\n\n".join("\n".join(p) for p in parts) + "\n", "utf-8")
    first = [
        np.concatenate(list(p[:SHOWN]), 1) for p in (held.pixels, np.repeat(held.depth[..., None], 3, -1))
    ]
    strips = {"picture": first[0], "depth": first[1]}
    strips |= {n: np.asarray(Image.open(work / f"{slug(n)}.png")) for n in families}
    lines = [
        np.concatenate([words(["", "", n, ""], 220, RESOLUTION // 4 - 1), s], 1) for n, s in strips.items()
    ]
    Image.fromarray(np.concatenate(lines)).save(work / "sheet.jpg", quality=60)


def slug(name: str) -> str:
    """A folder's name."""
    return "".join(c if c.isalnum() else "-" for c in name)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("data", "held", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=12_000, help="that each variant sees")
    parser.add_argument("--only", action="append", choices=(*VARIANTS, "sweep"), help="default: all")
    options = parser.parse_args()
    crops = load_crops(options.data, SIZE)
    photographs = np.nonzero(~crops.rendered)[0][::12]
    seen = middle(crops.where(photographs))
    crops = crops.where(np.setdiff1d(np.arange(len(crops)), photographs))
    held, tokenizer = held_hands(options.held, SIZE), small_tokenizer(crops)
    options.work.mkdir(parents=True, exist_ok=True)
    store = options.work / "results.json"
    results = json.loads(store.read_text("utf-8")) if store.exists() else {}

    def save() -> None:
        store.write_text(json.dumps(results), "utf-8")

    with HandLandmarker() as eyes:
        pictures = {"untouched": held.pixels, "drawn": drawn_pictures(held)}
        plain = {n: looked_at(p, held, eyes) for n, p in pictures.items()}
        for name in options.only or [*VARIANTS, "sweep"]:
            if name == "sweep":
                from handwright.training.networks.family import open_family

                family = open_family(options.work / "default" / "model")
                swept(family, held, eyes, results.setdefault("sweep", {}), save)
            elif name not in results:
                folder = options.work / slug(name)
                family = train_variant(
                    VARIANTS[name], crops, options.samples, folder, options.work / "default", tokenizer
                )
                told = measured(family, held, seen, eyes, options.work / f"{slug(name)}.png")
                results[name] = told | {"samples": options.samples}
            save()
            written(results, plain, held, options.work)
            print(f"{name} done", flush=True)


if __name__ == "__main__":
    main()
