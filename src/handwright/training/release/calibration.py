"""A critic's calibration, on hands that were kept from its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.review.calibration.calibration import BUDGET, Calibration, Head, sigmoid
from handwright.review.calibration.fitting import fit_platt, fit_temperature
from handwright.review.critic.output_maps import PartMaps
from handwright.review.critic.prediction import HAND_WITHOUT_DETECTION, SURPLUS
from handwright.training.networks.critic import CriticConfig
from handwright.training.release.thresholds import spend
from handwright.training.streams.critic_batches import as_found
from handwright.training.streams.critic_samples import HandViews

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
