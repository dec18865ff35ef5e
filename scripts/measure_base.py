"""How near a text-to-image model comes to its data: scripts/measure_base.py MODEL --shards DIR -o FILE.

Of every kind of DIR (hands, people) the first N pictures that training never sees, by the rule of
``training.streams.picture_shards``. MODEL paints the caption of each from a seed of its own, and KID on
ImageNet features says how far these are from the N pictures; its floor are other held-out pictures against
them. Appends a line of JSON to FILE, so that a training's curve grows as it goes on, and writes a sheet
beside it: wanted above, painted below.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.shards import list_shards, read_shards
from handwright.data.synthesise import tiled
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import UsageError
from handwright.handiffuser.pipeline import HanDiffuserPipeline
from handwright.image import write_png
from handwright.metrics.estimate import Estimate
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import extract
from handwright.metrics.kernel import kernel_distance
from handwright.training.recipes.text_to_image import TextToImageParams
from handwright.training.streams.picture_shards import held_out, none_held_out, resized

KINDS, EXTRACTOR = ("hands", "people"), "imagenet"
SHOWN = 8
"""Pictures of a kind on the sheet."""


def held_out_pictures(folder: Path, side: int, count: int) -> tuple[np.ndarray, list[str]]:
    """The first held-out pictures of a folder of shards, uint8 [N, S, S, 3], and a caption of each."""
    kept = (
        (resized(entry.pictures["image"], side), entry.record["caption"])
        for path in list_shards(folder)
        for entry in read_shards([path])
        if held_out(f"{path.name}/{entry.key}")
    )
    found = list(islice(kept, count))
    if not found:
        raise UsageError(*none_held_out(folder))
    return np.stack([picture for picture, _ in found]), [caption for _, caption in found]


def painted(model: Path, captions: list[str], side: int, params: TextToImageParams) -> np.ndarray:
    """A picture of each caption by the text alone, uint8 [N, S, S, 3]."""
    base = HandRefinerPipeline.from_pretrained(model, control_needed=False)
    paint = HanDiffuserPipeline(base, None)
    options: dict[str, Any] = {"num_inference_steps": params.steps, "guidance_scale": params.guidance}
    return np.stack(
        [paint(text, side, side, hands={}, seed=k, **options).image for k, text in enumerate(captions)]
    )


def entry_of(estimate: Estimate) -> list[float]:
    return [round(float(v), 5) for v in (estimate.value, estimate.low, estimate.high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="model/ of a run")
    parser.add_argument("--shards", type=Path, required=True, help="folder with hands/ and people/")
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--n", type=int, default=60, help="pictures of each kind, at most")
    parser.add_argument("--note", default="", help="kept in the line, such as the step")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON lines")
    args = parser.parse_args()
    began, extractor, params = time.perf_counter(), open_extractor(EXTRACTOR), TextToImageParams()
    line: dict[str, Any] = {"note": args.note, "model": str(args.model), "extractor": extractor.name}
    sheet = list[np.ndarray]()
    for kind in KINDS:
        pictures, captions = held_out_pictures(args.shards / kind, args.resolution, 2 * args.n)
        wanted, others = pictures[: len(pictures) // 2], pictures[len(pictures) // 2 :]
        made = painted(args.model, captions[: len(wanted)], args.resolution, params)
        known, floor, reached = (extract(set_, extractor) for set_ in (wanted, others, made))
        line[kind] = {
            "n": len(made),
            "kid": entry_of(kernel_distance(known, reached)),
            "floor": entry_of(kernel_distance(known, floor)),
        }
        sheet += [*wanted[:SHOWN], *made[:SHOWN]]
    line["minutes"] = round((time.perf_counter() - began) / 60, 2)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with args.output.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    write_png(args.output.with_suffix(".png"), tiled(sheet, SHOWN))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
