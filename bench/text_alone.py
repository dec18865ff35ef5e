"""What a base paints from the text alone: is a hand found, does it pass the review, how far from renders.

    handwright synth --kind people --n 200 --size 256 --seed 930040 -o world/people     # test-only
    handwright synth --kind hands --n 200 --size 256 --seed 930040 -o world/hands
    python bench/text_alone.py world -o W [--model tiny] [--n 100] [--sheet S.png]

The captions of the first N rendered pictures of each kind are painted at the base's own resolution, a
picture's number as its seed, with the steps and guidance that the model recommends for a text. Of those whose
caption states a hand: is one found by what `handwright review` finds hands with, and does every hand that is
seen pass without a text (Wilson 95 %); the same of the renders beside it. KID on ImageNet features of what is
painted against the renders, and of the next N renders against them (bootstrap 95 %). With --against, the same
prompts by another base, and KID of the first less that of the other, paired. The sheet has every tenth pair,
the render above.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from handwright.data.shards import list_shards, read_shards
from handwright.data.synthesise import tiled
from handwright.diffusion import HandRefinerPipeline
from handwright.diffusion.free_painting import noise_source, paint_freely
from handwright.image import write_png
from handwright.metrics.estimate import Estimate, wilson
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import extract
from handwright.metrics.kernel import kernel_distance, kernel_distance_difference
from handwright.prompts.parse import parse_prompt
from handwright.review.judge import Judge, open_judge, review_picture
from handwright.types import Image

KINDS, EXTRACTOR, EVERY = ("people", "hands"), "imagenet", 10


def main() -> None:
    """Paint what is missing, look, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("world", type=Path, help="folder with people/ and hands/")
    parser.add_argument("-o", "--output", type=Path, required=True, help="work folder; what is in it stays")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--against", help="another base")
    parser.add_argument("--n", type=int, default=100, help="prompts of each kind")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    bases = [base for base in (options.model, options.against) if base is not None]
    columns = "kind", "base", "N", "a hand is found", "every hand passes", "KID, ImageNet"
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    above, below, extractor = list[np.ndarray](), list[np.ndarray](), open_extractor(EXTRACTOR)
    with open_judge() as judge:
        for kind in KINDS:
            renders, captions = rendered(options.world / kind, 2 * options.n)
            wanted, others, texts = renders[: options.n], renders[options.n :], captions[: options.n]
            known = extract(wanted, extractor)
            row(kind, "renders", texts, wanted, judge, kernel_distance(known, extract(others, extractor)))
            features = list[np.ndarray]()
            for base in bases:
                made = painted(base, texts, wanted.shape[1], options.output / Path(base).name / kind)
                features.append(extract(made, extractor))
                row(kind, base, texts, made, judge, kernel_distance(known, features[-1]))
                if base == options.model:
                    above += [*wanted[::EVERY]]
                    below += [*made[::EVERY]]
            if options.against is not None:
                less = kernel_distance_difference(known, *features)
                print(f"\n{kind}: KID of {bases[0]} less that of {bases[1]}: {cell(less)}\n")
    if options.sheet is not None:
        write_png(options.sheet, tiled([*above, *below], len(above)))


def rendered(folder: Path, count: int) -> tuple[np.ndarray, list[str]]:
    """The first pictures of a folder of shards, uint8 [N, S, S, 3], and a caption of each."""
    entries = list(islice(read_shards(list_shards(folder)), count))
    return np.stack([entry.pictures["image"] for entry in entries]), [
        entry.record["caption"] for entry in entries
    ]


def painted(base: str, texts: list[str], side: int, folder: Path) -> np.ndarray:
    """A picture of each text, uint8 [N, S, S, 3]; those in the folder are not painted again."""
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / f"{k:04}.png" for k in range(len(texts))]
    if not all(place.is_file() for place in places):
        pipeline = HandRefinerPipeline.from_pretrained(base, control_needed=False)
        for k, (place, text) in enumerate(zip(places, texts, strict=True)):
            if not place.is_file():
                write_png(place, paint_freely(pipeline, text, side, side, noise_source(k, 0)))
    return np.stack([np.asarray(PILImage.open(place).convert("RGB")) for place in places])


def row(kind: str, base: str, texts: list[str], pictures: np.ndarray, judge: Judge, kid: Estimate) -> None:
    """Review the pictures and print their line."""
    looked = [review_picture(Image(picture), judge) for picture in pictures]
    stated = [one for one, text in zip(looked, texts, strict=True) if parse_prompt(text).hands]
    found = [one for one in stated if any(hand.observation is not None for hand in one.hands)]
    passing = [one for one in stated if one.verdict == "pass"]
    shares = share(len(found), len(stated)), share(len(passing), len(stated))
    print("|", " | ".join([kind, base, str(len(texts)), *shares, cell(kid)]), "|", flush=True)


def share(count: int, of: int) -> str:
    """``45 of 50: 90 % [79, 96]``."""
    low, high = wilson(count, of)
    return f"{count} of {of}: {count / of:.0%} [{low:.0%}, {high:.0%}]"


def cell(estimate: Estimate) -> str:
    """A distance with its interval."""
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


if __name__ == "__main__":
    main()
