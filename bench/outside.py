"""Nothing outside the mask changes, and the same seed gives the same bytes.

    python bench/outside.py [--n N] [--painter NAME]

Rendered hands of mixed sizes in every kind of file go the whole way from file to file: load, refine, save,
load again. Counts samples of the file's own mode that differ outside the masks of refined hands, and
pictures of which a second run wrote other bytes. Expected: 0 and 0.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PILImage

from handwright.data.hands import render_one_hand
from handwright.data.hands.defects.generators import ONE_HAND_DEFECTS
from handwright.image import load_image, save_image, save_unchanged
from handwright.refine.pipeline import Engine, open_engine, refine_picture
from handwright.refine.result import Repair
from handwright.refine.settings import RefineSettings
from handwright.types import Image

SIZES = (128, 160, 192, 224, 272)
KINDS = ("RGB", "RGBA", "L", "LA", "P", "RGB16", "L16", "turned", "CMYK", "bmp", "webp", "jpeg")
PLACES_PER_SCENE = len(KINDS)


def write_kind(pixels: np.ndarray, kind: str, folder: Path, rng: np.random.Generator) -> Path:
    """The picture as a file of some kind, cut to sides that divide by nothing in particular."""
    height, width = (int(s - rng.integers(0, s // 12)) for s in pixels.shape[:2])
    pixels = np.ascontiguousarray(pixels[:height, :width])
    picture, suffix, options = PILImage.fromarray(pixels), ".png", {}
    if kind in ("RGB16", "L16"):
        return _write_deep(pixels, kind, folder, rng)
    if kind in ("RGBA", "LA"):
        alpha = PILImage.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))
        picture = picture.convert("RGB" if kind == "RGBA" else "L")
        picture.putalpha(alpha)
    elif kind == "P":
        picture = picture.quantize(200)
    elif kind == "turned":
        exif = PILImage.Exif()
        exif[274] = int(rng.integers(2, 9))
        suffix, options = str(rng.choice([".png", ".tif", ".jpg"])), {"exif": exif}
    elif kind == "jpeg":
        suffix, options = ".jpg", {"quality": int(rng.integers(60, 97))}
    elif kind == "webp":
        suffix, options = ".webp", {"lossless": True}
    elif kind == "bmp":
        suffix = ".bmp"
    else:
        picture = picture.convert(kind)
        suffix = ".tif" if kind == "CMYK" else ".png"
    path = folder / f"in{suffix}"
    picture.save(path, **options)
    return path


def _write_deep(pixels: np.ndarray, kind: str, folder: Path, rng: np.random.Generator) -> Path:
    wide = pixels.astype(np.uint16) * 256 + rng.integers(0, 256, pixels.shape, dtype=np.uint16)
    path = folder / "in.png"
    if kind == "RGB16":
        cv2.imwrite(str(path), wide[..., ::-1])
    else:
        PILImage.fromarray(wide[..., 1]).save(path)
    return path


def samples(image: Image) -> np.ndarray:
    """The file's own samples with palette indices resolved, so that other palettes compare."""
    if image.mode == "P" or image.native is None:
        return image.pixels
    return image.native


def run(path: Path, out: Path, engine: Engine, painter: str) -> tuple[Repair, bytes]:
    """File to file, as the workflow does it."""
    image = load_image(path)
    repair = refine_picture(image, RefineSettings(painter=painter, seed=7, all_hands=True), engine)
    if repair.after is repair.before:
        save_unchanged(path, out, overwrite=True)
    else:
        save_image(repair.after, out, overwrite=True, source_path=path)
    return repair, out.read_bytes()


def changed_outside(repair: Repair, out: Path) -> tuple[int, int]:
    """Samples that differ outside the masks, and inside, between the picture read and the picture written."""
    allowed = np.zeros(repair.before.pixels.shape[:2], bool)
    for hand in repair.hands:
        if hand.action == "refined":
            allowed |= hand.mask.inside
    before, after = samples(repair.before), samples(load_image(out))
    if before.shape != after.shape or before.dtype != after.dtype:
        before, after = repair.before.pixels, load_image(out).pixels
    differs = (before != after).reshape(*allowed.shape, -1)
    return int(differs[~allowed].sum()), int(differs[allowed].sum())


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """``count`` files; each scene is used once for every kind."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        scene, kind = divmod(k, PLACES_PER_SCENE)
        if kind == 0:
            side = SIZES[scene % len(SIZES)]
            defect = (None, *ONE_HAND_DEFECTS)[scene % (1 + len(ONE_HAND_DEFECTS))]
            pixels = render_one_hand(seed + scene, side, defect).pixels
        yield KINDS[kind], write_kind(pixels, KINDS[kind], folder, rng)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=9000)
    parser.add_argument("--painter", default="draw")
    options = parser.parse_args()
    start = time.perf_counter()
    outside, inside, refined, other_bytes = Counter(), Counter(), Counter(), 0
    with open_engine() as engine, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number, (kind, path) in enumerate(cases(options.n, options.seed, folder)):
            out = folder / f"out{'.png' if path.suffix == '.jpg' else path.suffix}"
            repair, data = run(path, out, engine, options.painter)
            left, right = changed_outside(repair, out)
            outside[kind] += left
            inside[kind] += right
            refined[kind] += any(hand.action == "refined" for hand in repair.hands)
            if number % 5 == 0:
                again = run(path, folder / f"again{out.suffix}", engine, options.painter)[1]
                other_bytes += again != data
            path.unlink()
            if left:
                print(f"run {number} ({kind}): {left} samples changed outside the mask")
    for kind in KINDS:
        print(f"{kind:8s} refined {refined[kind]:4d}, changed inside {inside[kind]}, outside {outside[kind]}")
    seconds = time.perf_counter() - start
    print(
        f"{options.n} runs, {sum(refined.values())} refined, {sum(outside.values())} samples changed outside,"
    )
    print(f"{-(-options.n // 5)} run twice, {other_bytes} of them with other bytes; {seconds:.0f} s")


if __name__ == "__main__":
    main()
