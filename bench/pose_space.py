"""People as points of a space, and how T2H's draws lie in it beside real people (of ``text_to_hand.py``).

'hand': 6-D rotations of the raised hand, its wrist's against the camera and its 15 finger joints' against
their parents: 96 numbers. 'hand and body': these and trunk, head and both arms against the camera (pelvis,
spine, neck, head; collar, shoulder, elbow): 168 numbers. Whoever raises the left hand is mirrored. Raised is
the hand that is held higher, of real people as of drawn ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from jaxtyping import Float

from handwright.body import pose_body
from handwright.errors import NotEnoughDataError
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline
from handwright.handiffuser.tokens import TOKENS, decode, encode
from handwright.metrics.estimate import ROUNDS, Estimate, interval
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.poses import multimodality, r_precision
from handwright.prompts.captions import Scene
from handwright.training.streams.text_poses import TextPose, TextPoseStream, mirrored

Space = Literal["hand", "hand and body"]
SPACES: tuple[Space, ...] = ("hand", "hand and body")
TOPS = (1, 2, 3)  # Places of R-precision (Guo et al. 2022)

OPEN_DRAWS = 64  # People for each text that states little
DRAWS_A_TEXT = 4  # For multimodality
BATCH = 256  # Texts or people that are embedded at once

SIZE_PX = (256, 256)  # Of the picture that tokens are decoded for; rotations do not depend on it

_HAND = ("right wrist", *(f"right {finger}" for finger in ("thumb", "index", "middle", "ring", "pinky")))
_BODY = ("pelvis", "trunk", "head", "left arm", "right arm")
_TOKENS_OF = {"hand": _HAND, "hand and body": (*_HAND, *_BODY)}

Tokens = Float[np.ndarray, "n 21 19"]

_NOBODY = TextPose(np.zeros((21, 19)), (), Scene(hands=()))


class TextPoseEncoders(Protocol):
    """Two encoders into one space, as ``handiffuser.text_pose_embedder`` has them."""

    def text_features(self, texts: list[str]) -> object:
        """Features [N, D] of texts."""
        ...

    def pose_features(self, tokens: object) -> object:
        """Features [N, D] of people as tokens [N, 21, 19]."""
        ...


@dataclass(frozen=True)
class OpenText:
    """A text that states little, and the real people that it is true of."""

    text: str
    holds_for: Callable[[TextPose], bool]


def _of(*nouns: str) -> Callable[[TextPose], bool]:
    return lambda person: person.scene.subject.split()[-1] in nouns


OPEN_TEXTS: tuple[OpenText, ...] = (
    OpenText("a woman", _of("woman")),
    OpenText("a man", _of("man")),
    OpenText("a child", _of("boy", "girl")),
    OpenText("a picture of a person", lambda _: True),
    OpenText("a right hand", lambda person: person.raised == "right"),
    OpenText("a left hand", lambda person: person.raised == "left"),
)
"""What they leave open is all of the pose, at most the side apart."""


def features(tokens: Tokens, space: Space) -> Float[np.ndarray, "n d"]:
    """The numbers of people in a space, after those who raise the left hand were mirrored."""
    rows = np.stack([right_handed(person) for person in tokens])
    return np.concatenate([_rotations(rows, name) for name in _TOKENS_OF[space]], axis=1)


def _rotations(rows: Tokens, name: str) -> Float[np.ndarray, "n d"]:
    (k,) = (k for k, token in enumerate(TOKENS) if token.name == name)
    return rows[:, k, : 6 * len(TOKENS[k].joints)]


def right_handed(tokens: Float[np.ndarray, "21 19"]) -> Float[np.ndarray, "21 19"]:
    """The person, mirrored where the left hand is the higher one."""
    hands = pose_body(decode(tokens, SIZE_PX)).hands
    if hands["left"].translation_m[1] >= hands["right"].translation_m[1]:  # y is down
        return tokens
    return mirrored(replace(_NOBODY, tokens=tokens)).tokens


def pose_fids(
    real: Tokens, drawn: Tokens, others: Tokens, *, seed: int = 0
) -> Iterator[tuple[Space, str, Estimate | str]]:
    """Fréchet distance from real people, of the drawn ones and, for comparison, of other real people.

    Where a set is too small for a space, the reason stands in place of the figure.
    """
    for space in SPACES:
        reference = features(real, space)
        for row, people in (("T2H", drawn), ("other real people", others)):
            try:
                yield (
                    space,
                    row,
                    frechet_distance(reference, features(people, space), name="pose-fid", seed=seed),
                )
            except NotEnoughDataError as error:
                yield space, row, str(error)


def pair_distances(rows: Float[np.ndarray, "n d"], rng: np.random.Generator) -> Float[np.ndarray, " pairs"]:
    """Distances of the members of random disjoint pairs, as of ``metrics.poses.diversity``."""
    order = rng.permutation(len(rows))
    half = len(order) // 2
    return np.linalg.norm(rows[order[:half]] - rows[order[half : 2 * half]], axis=1)


def diversity_ratio(
    drawn: Sequence[Float[np.ndarray, "k d"]],
    real: Sequence[Float[np.ndarray, "m d"]],
    *,
    name: str = "diversity ÷ real",
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Diversity of the people drawn for each text over that of the real people it is true of.

    Each text counts alike: the figure is the mean diversity of drawn people over the mean diversity of real
    ones. The interval redraws pairs within each text.

    Raises:
        NotEnoughDataError: A text has fewer than 4 people of either kind.
    """
    if min(len(rows) for rows in (*drawn, *real)) < 4:
        raise NotEnoughDataError(f"{name} needs at least 4 people of each kind a text")
    rng = np.random.default_rng(seed)
    pairs = [[pair_distances(rows, rng) for rows in kind] for kind in (drawn, real)]

    def ratio(draw: bool) -> float:
        above, below = (
            np.mean([one[rng.integers(0, len(one), len(one))].mean() if draw else one.mean() for one in kind])
            for kind in pairs
        )
        return float(above / below)

    low, high = interval(np.array([ratio(draw=True) for _ in range(rounds)]))
    counts = [sum(map(len, kind)) for kind in pairs]
    return Estimate(name, ratio(draw=False), low, high, n=counts[0], n_reference=counts[1])


def multimodalities(
    drawn: Float[np.ndarray, "texts k 21 19"], *, seed: int = 0
) -> Iterator[tuple[Space, Estimate]]:
    """Mean distance between people drawn for the same text, in each space."""
    texts, draws = drawn.shape[:2]
    for space in SPACES:
        rows = features(drawn.reshape(-1, *drawn.shape[2:]), space).reshape(texts, draws, -1)
        yield space, multimodality(rows, name="multimodality", seed=seed)


def r_precisions(
    texts: Float[np.ndarray, "n d"], poses: Float[np.ndarray, "n d"], *, seed: int = 0
) -> list[Estimate]:
    """R-precision at 1, 2 and 3 of 32 from the features of two encoders, row k of one text and its person.

    Raises:
        NotEnoughDataError: There are fewer than 32 pairs.
        InvalidValueError: Shapes do not fit, or numbers are not finite.
    """
    return [r_precision(texts, poses, top, embedding="text-pose", seed=seed) for top in TOPS]


def embedded_pairs(
    encoders: TextPoseEncoders, texts: Sequence[str], tokens: Tokens
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
    """Features of texts and of people, so many at a time that memory does not matter."""
    rows: list[list[Float[np.ndarray, "n d"]]] = [[], []]
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            part = slice(start, start + BATCH)
            people = torch.from_numpy(tokens[part]).float()
            both = encoders.text_features(list(texts[part])), encoders.pose_features(people)
            for kept, found in zip(rows, both, strict=True):
                kept.append(torch.as_tensor(found).double().cpu().numpy())
    return np.concatenate(rows[0]), np.concatenate(rows[1])


def open_embedder(folder: Path) -> TextPoseEncoders:
    """The text–pose embedder of a folder."""
    from handwright.handiffuser.text_pose_embedder import open_text_pose_embedder

    return open_text_pose_embedder(folder)


def space_table(
    people: Sequence[TextPose],
    stream: TextPoseStream,
    pipeline: TextToHandPipeline,
    sampler: Mapping[str, float],
    count: int,
    seed: int,
    encoders: TextPoseEncoders | None = None,
) -> Iterator[str]:
    """Lines of the table of all measures.

    Args:
        people: Real people that nothing was trained on; those drawn are for their texts.
        stream: Where they come from; its people are the real ones that draws for open texts are held against.
        pipeline: T2H.
        sampler: Settings of its sampler, other than its own.
        count: Texts for multimodality.
        seed: Of everything random.
        encoders: For R-precision, which is left out without them.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(stream.training))[: len(people)]
    real, others = tokens_of(people), tokens_of([stream.training[k] for k in chosen])
    yield "| measure | space | row | figure |\n|---|---|---|---|"
    for wording in ("natural", "technical"):
        texts = [person.text(wording, np.random.default_rng(k)) for k, person in enumerate(people)]
        drawn = draw(texts, 1, seed, pipeline, sampler)[:, 0]
        for where, row, figure in pose_fids(real, drawn, others, seed=seed):
            yield f"| pose-space FID, {wording} | {where} | {row} | {figure} |"
        if encoders is not None:
            for row, tokens in (("the texts' own people", real), ("T2H", drawn)):
                for figure in r_precisions(*embedded_pairs(encoders, texts, tokens), seed=seed):
                    yield f"| R-precision, {wording} | text-pose | {row} | {figure} |"
        several = draw(texts[:count], DRAWS_A_TEXT, seed, pipeline, sampler)
        for where, figure in multimodalities(several, seed=seed):
            yield f"| multimodality, {wording} | {where} | T2H | {figure} |"
    yield from open_text_lines(stream, len(people), pipeline, sampler, seed)


def open_text_lines(
    stream: TextPoseStream, most: int, pipeline: TextToHandPipeline, sampler: Mapping[str, float], seed: int
) -> Iterator[str]:
    """Diversity on what a text leaves open, over that of at most so many real people of the kind."""
    everybody = [*stream.held_out, *stream.training]
    everybody = [everybody[k] for k in np.random.default_rng(seed).permutation(len(everybody))]
    drawn = draw([one.text for one in OPEN_TEXTS], OPEN_DRAWS, seed, pipeline, sampler)
    alike = [tokens_of([p for p in everybody if one.holds_for(p)][:most]) for one in OPEN_TEXTS]
    for where in SPACES:
        rows = [features(tokens, where) for tokens in drawn], [features(tokens, where) for tokens in alike]
        for k, one in enumerate(OPEN_TEXTS):
            figure = diversity_ratio(rows[0][k : k + 1], rows[1][k : k + 1], seed=seed)
            yield f"| diversity ÷ real, “{one.text}” | {where} | T2H | {figure} |"
        figure = diversity_ratio(*rows, seed=seed)
        yield f"| diversity ÷ real, all texts that state little | {where} | T2H | {figure} |"


def draw(
    texts: Sequence[str],
    count: int,
    seed: int,
    pipeline: TextToHandPipeline,
    sampler: Mapping[str, float],
) -> Float[np.ndarray, "texts k 21 19"]:
    """People for each text, as tokens."""
    rows: list[np.ndarray] = []
    for k, text in enumerate(texts):
        generator = torch.Generator().manual_seed(seed + k)
        found = pipeline(text, num_samples_per_prompt=count, generator=generator, size_px=SIZE_PX, **sampler)
        rows.append(np.stack([encode(person) for person in found.parameters]))
    return np.stack(rows)


def tokens_of(people: Sequence[TextPose]) -> Tokens:
    """The tokens of people."""
    return np.stack([person.tokens for person in people]).astype(np.float64)
