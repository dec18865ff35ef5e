"""How well MediaPipe finds rendered hands: python bench/rendered.py [--kind hands|people] [--n N] [--seed 5].

Of rendered hands that are open, empty, bare and sharp with all 21 landmarks visible, or of the raised hands
of rendered people (all that are wholly in the picture, and those that are sharp with 18 landmarks or more
visible): the share that is found, its mean error as a share of hand size, and the share of right sides, with
bootstrap 95 % intervals; then CPU time a picture.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator

import cv2
import numpy as np

from handwright.data.hands.sample import HandTruth, render_setup
from handwright.data.hands.setup import draw_setup
from handwright.data.people import PersonPicture, render_person
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.types import HandObservation
from measures import bootstrap, mean

FOUND_WITHIN, FEWEST_VISIBLE = 0.25, 18
"""Mean landmark error in hand sizes; landmarks of a hand that counts as clearly visible."""

SIZE = {"hands": 256, "people": 512}
Picture = tuple[np.ndarray, list[tuple[str, HandTruth]]]
"""uint8 [H, W, 3], and the hands that count, each with the name of its group."""


def hands(seed: int) -> Iterator[Picture]:
    """Rendered hands without end; those that do not count are left out."""
    for index in range(2**31):
        rng = np.random.default_rng([seed, index, 44])
        picture = render_setup(draw_setup(rng, SIZE["hands"], showing=True), rng, SIZE["hands"])
        setup = picture.setup
        bare = setup.dress.glove is None and setup.thing is None and len(picture.hands) == 1
        if bare and is_sharp(setup.shot) and picture.hands[0].visible.all():
            yield picture.pixels, [("open hands", picture.hands[0])]


def people(seed: int) -> Iterator[Picture]:
    """Rendered people without end."""
    for index in range(2**31):
        picture = render_person(seed, index, SIZE["people"])
        groups = [("raised hands", truth) for truth in raised(picture)]
        clear = [t for _, t in groups if t.visible.sum() >= FEWEST_VISIBLE and is_sharp(picture.setup.shot)]
        yield picture.pixels, [*groups, *(("clearly visible", truth) for truth in clear)]


def is_sharp(shot: object) -> bool:
    """Whether neither motion nor defocus blurs the picture."""
    return shot.motion_px < 1 and shot.defocus_px < 0.5


def raised(picture: PersonPicture) -> list[HandTruth]:
    """The raised hands that are wholly in the picture."""
    sides = [held.side for held in picture.setup.someone.stance.hands if held.doing == "raised"]
    inside = [((t.keypoints_px >= 0) & (t.keypoints_px < len(picture.pixels))).all() for t in picture.hands]
    return [t for t, whole in zip(picture.hands, inside, strict=True) if whole and t.hand.side in sides]


def compared(truth: HandTruth, detected: list[HandObservation]) -> tuple[bool, float, bool]:
    """Whether the hand is found, the error as a share of its size, whether its side is right."""
    size = float(np.ptp(truth.keypoints_px, axis=0).max())
    errors = [np.linalg.norm(d.landmarks_px - truth.keypoints_px, axis=1).mean() / size for d in detected]
    best = int(np.argmin(errors)) if errors else -1
    if best < 0 or errors[best] > FOUND_WITHIN:
        return False, float("nan"), False
    return True, float(errors[best]), detected[best].side == truth.hand.side


def lines(name: str, rows: list[tuple[bool, float, bool]]) -> Iterator[str]:
    """The measures of one group."""
    table = np.array(rows, float)
    hit = table[table[:, 0] > 0]
    for measure, column in (
        ("found", table[:, :1]),
        ("error / size", hit[:, 1:2]),
        ("right side", hit[:, 2:]),
    ):
        value, low, high = (float(np.squeeze(v)) for v in bootstrap(column, mean))
        yield f"{name}, {measure}: {100 * value:.1f} % [{100 * low:.1f}, {100 * high:.1f}], N {len(column)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", choices=[*SIZE], default="hands")
    parser.add_argument("--n", type=int, default=150, help="pictures that count")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    groups: dict[str, list[tuple[bool, float, bool]]] = defaultdict(list)
    source = {"hands": hands, "people": people}[options.kind](options.seed)
    start = time.process_time()
    with HandLandmarker() as landmarker:
        for _, (pixels, truths) in zip(range(options.n), source, strict=False):
            detected = list(landmarker.detect(pixels))
            for name, truth in truths:
                groups[name].append(compared(truth, detected))
    for name, rows in groups.items():
        print("\n".join(lines(name, rows)))
    spent = (time.process_time() - start) / options.n
    print(f"CPU seconds a picture that counts, rendered and searched: {spent:.2f}")


if __name__ == "__main__":
    main()
