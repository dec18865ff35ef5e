"""T2H and texts that tell what both hands do: do hands that are to meet do so, and how is the other one.

    handwright synth --kind poses --n 2000 --seed 930932 --size 256 -o busy_poses
    python bench/busy_texts.py busy_poses [--model RUN/model] [--n 20] [--seed 0]

The texts tell a meeting or a held thing and leave fingers open, as users do ('a woman with her hands
clasped', 'a man holding a mug in his left hand'). Of a meeting: the boxes of both hands meet in the picture,
as where one crop of stage I has both (``body_pose.boxes_meet``). Of a thing in both hands: neither arm hangs;
of one in one hand: the other arm hangs. Beside T2H's first draw, one for each text, stands the person whom
the text was written of. 95 % bootstrap intervals over texts.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from handwright.body import BodyParameters, wholebody_of
from handwright.handiffuser.person_for_text import hanging_arms
from handwright.handiffuser.text_to_hand_pipeline import EMBEDDED, open_text_to_hand
from handwright.handiffuser.tokens import decode
from handwright.perception.body.body_pose import hands_meet
from handwright.training.streams.text_poses import TextPose, TextPoseStream
from pose_space import SIZE_PX
from text_to_hand import cell, heading

IN_BOTH, IN_ONE = "a thing in both hands", "a thing in one hand"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--n", type=int, default=20, help="texts of each kind, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    stream = TextPoseStream(options.poses)
    pipeline = open_text_to_hand(options.model)
    pipeline.set_progress_bar_config(disable=True)
    rng = np.random.default_rng(options.seed)
    print(heading("what the text tells", "N", "their own people", "T2H"))
    for kind, everyone in by_kind([*stream.training, *stream.held_out]).items():
        people = [everyone[k] for k in rng.permutation(len(everyone))[: options.n]]
        right = {IN_BOTH: neither_hangs, IN_ONE: other_hangs}.get(kind, meet)
        own = [right(person, decode(person.tokens, SIZE_PX)) for person in people]
        drawn = pipeline(
            [person.doing_text(rng) for person in people],
            generator=torch.Generator().manual_seed(options.seed),
            size_px=SIZE_PX,
        ).parameters
        found = [right(person, body) for person, body in zip(people, drawn, strict=True)]
        print(f"| {kind} | {len(people)} | {share(own)} | {share(found)} |", flush=True)


def by_kind(people: Sequence[TextPose]) -> dict[str, list[TextPose]]:
    """Those whose hands are busy, by what their hands do; the meetings by name first."""
    kinds: dict[str, list[TextPose]] = {}
    for person in people:
        if person.busy:
            held = IN_BOTH if person.scene.holder == "both" else IN_ONE
            kinds.setdefault(person.scene.meeting or held, []).append(person)
    return dict(sorted(kinds.items(), key=lambda pair: (pair[0] in (IN_BOTH, IN_ONE), pair[0])))


Right = Callable[[TextPose, BodyParameters], bool]


def meet(person: TextPose, body: BodyParameters) -> bool:
    """Whether the boxes of both hands meet."""
    del person
    return hands_meet(wholebody_of(body))


def neither_hangs(person: TextPose, body: BodyParameters) -> bool:
    """Whether both arms are up."""
    del person
    return not hanging_arms(body)


def other_hangs(person: TextPose, body: BodyParameters) -> bool:
    """Whether the arm hangs that holds nothing."""
    return bool(hanging_arms(body) - {person.raised})


def share(found: Sequence[bool]) -> str:
    """Percent with its interval."""
    return cell(np.array(found, float))


if __name__ == "__main__":
    main()
