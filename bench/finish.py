"""A trained finish on malformed hands of image generators: python bench/finish.py RUN HANDS … -o DIR.

RUN is a folder that `handwright train finish` wrote, HANDS are folders with a hands.jsonl (``ai_hands``, or
what scripts/read_generated_hands.py makes), of which the split 'train' is read. Malformed hands on which both
labels agree, at most ``PER_REPOSITORY`` of a repository, are drawn in the first pose, and the drawing is
finished. Sheets in DIR show pairs in random order and sides: the old hand and the drawn one, the old and the
finished one, the drawn and the finished one. With --answers it counts what viewers found
(``real_repairs.scored``).
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image as PILImage

import handwright.drawing.painter
import sheets
from handwright.data.labelled_pictures import box_of, label_of, labelled_pictures, read_pixels
from handwright.drawing.painter import DrawResult
from handwright.metrics.extractors.network import load_network
from handwright.refine.pipeline import Engine, open_engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.training.finish_planes import FinishSquare, cut_planes, finish_inputs
from handwright.training.networks.finish import FinishConfig, FinishNetwork, chosen
from handwright.types import Box, Image
from real_repairs import save_sheets, scored

LEAST_PX, PER_REPOSITORY, SEED = 64, 5, 5
"""Size of the labelled boxes in px; hands of one repository at most; seed of the painter."""


def finished(network: FinishNetwork, crop: np.ndarray, drawn: DrawResult) -> np.ndarray:
    """The drawn crop as the network finishes it; what the drawing left alone stays."""
    square = FinishSquare.around(drawn.painted)
    planes = cut_planes(finish_inputs(crop, drawn), square).astype(np.float32)
    with torch.no_grad():
        parts = chosen(network(torch.from_numpy(planes).permute(2, 0, 1)[None].contiguous()))
    kept, change = (
        square.back(np.ascontiguousarray(part[0].permute(1, 2, 0).numpy()), crop.shape[:2]) for part in parts
    )
    kept = kept.reshape(*crop.shape[:2], 1)
    new = drawn.pixels + np.float32(127.5) * change
    mixed = np.clip(np.rint(kept * crop + (1 - kept) * new), 0, 255).astype(np.uint8)
    return np.where(drawn.painted[..., None], mixed, crop)


def malformed(folders: Sequence[Path], seed: int) -> Iterator[tuple[str, np.ndarray, Box]]:
    """Repository, picture and box of malformed hands, in random order."""
    items = []
    for folder in folders:
        for line in labelled_pictures(folder, "train"):
            boxes = [box_of(hand["box"]) for hand in line["hands"] if label_of(hand) == "malformed"]
            items += [(folder, line, b) for b in boxes if max(b[2] - b[0], b[3] - b[1]) >= LEAST_PX]
    for k in np.random.default_rng(seed).permutation(len(items)):
        folder, line, box = items[k]
        yield line["repo"], read_pixels(folder, line), box


def first_drawing(pixels: np.ndarray, box: Box, engine: Engine) -> tuple[np.ndarray, DrawResult] | None:
    """The crop and the first drawing of the hand in a box; None where nothing is drawn."""
    seen: list[tuple[np.ndarray, DrawResult]] = []
    draw: Callable[..., DrawResult] = handwright.drawing.painter.draw_hand

    def recorded(crop: np.ndarray, *args: Any, **options: Any) -> DrawResult:
        drawn = draw(crop, *args, **options)
        seen.append((crop.copy(), drawn))
        return drawn

    settings = RefineSettings(seed=SEED, boxes=(box,), budget_s=0.01)
    with mock.patch.object(handwright.drawing.painter, "draw_hand", recorded):
        refine_picture(Image(pixels), settings, engine)
    return seen[0] if seen and seen[0][1].painted.any() else None


def pairs_of(
    number: int, crop: np.ndarray, drawn: DrawResult, new: np.ndarray, out: Path
) -> list[dict[str, Any]]:
    """Save the three versions of a hand; three pairs for ``save_sheets``."""
    rows, columns = np.nonzero(drawn.painted)
    box = [float(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
    paths = {name: str((out / f"{number:03d}-{name}.png").resolve()) for name in ("old", "drawn", "finished")}
    for path, version in zip(paths.values(), (crop, drawn.pixels, new), strict=True):
        PILImage.fromarray(version).save(path)
    return [
        {"id": f"{number:03d}", "group": f"{b} against {a}", "box": box, "old": paths[a], "new": paths[b]}
        for a, b in (("old", "drawn"), ("old", "finished"), ("drawn", "finished"))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("hands", type=Path, nargs="+")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=36, help="hands")
    parser.add_argument("--seed", type=int, default=11, help="of the choice of hands")
    parser.add_argument("--answers", type=Path, nargs="+", default=[], help="a file a viewer of the sheets")
    args = parser.parse_args()
    if args.answers:
        print(scored(args.out / "key.json", args.answers))
        return
    torch.set_num_threads(1)
    folder = args.run / "model" / "finish"
    network = load_network(folder, "a finish", lambda fields: FinishNetwork(FinishConfig(**fields))).eval()
    args.out.mkdir(parents=True, exist_ok=True)
    pairs: list[dict[str, Any]] = []
    kept, taken = list[float](), Counter[str]()
    with open_engine() as engine:
        for repository, pixels, box in malformed(args.hands, args.seed):
            made = None if taken[repository] >= PER_REPOSITORY else first_drawing(pixels, box, engine)
            if made is None:
                continue
            crop, drawn = made
            new = finished(network, crop, drawn)
            pairs += pairs_of(len(kept), crop, drawn, new, args.out)
            same = np.abs(new.astype(int) - crop).max(-1) <= 4
            kept.append(float(same[drawn.painted].mean()))
            taken[repository] += 1
            if len(kept) == args.n:
                break
    with mock.patch.multiple(sheets, PAIRS_A_ROW=2, ROWS_A_PAGE=3):
        save_sheets(pairs, args.out)
    print(
        f"{len(kept)} hands; of what was painted {np.median(kept):.0%} (median) differs by 4 levels at most"
    )


if __name__ == "__main__":
    main()
