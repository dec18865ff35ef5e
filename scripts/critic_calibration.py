"""A critic's calibration on hands kept from training; its limits spend one budget of false alarms best."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.errors import NotEnoughDataError
from handwright.review.calibration.calibration import (
    BUDGET,
    Calibration,
    Head,
    allowed_alarms,
    fit_platt,
    sigmoid,
)
from handwright.review.critic.output_maps import PartMaps
from handwright.review.critic.prediction import HAND_WITHOUT_DETECTION, SURPLUS
from handwright.training.networks.critic import CriticConfig
from handwright.training.streams.critic_batches import as_found
from handwright.training.streams.critic_samples import HandViews

_AHEAD = 6  # A head may be given so many further false alarms at once: the first of them may buy nothing yet

Called = Bool[np.ndarray, "n"]


def spend(
    good: Float[np.ndarray, "g h"],
    group: Int[np.ndarray, "g"],
    bad: Float[np.ndarray, "b h"],
    worth: Float[np.ndarray, "b"],
    budget: float,
    sure: float | None = None,
) -> Float[np.ndarray, "h"]:
    """Limits such that no more than the budget of each group of good hands is called by any head.

    All limits begin above every good hand. Then, again and again, the head is lowered whose next false alarms
    find the most malformed hands that no head has called yet, in shares of what is left to spend.

    With ``sure``, the budget must hold for hands to come with this confidence (Clopper–Pearson); of a group
    too small for that none may be called. A limit is half-way between the last hand that is let go and the
    first that is called.
    """
    allowed = np.array([_allowed(int(count), budget, sure) for count in np.bincount(group)])
    ordered = -np.sort(-good, axis=0)
    spent = np.zeros(good.shape[1], int)
    thresholds = np.array([_above(ordered[0, h], bad[:, h]) for h in range(good.shape[1])])
    while True:
        called, found = (good >= thresholds).any(1), (bad >= thresholds).any(1)
        used = np.bincount(group[called], minlength=len(allowed))
        best = None
        for head in range(good.shape[1]):
            for more in range(1, _AHEAD + 1):
                k = spent[head] + more
                if k >= len(ordered):
                    break
                threshold = _above(ordered[k, head], bad[:, head])
                alarms = np.bincount(group[(good[:, head] >= threshold) & ~called], minlength=len(allowed))
                gain = float(worth[(bad[:, head] >= threshold) & ~found].sum())
                if (used + alarms > allowed).any() or gain <= 0:
                    continue
                cost = float((alarms / np.maximum(allowed, 1)).sum()) + 1e-9
                if best is None or gain / cost > best[0]:
                    best = (gain / cost, head, k, threshold)
        if best is None:
            return thresholds
        _, head, spent[head], thresholds[head] = best


def _allowed(count: int, budget: float, sure: float | None) -> int:
    try:
        return allowed_alarms(count, budget, sure)
    except NotEnoughDataError:
        return 0


def _above(good: float, bad: Float[np.ndarray, "b"]) -> float:
    """Between a good hand that is let go and the next malformed one that is more suspect, half-way."""
    beyond = bad[bad > good]
    return float((good + beyond.min()) / 2) if len(beyond) else float(good + 1e-5)


_AT_ONCE, _RANDOM_STREAM = 16, 15
"""Crops of one forward pass; what keeps these random numbers apart from the recipes'."""

_NUMBERS = ("malformed", "defects", "fingers", "right", "poses", "gloved", "assessable", "hand")
_SURE = 0.9  # Confidence with which the budget holds for unseen hands: thresholds are chosen among very many

_OVERLOOKED, _OVERLOOKED_UNDETECTED = 0.005, 0.02
"""Share of hands that may be taken for something else; of those that no detector finds."""

_LEAST_LIMIT = 0.05
"""No threshold is lower, so that a head that hardly ever fires is not given one near 0; chosen by eye."""

_LEAST_SURPLUS = 0.005  # Least share of surplus skin that counts: a cell or two are no finger; chosen by eye

_AS_IT_IS = np.eye(3)[:2]

Logits = Mapping[str, np.ndarray]
Ask = Callable[[UInt8[np.ndarray, "n s s 3"]], Logits]


def calibrate_critic(
    ask: Ask, config: CriticConfig, views: HandViews, about: Mapping[str, Any], seed: int = 0
) -> Calibration:
    """How a critic's logits are to be read.

    Probabilities are right where sound and malformed hands come as in ``views``. A hand is called wrong when
    any head reaches its limit; limits are such that, with 90 % confidence, at most ``BUDGET`` of sound
    renders, and at most ``BUDGET`` of sound photographs, are.

    Raises:
        NotEnoughDataError: Hands of some kind are missing.
    """
    crops, clear = as_found(
        np.random.default_rng([seed, _RANDOM_STREAM]), views, config.size_px, spoilt=False
    )
    logits_by_head = _logits_of(ask, crops, config)
    judged = clear & views.judged
    malformed = np.any(views.defects, axis=1)
    heads = {"malformed": _platt(logits_by_head["malformed"], malformed, judged)}
    for k, name in enumerate(config.defects):
        heads[name] = _platt(logits_by_head["defects"][:, k], views.defects[:, k], judged)
    called = clear | (logits_by_head["assessable"] > 0)
    thresholds = _limits(heads, logits_by_head, config, views, called & views.judged)
    heads = {name: Head(head.scale, head.bias, thresholds[name]) for name, head in heads.items()}
    heads[SURPLUS] = Head(threshold=thresholds[SURPLUS])
    heads["right"] = _platt(logits_by_head["right"], np.equal(views.side, 1), clear & (views.side >= 0))
    heads |= _seeing(ask, config, views, seed)
    heads |= _hand(logits_by_head["hand"], views)
    counted, posed = judged & (views.fingers >= config.fingers[0]), clear & (views.pose >= 0)
    count = np.clip(views.fingers, config.fingers[0], config.fingers[-1]) - config.fingers[0]
    temperatures = {
        "fingers": fit_temperature(logits_by_head["fingers"][counted], count[counted].astype(np.int64)),
        "poses": fit_temperature(logits_by_head["poses"][posed], views.pose[posed].astype(np.int64)),
    }
    return Calibration(heads, temperatures, {**about, "hands": int(views.hand.sum()), "budget": BUDGET})


def _logits_of(ask: Ask, crops: UInt8[np.ndarray, "n s s 3"], config: CriticConfig) -> Logits:
    """Its numbers, a few crops at once, and the share of skin that is surplus."""
    logits_by_head: dict[str, list[np.ndarray]] = {name: [] for name in (*_NUMBERS, SURPLUS)}
    for start in range(0, len(crops), _AT_ONCE):
        lot = ask(crops[start : start + _AT_ONCE])
        parts = (PartMaps.of(one, config.parts, _AS_IT_IS, config.size_px) for one in lot["parts"])
        lot = {**lot, SURPLUS: np.array([maps.surplus_share for maps in parts])}
        for name, values in logits_by_head.items():
            values.append(lot[name])
    return {name: np.concatenate(values).astype(np.float64) for name, values in logits_by_head.items()}


def _seeing(ask: Ask, config: CriticConfig, views: HandViews, seed: int) -> dict[str, Head]:
    """Heads that predict whether a hand can be judged, on hands of which some are spoilt."""
    crops, able = as_found(
        np.random.default_rng([seed, _RANDOM_STREAM, 1]), views, config.size_px, spoilt=True
    )
    logits_by_head = _logits_of(ask, crops, config)
    return {
        "gloved": _platt(logits_by_head["gloved"], views.gloved, views.hand),
        "assessable": _platt(logits_by_head["assessable"], able, views.hand),
    }


def _hand(logits: Float[np.ndarray, "n"], views: HandViews) -> dict[str, Head]:
    """Whether it is a hand at all, with both limits; a share of the hands may be overlooked by each."""
    head = _platt(logits, views.hand, np.ones(len(views), np.bool_))
    hands = _read(head, logits[views.hand])
    shares = {"hand": _OVERLOOKED, HAND_WITHOUT_DETECTION: _OVERLOOKED_UNDETECTED}
    thresholds = {name: max(float(np.quantile(hands, share)), 1e-6) for name, share in shares.items()}
    return {name: Head(head.scale, head.bias, threshold) for name, threshold in thresholds.items()}


def _limits(
    heads: Mapping[str, Head],
    logits_by_head: Logits,
    config: CriticConfig,
    views: HandViews,
    judged: Bool[np.ndarray, "n"],
) -> dict[str, float]:
    """Limits that hold the budget on renders and on photographs; malformed ones of either count alike."""
    values = {"malformed": logits_by_head["malformed"]}
    values |= {name: logits_by_head["defects"][:, k] for k, name in enumerate(config.defects)}
    read = np.column_stack([*(_read(heads[name], values[name]) for name in heads), logits_by_head[SURPLUS]])
    malformed, of_group = np.any(views.defects, axis=1), views.rendered.astype(int)
    sound, wrong = judged & ~malformed, judged & malformed
    worth = 1 / np.maximum(np.bincount(of_group[wrong], minlength=2), 1)[of_group[wrong]]
    thresholds = spend(read[sound], of_group[sound], read[wrong], worth, BUDGET, _SURE)
    least = [*(_LEAST_LIMIT for _ in heads), _LEAST_SURPLUS]
    return dict(zip((*heads, SURPLUS), np.maximum(thresholds, least).tolist(), strict=True))


def _read(head: Head, logits: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
    return sigmoid(head.scale * logits + head.bias)


def _platt(
    logits: Float[np.ndarray, "n"], truths: Bool[np.ndarray, "n"], chosen: Bool[np.ndarray, "n"]
) -> Head:
    return Head(*fit_platt(logits[chosen], truths[chosen]))


_STEPS, _SETTLED, _LEAST_COLD = 60, 1e-10, 0.05


def fit_temperature(logits: Float[np.ndarray, "n c"], truths: Int[np.ndarray, " n"]) -> float:
    """The T that makes softmax(logits / T) the probability of the true class; Guo et al. 2017.

    Maximum likelihood in 1 / T under 1 / T ~ N(1, 1), by Newton steps; T lies in (0, 20].

    Raises:
        NotEnoughDataError: There is no sample.
    """
    logits = np.asarray(logits, np.float64)
    if not len(logits):
        raise NotEnoughDataError("no temperature can be fitted", "there are no samples")
    chosen = logits[np.arange(len(logits)), truths]
    cold = 1.0
    for _ in range(_STEPS):
        shares = np.exp(cold * (logits - logits.max(1, keepdims=True)))
        shares /= shares.sum(1, keepdims=True)
        mean = (shares * logits).sum(1)
        slope = (mean - chosen).sum() + (cold - 1)
        bend = (shares * (logits - mean[:, None]) ** 2).sum() + 1
        step = float(np.clip(slope / bend, -cold, cold / 2))
        cold = max(cold - step, _LEAST_COLD)
        if abs(step) < _SETTLED:
            break
    return 1 / cold
