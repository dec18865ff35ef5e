"""How good the judge is: python bench/judge.py --photos DIR --work DIR, writes docs/research/judge.md.

Everything is measured on hands that no critic was trained or calibrated on: renders of seeds from 900000 on,
surgery on test-only photographs, test-only photographs as they are. Renders, surgery and finds are made once
and kept in --work.

--left-out WAY=DIR: a critic trained without one generator (0, 1 or 2) of every defect (`bench/left_out.py`).
--hadm, --malhand: folders of sets that people have judged (``judged_sets.py``); nothing is ever fetched.
"""

from __future__ import annotations

import argparse
import itertools
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from handwright.data.loaders import Tally
from handwright.errors import HandwrightError, UsageError
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.review.critic.appearance import open_appearance
from handwright.review.critic.onnx_critic import PACKAGED, open_critic
from handwright.review.critic.prediction import Critic
from handwright.review.judge import Judge
from handwright.review.proposals.network import open_proposer
from judge_asked import ask
from judge_page import Evidence, write_page
from judge_real import held_out_photos, judged, photographs
from judge_review import refound, verdicts
from judge_sets import Picture, blurred, operated, rendered, tiny
from judged_sets import read_hadm, read_malhand

FIRST_SEED = 900_000
OUT = Path(__file__).parents[1] / "docs" / "research" / "judge.md"


def gather(
    args: argparse.Namespace, critic: Critic, left_out: dict[int, Critic], landmarker: Landmarker
) -> Evidence:
    """Ask about everything."""
    say("rendered hands")
    sound = rendered(args.work, "hands", args.n_good, args.seed)
    wrong = rendered(args.work, "defects", args.n_defects * 3 // 2, args.seed + 1)
    say("surgery")
    photos = [photo.path for photo in held_out_photos(args.photos)]
    surgery = operated(args.work, args.n_surgery * 3 // 2, args.seed + 2, photos, "held-out")
    say("photographs")
    real, missed = photographs(args.photos, args.work, landmarker)
    say("the critic")
    made = ask(critic, [*sound, *wrong])
    done, seen = ask(critic, surgery), ask(critic, real)
    clear = [p for p in sound if p.truths[0].clear and p.truths[0].malformed is False]
    gloved = [p for p in [*sound, *wrong] if p.truths[0].gloved and p.truths[0].malformed is False]
    rng = np.random.default_rng(args.seed)
    spoilt = {
        "blurred": [first(blurred(p, rng)) for p in clear[: args.n_spoilt]],
        "tiny": [first(tiny(p, rng)) for p in clear[: args.n_spoilt]],
        "gloved": [first(p) for p in gloved],
        "clear": [first(p) for p in clear],
    }
    hard = {name: ask(critic, pictures) for name, pictures in spoilt.items()}
    say("the finder")
    some = [*sound[: args.n_found // 2], *wrong[: args.n_found // 2]]
    by_truth, by_finder = ask(critic, some), ask(critic, refound(some, landmarker))
    say("the whole review")
    judge = Judge(landmarker, critic, open_proposer(), open_appearance(landmarker))
    few = {name: pictures[: args.n_review] for name, pictures in spoilt.items()}
    said = [(name, verdicts(judge, pictures, given=name != "clear")) for name, pictures in few.items()]
    shown = [p for p in map(first, wrong) if p.truths[0].malformed]
    said.append(("defects", verdicts(judge, shown[: args.n_review], given=False)))
    say("critics that never saw a generator")
    ways = []
    for way, other in left_out.items():
        told, operated_on = ask(other, [*sound, *wrong]), ask(other, surgery)
        ways.append((way, told, operated_on))
    sets = {name: ask(critic, pictures) for name, pictures in judged_sets(args, landmarker).items()}
    return Evidence(made, done, seen, missed, hard, by_truth, by_finder, said, ways, sets)


def judged_sets(args: argparse.Namespace, landmarker: Landmarker) -> dict[str, list[Picture]]:
    """Pictures of the sets that were named; what could not be read is told."""
    sets: dict[str, list[Picture]] = {}
    for name, folder, read in (("HADM", args.hadm, read_hadm), ("MalHand", args.malhand, read_malhand)):
        if folder is not None:
            tally = Tally()
            records = itertools.islice(tally.samples(read(folder)), args.n_judged)
            sets[name] = list(judged(records, landmarker, open_proposer()))
            print("\n".join(tally.lines()), flush=True)
    return sets


def first(picture: Picture) -> Picture:
    """The picture with its first hand alone."""
    return Picture(
        picture.key, picture.read, picture.regions[:1], picture.truths[:1], picture.landmarks_px[:1]
    )


def say(what: str) -> None:
    print(what, flush=True)


def opened(folder: Path) -> Critic:
    """The critic of a folder.

    Raises:
        UsageError: There is none.
    """
    critic = open_critic(folder)
    if critic is None:
        raise UsageError(f"{folder} holds no critic", "", "give --critic")
    return critic


def by_way(given: list[str]) -> dict[int, Critic]:
    """``2=DIR`` → the critic of DIR, which never saw generator 2 of any defect."""
    critics: dict[int, Critic] = {}
    for text in given:
        number, _, folder = text.partition("=")
        if number not in ("0", "1", "2") or not folder:
            raise UsageError(f"--left-out is {text!r}", "", "give 0=DIR, 1=DIR or 2=DIR")
        critics[int(number)] = opened(Path(folder))
    return critics


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    photos = os.environ.get("HANDWRIGHT_PHOTOS")
    parser.add_argument("--photos", type=Path, default=photos and Path(photos), required=photos is None)
    parser.add_argument(
        "--work", type=Path, default=Path("runs/judge"), help="renders and finds are kept here"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--critic", type=Path, default=PACKAGED)
    parser.add_argument("--left-out", nargs="*", default=[], metavar="WAY=DIR")
    parser.add_argument("--hadm", type=Path)
    parser.add_argument("--malhand", type=Path)
    parser.add_argument("--n-good", type=int, default=1000, help="pictures of good hands")
    parser.add_argument("--n-defects", type=int, default=1000)
    parser.add_argument("--n-surgery", type=int, default=300)
    parser.add_argument("--n-spoilt", type=int, default=300)
    parser.add_argument("--n-found", type=int, default=300)
    parser.add_argument("--n-review", type=int, default=100, help="hands of each kind for the whole review")
    parser.add_argument("--n-judged", type=int, default=2000, help="pictures of --hadm and --malhand")
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    args = parser.parse_args(given)
    if args.seed < FIRST_SEED:
        parser.error(f"--seed must be {FIRST_SEED} or more: smaller ones may have been trained on")
    return args


def main() -> None:
    args = arguments()
    args.work.mkdir(parents=True, exist_ok=True)
    try:
        critic, left_out = opened(args.critic), by_way(args.left_out)
        with HandLandmarker(None) as landmarker:
            write_page(args.out, gather(args, critic, left_out, landmarker), args)
    except HandwrightError as error:
        raise SystemExit(str(error)) from error
    print(args.out)


if __name__ == "__main__":
    main()
