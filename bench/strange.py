"""What review says of what is no bare human hand: python bench/strange.py [--n 20] [--sheet F.png].

Stand-ins, rendered or drawn: statues (the world of `synth` in veined stone), mannequins (hands of one flat
colour), drawings (outlines on paper), cartoons (flat colours inside outlines), gloves, paws, empty rooms; and
rows of 0, 1, 2, 5 and 10 hands. Confident nonsense is a hand that fails, or a paw that is a hand at all.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

sys.path.insert(0, str(Path(__file__).resolve().parent))

from handwright.data.hands import HandPicture, render_hands
from handwright.data.hands.body import LABELS_PER_HAND
from handwright.data.world.backdrops import draw_room
from handwright.perception.models.download import ensure_models
from handwright.review import open_judge, review_picture
from handwright.types import Image

SEED, SIZE = 910_000, 384

Pixels = UInt8[np.ndarray, "s s 3"]


def rendered(index: int) -> HandPicture:
    """A picture of bare hands of the world."""
    for attempt in range(100):
        made = render_hands(SEED + attempt, index, SIZE)
        if not any(hand.gloved for hand in made.hands):
            return made
    raise AssertionError("every hand wears a glove")


def flesh(made: HandPicture) -> Bool[np.ndarray, "s s"]:
    """Where its hands and arms are seen."""
    return (made.parts > 0) & (made.parts < 2 * LABELS_PER_HAND)


def statue(index: int) -> Pixels:
    """Everything is grey and veined."""
    made, rng = rendered(index), np.random.default_rng([SEED, index])
    grey = cv2.cvtColor(made.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    veins = np.abs(cv2.GaussianBlur(rng.normal(size=grey.shape), (0, 0), 9)) * 60
    stone = np.where(flesh(made), 0.55 * grey + 95 - 30 * np.exp(-(veins**2)), grey)
    return np.repeat(np.clip(stone, 0, 255).astype(np.uint8)[..., None], 3, 2)


def mannequin(index: int) -> Pixels:
    """Hands of one plastic colour that keep only the broad shading."""
    made = rendered(index)
    light = cv2.bilateralFilter(cv2.cvtColor(made.pixels, cv2.COLOR_RGB2GRAY), 9, 40, 5).astype(np.float32)
    inside = flesh(made)
    shade = light / max(float(light[inside].mean()), 1.0)
    plastic = np.clip(np.array([215.0, 208.0, 196.0]) * (0.6 + 0.4 * shade[..., None]), 0, 255)
    return np.where(inside[..., None], plastic, made.pixels).astype(np.uint8)


def drawing(index: int) -> Pixels:
    """Outlines on paper."""
    made = rendered(index)
    edges = cv2.Canny(cv2.GaussianBlur(made.parts * 9 % 251, (0, 0), 0.8), 20, 60)
    ink = cv2.GaussianBlur(cv2.dilate(edges, np.ones((2, 2), np.uint8)), (0, 0), 0.7)
    return np.repeat((246 - np.minimum(ink, 215))[..., None], 3, 2).astype(np.uint8)


def cartoon(index: int) -> Pixels:
    """Flat colours inside outlines."""
    made, paper = rendered(index), drawing(index)
    colour = np.where(flesh(made)[..., None], np.array([250, 205, 160]), np.array([140, 190, 230]))
    return np.minimum(colour, paper).astype(np.uint8)


def glove(index: int) -> Pixels:
    """The first glove of a world."""
    for k in range(index * 400, index * 400 + 400):
        made = render_hands(SEED, k, 64)
        if made.hands and all(hand.gloved for hand in made.hands):
            return render_hands(SEED, k, SIZE).pixels
    raise AssertionError("no glove in 400 pictures")


def paw(index: int) -> Pixels:
    """A furry paw with four toes and a pad."""
    rng = np.random.default_rng([SEED, index, 2])
    canvas = room(index).astype(np.float32)
    fur = np.array([[120.0, 85, 50], [190, 160, 120], [70, 65, 60], [215, 205, 190]][index % 4])
    grain = cv2.GaussianBlur(rng.normal(size=(SIZE, SIZE)), (0, 0), 0.8)[..., None] * 22
    shape = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(shape, (190, 235), (78, 70), 0, 0, 360, 1, -1)
    cv2.rectangle(shape, (140, 250), (240, SIZE), 1, -1)
    toes = [(118, 165), (165, 130), (218, 130), (262, 168)]
    for x, y in toes:
        cv2.ellipse(shape, (x, y), (30, 42), 0, 0, 360, 1, -1)
    canvas = np.where(shape[..., None] > 0, fur + grain, canvas)
    pads = np.zeros_like(shape)
    cv2.ellipse(pads, (190, 245), (42, 34), 0, 0, 360, 1, -1)
    for x, y in toes:
        cv2.ellipse(pads, (x, y - 8), (14, 19), 0, 0, 360, 1, -1)
    canvas = np.where(pads[..., None] > 0, np.array([150.0, 95, 95]) + grain / 3, canvas)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def room(index: int) -> Pixels:
    """Nobody is there."""
    drawn = draw_room(np.random.default_rng([SEED, index, 3]), SIZE)
    return np.clip(255 * np.clip(drawn, 0, 1) ** (1 / 2.2), 0, 255).astype(np.uint8)


KINDS: dict[str, Callable[[int], Pixels]] = {
    "statue": statue,
    "mannequin": mannequin,
    "drawing": drawing,
    "cartoon": cartoon,
    "glove": glove,
    "paw": paw,
    "room": room,
}


def row(count: int) -> Pixels:
    """A wall with so many sound hands on it, five in a line."""
    lines = [[rendered(index).pixels for index in range(k, min(k + 5, count))] for k in range(0, count, 5)]
    if not lines:
        return room(0)
    blank = room(1)
    width = max(map(len, lines))
    return np.concatenate([np.concatenate(line + [blank] * (width - len(line)), 1) for line in lines], 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    shown: list[np.ndarray] = []
    print("| kind | pictures | no hands | hands | pass | fail | unsure | highest confidence of a fail |")
    print("|---|---|---|---|---|---|---|---|")
    with open_judge(ensure_models().hand_landmarker) as judge:
        subjects = {name: [make(k) for k in range(args.n)] for name, make in KINDS.items()}
        subjects |= {f"{count} hands": [row(count)] for count in (0, 1, 2, 5, 10)}
        for name, pictures in subjects.items():
            reviews = [review_picture(Image(pixels), judge) for pixels in pictures]
            hands = [hand for review in reviews for hand in review.hands]
            said = Counter(hand.verdict for hand in hands)
            fails = [c.confidence for hand in hands for c in hand.checks.values() if c.verdict == "fail"]
            none = sum(review.verdict == "no_hands" for review in reviews)
            print(
                f"| {name} | {len(pictures)} | {none} | {len(hands)} | {said['pass']} | {said['fail']} "
                f"| {said['unsure']} | {max(fails, default=0):.2f} |",
                flush=True,
            )
            shown.append(np.concatenate([cv2.resize(p, (256, 256)) for p in (pictures * 5)[:5]], 1))
    if args.sheet:
        cv2.imwrite(str(args.sheet), np.concatenate(shown, 0)[..., ::-1])


if __name__ == "__main__":
    main()
