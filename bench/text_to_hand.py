"""T2H on compositions kept from training: rules, nearest caption, T2H, T2H chosen and mended by the rules.

    handwright synth --kind poses --n 7500 --seed 31 -o poses
    python bench/text_to_hand.py poses [--model RUN/model] [--n 100] [--seed 0]

A text states the raised hand alone. Whole: all that the text states is true of that hand (fingers, where palm
and fingers go, which hand); beyond: outside anatomical limits by more than 2° before it is put inside. 95 %
bootstrap intervals over texts.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from handwright.body import BodyParameters
from handwright.hand.grammar import StatedPose, describe, parse_pose_text
from handwright.handiffuser.hand_words import agreement_of
from handwright.handiffuser.proposals import DRAWS, with_stated_fingers, worth
from handwright.handiffuser.text_to_hand_pipeline import EMBEDDED, open_text_to_hand
from handwright.handiffuser.tokens import decode
from handwright.metrics.estimate import mean_estimate
from handwright.prompts.plan import plan_prompt
from handwright.training.streams.text_poses import TextPose, TextPoseStream

SIZE_PX = (256, 256)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--n", type=int, default=100, help="texts a wording")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    stream, pipeline = TextPoseStream(options.poses), open_text_to_hand(options.model)
    pipeline.set_progress_bar_config(disable=True)
    rng = np.random.default_rng(options.seed)
    chosen = [stream.held_out[k] for k in rng.permutation(len(stream.held_out))[: options.n]]
    print(f"{len(chosen)} texts a wording, seed {options.seed}, {len(stream.training)} people to train on")
    print("| wording | row | whole | fingers | directions | beyond |\n|---|---|---|---|---|---|")
    for wording in ("natural", "technical"):
        texts = [alone(person).text(wording, np.random.default_rng(k)) for k, person in enumerate(chosen)]
        stated = [parse_pose_text(describe(person.hands[0], wording)) for person in chosen]
        generator = torch.Generator().manual_seed(options.seed)
        drawn: list[list[BodyParameters]] = []
        beyond: list[bool] = []
        for text in texts:
            found = pipeline(text, num_samples_per_prompt=DRAWS, generator=generator, size_px=SIZE_PX)
            drawn.append(found.parameters)
            beyond += found.beyond_limits[:1]
        nearest = nearest_captions(texts, stream, wording)
        rows: dict[str, Callable[[int], BodyParameters]] = {
            "nearest caption": lambda k, near=nearest: decode(near[k].tokens, SIZE_PX),
            "rules on T2H's first body": lambda k, d=drawn, t=texts: mended(d[k][0], t[k]),
            "T2H": lambda k, d=drawn: d[k][0],
            f"T2H, best of {DRAWS} by the rules": lambda k, d=drawn, s=stated: best(d[k], s[k]),
            "the same, mended": lambda k, d=drawn, t=texts, s=stated: mended(best(d[k], s[k]), t[k]),
        }
        for row, person_of in rows.items():
            read = [agreement_of(person_of(k), (stated[k],)) for k in range(len(texts))]
            figures = [
                np.array([float(getattr(one, name)) for one in read])
                for name in ("whole", "fingers", "directions")
            ]
            cells = [cell(values) for values in figures]
            outside = cell(np.array(beyond, float)) if row == "T2H" else "–"
            print(f"| {wording} | {row} | {' | '.join(cells)} | {outside} |", flush=True)


def alone(person: TextPose) -> TextPose:
    """The person with the raised hand alone in words."""
    return replace(person, hands=person.hands[:1])


def best(people: list[BodyParameters], stated: StatedPose) -> BodyParameters:
    """The person that agrees best."""
    return max(people, key=lambda person: worth(agreement_of(person, (stated,))))


def mended(person: BodyParameters, text: str) -> BodyParameters:
    """With the grammar's fingers where the text states others."""
    return with_stated_fingers(person, plan_prompt(text))[0]


def nearest_captions(texts: list[str], stream: TextPoseStream, wording: str) -> list[TextPose]:
    """Of each text the person in training whose caption shares most words with it (Jaccard)."""
    rng = np.random.default_rng(1)
    captions = [(set(alone(p).text(wording, rng).split()), p) for p in stream.training]
    found: list[TextPose] = []
    for text in texts:
        words = set(text.split())
        found.append(max(captions, key=lambda pair: len(words & pair[0]) / len(words | pair[0]))[1])
    return found


def cell(values: np.ndarray) -> str:
    """Percent with its interval."""
    figure = mean_estimate("share", values)
    return f"{100 * figure.value:.1f} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]"


if __name__ == "__main__":
    main()
