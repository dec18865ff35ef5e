"""A critic asked about every hand of some pictures, as columns that figures are taken from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.review.critic.prediction import Critic, CriticPrediction
from handwright.review.critic.recalibration import MALFORMED
from judge_sets import Picture, Truth

Columns = Bool[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Asked:
    """Hands, what is known of them, and what a critic says.

    Attributes:
        where: Picture and number of the hand in it.
        truths: What is known.
        prediction: What the critic says.
    """

    where: tuple[tuple[Picture, int], ...]
    truths: tuple[Truth, ...]
    prediction: tuple[CriticPrediction, ...]

    def __len__(self) -> int:
        return len(self.truths)

    def __add__(self, other: Asked) -> Asked:
        return Asked(self.where + other.where, self.truths + other.truths, self.prediction + other.prediction)

    def only(self, chosen: Columns) -> Asked:
        """The chosen hands."""
        index = np.flatnonzero(chosen)
        return Asked(
            *(tuple(values[k] for k in index) for values in (self.where, self.truths, self.prediction))
        )

    def which(self, test: Callable[[Truth], object]) -> Columns:
        """Of which hands something is true."""
        return np.array([bool(test(truth)) for truth in self.truths], np.bool_)

    def of(self, test: Callable[[Truth], object]) -> Asked:
        """The hands of which something is true."""
        return self.only(self.which(test))

    @property
    def called(self) -> Columns:
        """Called wrong at the packaged limits."""
        return np.array([prediction.is_malformed for prediction in self.prediction], np.bool_)

    @property
    def blind(self) -> Columns:
        """The critic cannot tell."""
        return np.array([prediction.not_assessable for prediction in self.prediction], np.bool_)

    @property
    def malformed(self) -> Columns:
        """The truth."""
        return self.which(lambda truth: truth.malformed)

    @property
    def threshold_ratio(self) -> Float[np.ndarray, " n"]:
        """How near each comes to being called, in shares of the limit; 0 where the critic cannot tell."""
        return np.array(
            [
                0.0 if prediction.not_assessable else prediction.threshold_ratio
                for prediction in self.prediction
            ]
        )

    def told(self, head: str) -> Float[np.ndarray, " n"]:
        """Probability of being malformed, or of a defect."""
        return np.array(
            [
                prediction.malformed_by_any if head == MALFORMED else prediction.defects[head]
                for prediction in self.prediction
            ]
        )

    @property
    def counted(self) -> Int[np.ndarray, " n"]:
        """How many fingers the critic counts."""
        return np.array([prediction.likeliest_count[0] for prediction in self.prediction], int)

    @property
    def right_side(self) -> Columns:
        """The critic names the side that is the true one."""
        pairs = zip(self.prediction, self.truths, strict=True)
        return np.array(
            [(prediction.right >= 0.5) == (truth.side == "right") for prediction, truth in pairs], np.bool_
        )

    @property
    def sure_of_side(self) -> Columns:
        """The critic is as sure of the side as the review wants it to be."""
        return np.array([prediction.sure_side is not None for prediction in self.prediction], np.bool_)

    @property
    def right_pose(self) -> Columns:
        """The critic names the group of poses that is the true one."""
        pairs = zip(self.prediction, self.truths, strict=True)
        return np.array([max(s.poses, key=lambda n: s.poses[n]) == t.pose for s, t in pairs], np.bool_)


def ask(
    critic: Critic, pictures: Iterable[Picture], progress: Callable[[int], None] = lambda _: None
) -> Asked:
    """What a critic says of every hand of some pictures."""
    where: list[tuple[Picture, int]] = []
    truths: list[Truth] = []
    prediction: list[CriticPrediction] = []
    for number, picture in enumerate(pictures, start=1):
        prediction += critic.judge(picture.read(), picture.regions)
        truths += picture.truths
        where += [(picture, k) for k in range(len(picture.truths))]
        progress(number)
    return Asked(tuple(where), tuple(truths), tuple(prediction))


def joined(parts: Sequence[Asked]) -> Asked:
    """All hands of several."""
    return sum(parts, Asked((), (), ()))
