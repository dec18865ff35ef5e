"""What a CLIP reads off hands: python bench/clip.py --held DIR [--extractor clip-hw-v1].

One hand of each rendered picture of DIR, shards of ``handwright synth`` that it has not seen, and the
technical caption of its picture. How often the true caption is more like the picture than another's, than
itself with left and right swapped, with palm and back swapped, with straight and curled fingers swapped; how
often the true caption, of 50, is the likeliest or among the likeliest five. Bootstrap 95 % intervals,
pictures as units.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, cast

import numpy as np

from handwright.data.shards import read_shards
from handwright.metrics.extractors.choose import open_extractor
from handwright.metrics.extractors.features import TextImageEncoder, extract, similarities, text_features
from handwright.training.streams.crops import crops_of
from measures import mean, row

SIZE, LOT = 256, 50
SWAPS = {
    "left and right": ("left hand", "right hand"),
    "palm and back": ("palm camera", "palm away"),
    "straight and curled": ("extended", "curled"),
}
"""What is swapped in technical captions."""


def swapped(caption: str, words: tuple[str, str]) -> str:
    """The caption with two expressions in each other's place."""
    first, second = words
    return re.sub("|".join(words), lambda found: second if found[0] == first else first, caption)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--extractor", default="clip-hw-v1")
    options = parser.parse_args()
    pixels, captions = [], []
    for entry in read_shards(sorted(options.held.rglob("*.tar"))):
        crops = crops_of(entry, SIZE)
        if len(crops):
            pixels.append(crops.pixels[0])
            captions.append(entry.record["captions"]["technical"])
    encoder = cast("TextImageEncoder", open_extractor(options.extractor))
    seen: Any = extract(pixels, encoder)
    read = text_features(captions, encoder)
    true = similarities(seen, read)
    print(row("CLIPSIM of the true captions", true, mean))
    for name, words in {"another picture's": None, **SWAPS}.items():
        others = [*captions[-1:], *captions[:-1]] if words is None else [swapped(c, words) for c in captions]
        differs = np.array([a != b for a, b in zip(captions, others, strict=True)])
        false = similarities(seen, text_features(others, encoder))
        print(row(f"prefers the truth to: {name}, %", 100.0 * (true > false)[differs], mean))
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (seen, read)]
    ranks = []
    for start in range(0, len(true) - LOT + 1, LOT):
        lot = np.s_[start : start + LOT]
        likeness = unit[0][lot] @ unit[1][lot].T
        ranks += list((likeness > np.diag(likeness)[:, None]).sum(1))
    for most in (1, 5):
        among = 100.0 * (np.array(ranks) < most)
        print(row(f"the true one of {LOT} among the likeliest {most}, %", among, mean))


if __name__ == "__main__":
    main()
