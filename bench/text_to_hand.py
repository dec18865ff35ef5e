"""T2H: are people drawn for a text as the text states; how diverse are they, how near to real ones.

    handwright synth --kind poses --n 7500 --seed 31 -o poses
    python bench/text_to_hand.py poses [--model RUN/model] [--n 100] [--seed 0]
    python bench/text_to_hand.py poses --steps 6,8,10,12,16     steps of the sampler
    python bench/text_to_hand.py poses --space 500 [--embedder DIR]     pose space; R-precision
    python bench/text_to_hand.py --prompts bench/data/prompts_oov_200.csv     free texts

On compositions kept from training a text states the raised hand alone. Whole: all that the text states is
true (fingers, where palm and fingers go); named hand: of both the one that the text names does it (where
neither or both do, it is the one that is held up);
palm, pointing: each of the texts that state it (N stands behind the figure where that is not all of them);
beyond: outside anatomical limits by more than 2° before it is put inside.

Rows: people of the stream (what the reader makes of the right answer); the nearest caption in training; rules
alone (the hands of the text's plan, on nobody); the plan's fingers on T2H's first person; T2H, one draw for
the text as it is; the best of several by what the rules read in the text; as shipped: what ``generate`` makes
of the text (the plan's wording, 16 draws, chosen, mended, turned). 95 % bootstrap intervals over texts;
differences are paired.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from handwright.body import BodyParameters
from handwright.hand.grammar import StatedPose, describe, parse_pose_text
from handwright.handiffuser.hand_words import agreement_of
from handwright.handiffuser.proposals import DRAWS, stated_hands, with_stated_fingers, worth
from handwright.handiffuser.text_to_hand_pipeline import EMBEDDED, TextToHandPipeline, open_text_to_hand
from handwright.handiffuser.tokens import decode
from handwright.metrics.estimate import mean_estimate, paired_difference
from handwright.prompts.plan import plan_prompt
from handwright.training.streams.text_poses import TextPose, TextPoseStream
from handwright.workflow.generate.pose_source import pose_from_text
from pose_space import SIZE_PX, open_embedder, space_table
from stated_hands import (
    Seen,
    StatedHand,
    Verdict,
    read_prompts,
    seen_in,
    seen_in_plan,
    stated_of,
    verdict,
    without_idle,
)

SIDE_PX = 512  # Of the picture that generate frames a person for, by default

TEXTS = 100  # A wording, by default

FIGURES = {
    "whole": "whole",
    "fingers": "fingers",
    "handed": "named hand",
    "palm": "palm",
    "points": "pointing",
}


@dataclass(frozen=True)
class Case:
    """A text, what is right for it, and the people that T2H draws for it."""

    text: str
    right: tuple[StatedHand, ...]
    pipeline: TextToHandPipeline
    seed: int
    sampler: Mapping[str, float] = field(default_factory=dict)  # Other settings than T2H's own

    @cached_property
    def drawn(self) -> tuple[list[BodyParameters], list[bool]]:
        """People for the text as it is, and whether they were outside anatomical limits."""
        found = self.pipeline(
            self.text,
            num_samples_per_prompt=DRAWS,
            **self.sampler,
            generator=torch.Generator().manual_seed(self.seed),
            size_px=SIZE_PX,
        )
        return found.parameters, found.beyond_limits

    @cached_property
    def best(self) -> BodyParameters:
        """The drawn person that agrees best with what the rules read in the text."""
        stated = self._read
        return max(self.drawn[0], key=lambda person: worth(agreement_of(person, stated)))

    @cached_property
    def _read(self) -> tuple[StatedPose, ...]:
        return stated_hands(plan_prompt(self.text).expectation)

    @property
    def shipped(self) -> BodyParameters:
        """The person that ``handwright generate`` has for the text."""
        body = pose_from_text(self.text, SIDE_PX, self.seed, self.pipeline).body
        assert body is not None
        return body

    def mended(self, person: BodyParameters) -> BodyParameters:
        """With the plan's fingers where the text states others."""
        return with_stated_fingers(person, plan_prompt(self.text))[0]


Row = Callable[[Case], Seen]

ROWS: Mapping[str, Row] = {
    "rules alone": lambda case: seen_in_plan(plan_prompt(case.text)),
    "rules on T2H's first person": lambda case: seen_in(case.mended(case.drawn[0][0])),
    "T2H": lambda case: seen_in(case.drawn[0][0]),
    f"T2H, best of {DRAWS} by the rules": lambda case: seen_in(case.best),
    "the same, mended": lambda case: seen_in(case.mended(case.best)),
    "T2H as shipped": lambda case: seen_in(case.shipped),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path, nargs="?")
    parser.add_argument("--prompts", type=Path, help="texts with what is right for each")
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument(
        "--n", type=int, help="texts a wording (100), or of --prompts (all), drawn by the seed"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guidance", type=float, help="of T2H's draws, but those as shipped")
    parser.add_argument("--steps", help="numbers of steps to compare, as 6,8,10")
    parser.add_argument("--space", type=int, metavar="N", help="people to compare in the pose space")
    parser.add_argument("--embedder", type=Path, help="text-pose embedder, for R-precision")
    parser.add_argument("--wrong", action="store_true", help="name the texts that are not right as shipped")
    options = parser.parse_args()
    if options.poses is None and options.prompts is None:
        parser.error("give a folder of poses, --prompts FILE, or both")
    if options.embedder is not None and not options.space:
        parser.error("R-precision is a measure of the pose space: give --space N")
    pipeline = open_text_to_hand(options.model)
    pipeline.set_progress_bar_config(disable=True)
    if options.prompts is not None:
        prompts(options, pipeline)
    if options.poses is None:
        return
    stream, count = TextPoseStream(options.poses), options.n or TEXTS
    rng = np.random.default_rng(options.seed)
    order = [stream.held_out[k] for k in rng.permutation(len(stream.held_out))]
    print(f"\n{len(stream.training)} people to train on, {len(order)} held out, seed {options.seed}")
    if options.steps:
        sweep(order[:count], [int(step) for step in options.steps.split(",")], options, pipeline)
    elif options.space:
        encoders = None if options.embedder is None else open_embedder(options.embedder)
        people = order[: options.space]
        for row in space_table(people, stream, pipeline, of_sampler(options), count, options.seed, encoders):
            print(row, flush=True)
    else:
        compositions(order[:count], stream, options, pipeline)


def compositions(
    people: list[TextPose], stream: TextPoseStream, options: argparse.Namespace, pipeline: TextToHandPipeline
) -> None:
    """All rows on compositions kept from training."""
    print(heading("wording", "row", *FIGURES.values(), "beyond"))
    for wording in ("natural", "technical"):
        cases = cases_of(people, wording, options.seed, pipeline, **of_sampler(options))
        real = [seen_in(decode(person.tokens, SIZE_PX)) for person in people]
        print(line(wording, "people of the stream", verdicts(real, cases)), flush=True)
        near = nearest_captions([case.text for case in cases], stream, wording)
        copied = [seen_in(decode(person.tokens, SIZE_PX)) for person in near]
        print(line(wording, "nearest caption", verdicts(copied, cases)), flush=True)
        for row, seen in ROWS.items():
            found = verdicts([seen(case) for case in cases], cases)
            beyond = [case.drawn[1][0] for case in cases] if row == "T2H" else None
            print(line(wording, row, found, beyond), flush=True)


def prompts(options: argparse.Namespace, pipeline: TextToHandPipeline) -> None:
    """All rows on texts with their own annotation; how much better T2H is as shipped than the rules."""
    texts = list(read_prompts(options.prompts).items())
    chosen = np.sort(np.random.default_rng(options.seed).permutation(len(texts))[: options.n])
    cases = [Case(*texts[k], pipeline, options.seed + int(k), of_sampler(options)) for k in chosen]
    print(f"{len(cases)} texts of {options.prompts.name}, seed {options.seed}")
    print(heading("row", *FIGURES.values()))
    found: dict[str, list[Verdict]] = {}
    strict: dict[str, list[Verdict]] = {}
    for row, seen_of in ROWS.items():
        seen = [seen_of(case) for case in cases]
        found[row] = verdicts(seen, cases)
        busy = [without_idle(one, case.right) for one, case in zip(seen, cases, strict=True)]
        strict[row] = verdicts(busy, cases)
        print(line(row, "", found[row]).replace(" |  |", " |", 1), flush=True)
    shipped = wholes(found["T2H as shipped"])
    print("\nWhole hands, T2H as shipped less:")
    for row in ROWS:
        if row != "T2H as shipped":
            print(f"- {row}: {points(shipped, wholes(found[row]))}")
    print("\nThe same, hands that hang and are not named left out:")
    print(f"- rules alone: {points(wholes(strict['T2H as shipped']), wholes(strict['rules alone']))}")
    if options.wrong:
        for case, shown, ruled in zip(cases, found["T2H as shipped"], found["rules alone"], strict=True):
            if not (shown.whole and ruled.whole):
                print(f"{case.text!r}: shipped {failings(shown)}; rules {failings(ruled)}")


def points(one: np.ndarray, other: np.ndarray) -> str:
    """A paired difference of shares in points."""
    apart = paired_difference("whole", one, other)
    low, high = 100 * apart.low, 100 * apart.high
    return f"{100 * apart.value:+.1f} points [{low:+.1f}, {high:+.1f}], p {apart.p:.2g}"


def sweep(
    people: list[TextPose], steps: Sequence[int], options: argparse.Namespace, pipeline: TextToHandPipeline
) -> None:
    """T2H's first draw by the number of steps, from the same noise; beyond limits: of all draws of a text."""
    print(heading("wording", "steps", *FIGURES.values(), "beyond"))
    for wording in ("natural", "technical"):
        for count in steps:
            cases = cases_of(
                people, wording, options.seed, pipeline, **of_sampler(options), num_inference_steps=count
            )
            found = verdicts([seen_in(case.drawn[0][0]) for case in cases], cases)
            beyond = [float(np.mean(case.drawn[1])) for case in cases]
            print(line(wording, str(count), found, beyond), flush=True)


def of_sampler(options: argparse.Namespace) -> dict[str, float]:
    """Settings of the sampler that the command names; as shipped none of them counts."""
    return {} if options.guidance is None else {"guidance_scale": options.guidance}


def cases_of(
    people: Sequence[TextPose], wording: str, seed: int, pipeline: TextToHandPipeline, **sampler: float
) -> list[Case]:
    """A text of each person's raised hand alone."""
    return [
        Case(
            alone(person).text(wording, np.random.default_rng(k)),
            (stated_of(parse_pose_text(describe(person.hands[0], wording))),),
            pipeline,
            seed + k,
            sampler,
        )
        for k, person in enumerate(people)
    ]


def alone(person: TextPose) -> TextPose:
    """The person with the raised hand alone in words."""
    return replace(person, hands=person.hands[:1])


def nearest_captions(texts: list[str], stream: TextPoseStream, wording: str) -> list[TextPose]:
    """Of each text the person in training whose caption shares most words with it (Jaccard)."""
    rng = np.random.default_rng(1)
    captions = [(set(alone(p).text(wording, rng).split()), p) for p in stream.training]
    found: list[TextPose] = []
    for text in texts:
        words = set(text.split())
        found.append(max(captions, key=lambda pair: len(words & pair[0]) / len(words | pair[0]))[1])
    return found


def verdicts(seen: Sequence[Seen], cases: Sequence[Case]) -> list[Verdict]:
    """Of each text, what is true of the person."""
    return [verdict(one, case.right) for one, case in zip(seen, cases, strict=True)]


def wholes(found: Sequence[Verdict]) -> np.ndarray:
    """1 where all that a text states is true, else 0."""
    return np.array([one.whole for one in found], float)


def failings(one: Verdict) -> str:
    """What of a text is not true, in the table's words; 'right' where all is."""
    wrong = [word for name, word in FIGURES.items() if name != "whole" and getattr(one, name) is False]
    return ", ".join(wrong) or "right"


def heading(*names: str) -> str:
    """The first two lines of a table."""
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def line(first: str, second: str, found: Sequence[Verdict], beyond: Sequence[float] | None = None) -> str:
    """A row of a table with its figures."""
    cells = list(_cells(found))
    if beyond is not None:
        cells.append(cell(np.array(beyond, float)))
    return f"| {first} | {second} | {' | '.join(cells)} |"


def _cells(found: Sequence[Verdict]) -> Iterator[str]:
    for name in FIGURES:
        stated = [value for one in found if (value := getattr(one, name)) is not None]
        behind = f" N {len(stated)}" if len(stated) < len(found) else ""
        yield cell(np.array(stated, float)) + behind if stated else "–"


def cell(values: np.ndarray) -> str:
    """Percent with its interval."""
    figure = mean_estimate("share", values)
    return f"{100 * figure.value:.1f} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"


if __name__ == "__main__":
    main()
