"""What raters' answers mean: win rates with exact intervals, Bradley–Terry scores, agreement."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError, need
from handwright.metrics.estimate import ROUNDS, Estimate, interval
from handwright.preference.answers import Answers

_PRIOR = 0.5  # Virtual wins of either of two compared systems: a system that never loses keeps a finite score
_MOST_STEPS = 10_000
_CLOSE = 1e-9


@dataclass(frozen=True, kw_only=True)
class PairResult:
    """Two systems on one question. The picture is the unit: answers on one picture depend on each other."""

    first: str
    second: str
    pictures: int
    first_majority: int  # Pictures on which more than half of the answers, 'neither' included, are for first
    second_majority: int
    first_plurality: int  # Pictures on which first has more answers than second and than 'neither'
    second_plurality: int
    first_answers: int
    second_answers: int
    neither_answers: int
    win_rate: Estimate  # Share of first among pictures with more answers for one of the two; Clopper–Pearson


@dataclass(frozen=True, kw_only=True)
class QuestionResult:
    """All systems on one question."""

    pairs: tuple[PairResult, ...]
    scores: tuple[Estimate, ...]  # Bradley–Terry: natural logarithms of strengths, their mean 0
    agreement: Estimate  # Krippendorff's alpha (nominal): 1 raters agree, 0 as by chance
    left: Estimate  # Share of decided answers for the left side; one half without a habit


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """A scored study."""

    questions: Mapping[str, QuestionResult]
    raters: tuple[str, ...]
    excluded: tuple[str, ...]  # Raters who failed more attention checks than allowed

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def score_study(
    key: Mapping[str, Any], answers: Sequence[Answers], *, checks_allowed: int = 0, seed: int = 0
) -> StudyResult:
    """Score a study; raters who failed more than ``checks_allowed`` attention checks do not count.

    Intervals of scores and agreement are bootstrapped by picture: answers to one picture go together.

    Raises:
        NotEnoughDataError: No rater is left, or a question has no answer.
        MissingPackageError: scipy is not installed.
    """
    need("scipy", extra="preference")
    kept = [each for each in answers if each.checks_failed <= checks_allowed]
    if not kept:
        raise NotEnoughDataError("no rater is left to score", "all failed the attention checks")
    return StudyResult(
        questions={question: _question(key, kept, question, seed) for question in key["questions"]},
        raters=tuple(each.rater for each in kept),
        excluded=tuple(each.rater for each in answers if each.checks_failed > checks_allowed),
    )


def _question(key: Mapping[str, Any], answers: Sequence[Answers], question: str, seed: int) -> QuestionResult:
    systems: list[str] = key["systems"]
    votes: dict[tuple[str, str, str], list[str]] = defaultdict(list)  # By picture and pair of systems
    lefts: list[bool] = []
    for trial in key["trials"]:
        pair = sorted((trial["a"], trial["b"]), key=systems.index)
        for each in answers:
            choice = each.choices.get((trial["id"], question))
            if choice is None:
                continue
            votes[trial["picture"], pair[0], pair[1]].append(
                "neither" if choice == "neither" else trial[choice]
            )
            if choice != "neither":
                lefts.append(choice == each.left[trial["id"], question])
    if not votes:
        raise NotEnoughDataError(f"nobody answered the question of {question}", "there are only checks")
    pairs = tuple(
        _pair(first, second, [v for (_, *pair), v in votes.items() if pair == [first, second]])
        for first, second in itertools.combinations(systems, 2)
        if any(pair == [first, second] for _, *pair in votes)
    )
    return QuestionResult(
        pairs=pairs,
        scores=_scores(systems, votes, seed),
        agreement=_agreement(votes, seed),
        left=_exact("left side", sum(lefts), len(lefts)),
    )


def _pair(first: str, second: str, votes: Sequence[Sequence[str]]) -> PairResult:
    counts = [Counter(each) for each in votes]

    def wins(name: str, rival: str, *, majority: bool) -> int:
        if majority:
            return sum(2 * c[name] > c.total() for c in counts)
        return sum(c[name] > max(c[rival], c["neither"]) for c in counts)

    ahead = sum(c[first] > c[second] for c in counts)
    behind = sum(c[second] > c[first] for c in counts)
    return PairResult(
        first=first,
        second=second,
        pictures=len(counts),
        first_majority=wins(first, second, majority=True),
        second_majority=wins(second, first, majority=True),
        first_plurality=wins(first, second, majority=False),
        second_plurality=wins(second, first, majority=False),
        first_answers=sum(c[first] for c in counts),
        second_answers=sum(c[second] for c in counts),
        neither_answers=sum(c["neither"] for c in counts),
        win_rate=_exact(f"{first} over {second}", ahead, ahead + behind),
    )


def _exact(name: str, hits: int, n: int) -> Estimate:
    """A share with its exact (Clopper–Pearson) 95 % interval and the p of the test against one half."""
    if not n:
        return Estimate(name, float("nan"), 0.0, 1.0, n=0)
    from scipy.stats import binomtest

    test = binomtest(hits, n)
    low, high = test.proportion_ci(0.95, "exact")
    return Estimate(name, hits / n, float(low), float(high), n=n, p=float(test.pvalue))


def _scores(
    systems: Sequence[str], votes: Mapping[tuple[str, str, str], Sequence[str]], seed: int
) -> tuple[Estimate, ...]:
    """Bradley–Terry scores; an answer 'neither' is half a win of either."""
    pictures = sorted({picture for picture, _, _ in votes})
    at = {picture: k for k, picture in enumerate(pictures)}
    wins = np.zeros((len(pictures), len(systems), len(systems)))
    for (picture, first, second), each in votes.items():
        i, j = systems.index(first), systems.index(second)
        neither = each.count("neither") / 2
        wins[at[picture], i, j] += each.count(first) + neither
        wins[at[picture], j, i] += each.count(second) + neither
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [
            bradley_terry(
                np.tensordot(np.bincount(rng.integers(0, len(at), len(at)), minlength=len(at)), wins, 1)
            )
            for _ in range(ROUNDS)
        ]
    )
    scores = bradley_terry(wins.sum(0))
    return tuple(
        Estimate(name, float(scores[k]), *interval(drawn[:, k]), n=len(pictures))
        for k, name in enumerate(systems)
    )


def bradley_terry(wins: Float[np.ndarray, "k k"]) -> Float[np.ndarray, " k"]:
    """Logarithms of Bradley–Terry strengths, mean 0, by minorisation–maximisation (Hunter 2004, eq. 3).

    Args:
        wins: How often the row's system was preferred to the column's; halves are ties. Half a virtual win
            is added both ways wherever two were compared.
    """
    compared = (wins + wins.T) > 0
    wins = wins + _PRIOR * compared
    matches, total = wins + wins.T, wins.sum(1)
    scores = np.zeros(len(wins))
    for _ in range(_MOST_STEPS):
        strengths = np.exp(scores)
        shared = matches / (strengths[:, None] + strengths)
        new = np.log(np.maximum(total, 1e-12) / np.maximum(shared.sum(1), 1e-12))
        new -= new.mean()
        if np.abs(new - scores).max() < _CLOSE:
            return new
        scores = new
    return scores


def _agreement(votes: Mapping[tuple[str, str, str], Sequence[str]], seed: int) -> Estimate:
    """Krippendorff's alpha of pictures and pairs that two raters or more answered, bootstrapped by these."""
    units = [each for each in votes.values() if len(each) > 1]
    kinds = sorted({answer for each in units for answer in each})
    if len(units) < 2:
        return Estimate("alpha", float("nan"), float("nan"), float("nan"), n=len(units))
    counts = np.array([[each.count(kind) for kind in kinds] for each in units], float)
    rng = np.random.default_rng(seed)
    drawn = np.array([_alpha(counts[rng.integers(0, len(counts), len(counts))]) for _ in range(ROUNDS)])
    return Estimate("alpha", _alpha(counts), *interval(drawn), n=len(units))


def _alpha(counts: Float[np.ndarray, "u k"]) -> float:
    """Nominal alpha from how often each unit got each answer (Krippendorff 2011, section C)."""
    sizes = counts.sum(1)
    n, totals = sizes.sum(), counts.sum(0)
    observed = ((sizes**2 - (counts**2).sum(1)) / (sizes - 1)).sum() / n
    expected = (n**2 - (totals**2).sum()) / (n * (n - 1))
    return float(1 - observed / expected) if expected > 0 else float("nan")
