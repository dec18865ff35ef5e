"""Malformed hands in the manner of a diffusion model: scripts/paint_defects.py WORLD -o DIR [--n N].

WORLD holds shards of `handwright synth --kind defects`. Stage I of the two-stage system paints each hand
from noise under the depth of what is drawn, with all that is wrong with it; its prompt is of a sound one.
Written are NAME.png and a line of hands.jsonl for each: the file, its box and the names of its defects. Such
hands tell what viewers, and the review, find in pictures of the painter's own kind.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from handwright.data.shards import read_shards
from handwright.diffusion.free_painting import noise_source
from handwright.hand.defects import Defect
from handwright.image import write_png
from handwright.training.streams.whole_pictures import refuse_test_only
from handwright.two_stage.diffusion_engine import DiffusionEngine
from handwright.two_stage.hand_crops import CROP_PER_BOX
from handwright.two_stage.hand_stage import HandStage
from handwright.two_stage.settings import TwoStageSettings
from make_repainted_pictures import cut

LEAST_PX, LEAST_SEEN = 80, 500  # Of a hand's longer side; pixels that its drawn and its sound depth share
FARTHEST, INLIERS = 20.0, 0.8
"""Least value of a hand's depth; share of the pixels that both depths have which the second fit keeps."""

DOMAIN, DEFECT = "a 3D rendered image of ", ", with "


@dataclass(frozen=True, eq=False)
class DepthCrop:
    """A crop of stage I that is known by its depth alone."""

    sides: tuple[str, ...]
    depth: np.ndarray  # uint8 [r, r]
    corner: None = None

    @property
    def resolution(self) -> int:
        """Pixels along each side."""
        return len(self.depth)

    @property
    def window(self) -> tuple[int, int, int, int]:
        """The picture is the crop."""
        return 0, 0, self.resolution, self.resolution


def drawn_depth(pictures) -> np.ndarray | None:
    """Depth control of the hand as it is drawn, uint8 [h, w]; None where it has too little of the sound one.

    ``scene`` is inverse depth of everything; the line that takes it to the sound hand's depth control, where
    both have the hand, takes the rest of the hand there, too.
    """
    sound, scene = (pictures[name].astype(np.float64) for name in ("depth", "scene"))
    hand = pictures["mask"] > 0
    both = hand & (sound > 0) & (scene > 0)
    if both.sum() < LEAST_SEEN:
        return None
    scale, bias = np.polyfit(scene[both], sound[both], 1)
    off = np.abs(scale * scene + bias - sound)
    kept = both & (off <= np.quantile(off[both], INLIERS))
    scale, bias = np.polyfit(scene[kept], sound[kept], 1)
    depth = np.where(hand, np.clip(scale * scene + bias, FARTHEST, 255), 0)
    smooth = cv2.bilateralFilter(depth.astype(np.float32), 7, 12, 3)  # 8 bits of a whole scene have steps
    return np.where(hand, smooth, 0).astype(np.uint8)


def crop_of(entry, resolution: int) -> tuple[DepthCrop, list[str]] | None:
    """The crop of a malformed hand that stands alone and has no glove, and its defects; else None.

    A detached hand is none: of the arm that it lacks its depth has nothing.
    """
    hands = entry.record["hands"]
    if len(hands) != 1 or hands[0].get("gloved"):
        return None
    defects = [defect["name"] for defect in hands[0].get("defects", ())]
    if not defects or Defect.DETACHED in defects:
        return None
    points = np.array(hands[0]["keypoints_px"])
    low, high = points.min(0), points.max(0)
    depth = drawn_depth(entry.pictures) if (high - low).max() >= LEAST_PX else None
    if depth is None:
        return None
    side = CROP_PER_BOX * float((high - low).max())
    square = cut(depth, (low + high - side) / 2, side, resolution)
    return DepthCrop((hands[0]["side"],), square), defects


def prompt_of(record) -> str:
    """The caption of the sound hand."""
    return record["captions"]["natural"].rsplit(DEFECT, 1)[0].replace(DOMAIN, "")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("world", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--n", type=int, default=40, help="hands")
    args = parser.parse_args()
    pipeline = DiffusionEngine.load(TwoStageSettings(engine="diffuse")).pipeline
    stage, lines = HandStage(pipeline.hands, pipeline.hand_generator), list[str]()
    args.output.mkdir(parents=True, exist_ok=True)
    for entry in track(read_shards(sorted(args.world.glob("*.tar"))), description=args.world.name):
        if len(lines) >= args.n:
            break
        refuse_test_only(entry.record)
        found = crop_of(entry, pipeline.resolution)
        if found is None:
            continue
        crop, defects = found
        index = entry.record["index"]
        hand = stage.generate(prompt_of(entry.record), crop, noise_source(index, 0))
        write_png(args.output / f"{index:05d}.png", hand.pixels)
        rows, columns = np.nonzero(crop.depth)
        box = [int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
        lines.append(json.dumps({"file": f"{index:05d}.png", "box": box, "defects": defects}))
    (args.output / "hands.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{len(lines)} hands")


if __name__ == "__main__":
    main()
