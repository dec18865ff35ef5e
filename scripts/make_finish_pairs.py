"""Photographed hands made malformed and redrawn: scripts/make_finish_pairs.py PHOTOS -o DIR.

What the member ``finish`` learns from. Hands of training photographs, good hands of image generators and
rendered ones are found and fitted; those that the fit covers well are made malformed (``unnamed_defects``; a
tenth stay sound) and redrawn in their own pose, as `refine` does. Edited photographs and further renders have
named defects; some of these are redrawn in the pose that the malformed hand is fitted in.
Files hold a lot of squares each, beside pictures.csv, the hashes of what was looked at, and photographs/,
which edits read. A second run adds what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.hands import render_hands
from handwright.data.hands.sample import ONE_HAND_DEFECTS, render_one_hand
from handwright.data.labelled_pictures import box_of, label_of, labelled_pictures
from handwright.data.photo_edits.canvas import with_matched_grain
from handwright.data.photo_edits.hand_crop import HandCrop, crop_hand
from handwright.data.photo_edits.moves import EditTask, NotEditable
from handwright.data.photo_edits.sample import EDITS, needed_hand
from handwright.data.photographs import decode_photo
from handwright.drawing.painter import draw_hand
from handwright.hand.defects import Defect
from handwright.image import write_png
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import box_iou
from handwright.perception.segment import hand_region
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.training.finish_pairs import FinishPairs, cut_pair, save_pairs
from handwright.training.finish_planes import finish_inputs
from handwright.training.streams.photographs import Photograph, training_photographs
from handwright.training.streams.unnamed_defects import gone_wrong
from handwright.types import Box, Image

LEAST_PX, FARTHEST_FIT, LEAST_OVERLAP = 48, 0.035, 0.80
"""Of hands that are kept: least size in px, greatest residual of the fit in hand sizes, least overlap of the
fitted and the segmented hand."""

SOUND_SHARE, MOST_DEFECTS = 0.1, 3  # Share of hands left as they are; defects of the others, at most
SAME_HAND = 0.3  # Overlap of a find's box with a labelled one from which on they are one hand

OWN_POSE = 0.35  # Share of named defects that are drawn in the pose fitted to the malformed hand
LENDERS = 12  # Hands that may lend a finger to an edit, the latest ones
NEAR = 0.08  # Farthest mean distance of its landmarks from the sound ones, in hand sizes

EDIT_PX = 256  # Side of an edited photograph's picture; its crop is half as large again
LEAST_CHANGED = 0.01  # Share of a hand's crop in which a named defect must show
SEEN_LEVELS = 12  # Change of 255 levels that shows

LOT = 40  # Pictures a file
RENDERED_SEED = 770_000  # Of the rendered pictures, apart from those that benches measure on
NAMED_SEED = 780_000  # Of those with named defects


def malformed(rng: np.random.Generator, hand: HandAnalysis, other: np.ndarray) -> np.ndarray:
    """The hand's crop with something wrong with it; a share of them as it is."""
    crop = hand.crop
    if rng.random() < SOUND_SHARE:
        return crop.copy()
    side = max(crop.shape[:2])
    square = cv2.copyMakeBorder(
        crop, 0, side - crop.shape[0], 0, side - crop.shape[1], cv2.BORDER_REFLECT_101
    )
    other = cv2.resize(other, (side, side), interpolation=cv2.INTER_AREA)
    for _ in range(1 + int(rng.integers(MOST_DEFECTS))):
        wrong = gone_wrong(rng, square, hand.landmarks_px, other)
        square = square if wrong is None else wrong[0]
    return np.ascontiguousarray(square[: crop.shape[0], : crop.shape[1]])


def pairs_of(
    name: str,
    pixels: np.ndarray,
    landmarker: Landmarker,
    rng: np.random.Generator,
    others: list[np.ndarray],
    *,
    good: Sequence[Box] | None = None,
    rendered: bool = False,
    wrong: np.ndarray | None = None,
) -> Iterator[FinishPairs]:
    """The pairs of one picture; of its finds in one of the boxes ``good`` where these are given.

    ``wrong`` is the same picture with a named defect: only hands in which it shows are taken.
    """
    image = Image(np.ascontiguousarray(pixels))
    for seen in find_hands(image.pixels, landmarker=landmarker):
        fits = good is None or any(box_iou(seen.bbox_xyxy_px, box) >= SAME_HAND for box in good)
        if seen.size_px < LEAST_PX or not fits:
            continue
        hand = analyse_hand(image, seen)
        if hand.fit.residual > FARTHEST_FIT or hand.overlap < LEAST_OVERLAP:
            continue
        posed = hand
        if wrong is None:
            sound, old = hand.crop, malformed(rng, hand, others[-1] if others else hand.crop[:, ::-1])
            others[:] = [hand.crop]
        else:
            if rng.random() < OWN_POSE:
                posed = fitted_to(wrong, hand, landmarker) or hand
            x0, y0, x1, y1 = posed.window
            sound, old = (np.ascontiguousarray(some[y0:y1, x0:x1]) for some in (image.pixels, wrong))
            if (cv2.absdiff(old, sound).max(2) > SEEN_LEVELS).mean() < LEAST_CHANGED:
                continue
        region = hand_region(old, posed.landmarks_px)
        mask = compute_repair_mask(posed.fit.hand, posed.window, posed.landmarks_px, region)
        drawn = draw_hand(
            old, posed.window, posed.fit.hand, posed.landmarks_px, region, seed=0, repair_mask=mask
        )
        if not drawn.painted.any():
            continue
        pair = cut_pair(finish_inputs(old, drawn), sound, f"{name} {seen.side}", rendered)
        if pair is not None:
            yield pair


def fitted_to(wrong: np.ndarray, sound: HandAnalysis, landmarker: Landmarker) -> HandAnalysis | None:
    """The malformed hand as it is found and fitted itself; None where that lies far from the sound one."""
    image = Image(np.ascontiguousarray(wrong))
    for seen in find_hands(image.pixels, landmarker=landmarker):
        apart = np.linalg.norm(seen.landmarks_px - sound.observation.landmarks_px, axis=1).mean()
        if seen.side == sound.observation.side and apart < NEAR * sound.size_px:
            return analyse_hand(image, seen)
    return None


def edited(
    rng: np.random.Generator, path: Path, lenders: list[HandCrop]
) -> tuple[np.ndarray, np.ndarray] | None:
    """A photographed hand and the same with a named defect; None where it cannot be edited."""
    name = str(rng.choice([name for name in EDITS if name != Defect.DETACHED]))
    generator = int(rng.integers(len(EDITS[name])))
    crop = crop_hand(path, EDIT_PX, rng, needed_hand(name, generator))
    if crop is None:
        return None
    lender = next((one for one in lenders if one.sha256 != crop.sha256 and crop.matches(one)), None)
    lenders[:] = [crop, *lenders[: LENDERS - 1]]
    with suppress(NotEditable):
        made = EDITS[name][generator](EditTask(crop, False, rng, lambda: lender))
        wrong = np.clip(with_matched_grain(made.canvas, rng) + 0.5, 0, 255).astype(np.uint8)
        return crop.bytes, wrong
    return None


def rendered_twins(rng: np.random.Generator, k: int) -> tuple[np.ndarray, np.ndarray]:
    """A rendered hand and the same with a named defect."""
    defect = str(rng.choice([name for name in ONE_HAND_DEFECTS if name != Defect.DETACHED]))
    sound = render_one_hand(NAMED_SEED + k, EDIT_PX, defect, without_defect=True)
    return sound.pixels, render_one_hand(NAMED_SEED + k, EDIT_PX, defect).pixels


def written(photograph: Photograph, folder: Path) -> Path:
    """The path of a photograph, which edits read from a file."""
    path = folder / f"{photograph.sha256[:16]}.png"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        write_png(path, photograph.pixels)
    return path


def generated(folders: Sequence[Path]) -> Iterator[tuple[str, str, np.ndarray, list[Box]]]:
    """Name, hash, pixels and good hands' boxes of labelled generated pictures of the split 'train'."""
    for folder in folders:
        for line in labelled_pictures(folder, "train"):
            good = [hand for hand in line["hands"] if label_of(hand) == "good"]
            if good:
                data = (folder / line["file"]).read_bytes()
                boxes = [box_of(hand["box"]) for hand in good]
                name = f"{line['repo']}/{line['path']}"
                yield name, hashlib.sha256(data).hexdigest(), decode_photo(data, line["file"]), boxes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the real photographs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument(
        "--hands", type=Path, nargs="*", default=[], help="folders of labelled generated hands"
    )
    parser.add_argument("--rendered", type=int, default=400, help="rendered pictures")
    parser.add_argument("--edited", type=int, default=2400, help="photographs with a named defect")
    parser.add_argument("--named", type=int, default=400, help="rendered hands with a named defect")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    photographs = list(training_photographs(args.photos))[:: args.every]
    order = np.random.default_rng(0).permutation(len(photographs))
    paths = [written(photographs[k], args.output / "photographs") for k in order] if args.edited else []
    kinds = {
        "photographs": [(p.source, p.sha256, p.pixels, None) for p in (photographs[k] for k in order)],
        "generated": list(generated(args.hands)),
        "rendered": [(f"render {k}", "", None, None) for k in range(args.rendered)],
    }
    looked = sorted(f"{name},{sha256}" for kind in kinds.values() for name, sha256, *_ in kind if sha256)
    (args.output / "pictures.csv").write_text("\n".join(["picture,sha256", *looked, ""]), "utf-8")
    kinds["edited"] = [(photographs[k].source, "", None, None) for k in order[: args.edited]]
    kinds["named"] = [(f"named {k}", "", None, None) for k in range(args.named)]
    with HandLandmarker(None) as landmarker:
        for first in range(0, max(map(len, kinds.values())), LOT):
            for number, (kind, pictures) in enumerate(kinds.items()):
                path = args.output / f"{kind}-{first:05d}.npz"
                if first >= len(pictures) or path.exists():
                    continue
                rng = np.random.default_rng([RENDERED_SEED, first, number])
                others: list[np.ndarray] = []
                lenders: list[HandCrop] = []
                pairs: list[FinishPairs] = []
                for k, (name, _, pixels, good) in enumerate(pictures[first : first + LOT], first):
                    wrong, rendered = None, kind in ("rendered", "named")
                    if kind == "rendered":
                        pixels = render_hands(RENDERED_SEED, k, 256).pixels
                    elif kind == "named":
                        pixels, wrong = rendered_twins(rng, k)
                    elif kind == "edited":
                        twins = edited(rng, paths[k], lenders)
                        if twins is None:
                            continue
                        pixels, wrong = twins
                    assert pixels is not None
                    pairs += pairs_of(
                        name, pixels, landmarker, rng, others, good=good, rendered=rendered, wrong=wrong
                    )
                save_pairs(path, pairs)


if __name__ == "__main__":
    main()
