"""A user's judge in the place of the packaged critic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.hand.defects import Defect
from handwright.plug_ins import PlugIn
from handwright.review.critic.fusion import STATE_OF_POSE
from handwright.review.critic.prediction import HAND_WITHOUT_DETECTION, MALFORMED, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare

LIKELIER_THAN_NOT = 0.5
"""Threshold of a probability for which the user's judge gives none: the likelier of two."""

_NEVER = 2.0  # A threshold that no probability reaches

_DEFAULTS = {
    MALFORMED: LIKELIER_THAN_NOT,
    **dict.fromkeys(map(str, Defect), LIKELIER_THAN_NOT),
    HAND_WITHOUT_DETECTION: _NEVER,
}
_WANTED = "a list of one CriticPrediction a hand"


class OwnCritic:
    """A user's judge, checked; satisfies ``review.critic.prediction.Critic``.

    Defects that it gives no probability of have none; probabilities without a threshold count from
    ``LIKELIER_THAN_NOT`` on. Only with a threshold ``sure_hand`` can it be sure of a hand that no detector
    found, and is one read by it.
    """

    def __init__(self, plug_in: PlugIn) -> None:
        self._plug_in = plug_in

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """One prediction for each of these hands of a picture.

        Raises:
            PlugInError: The judge failed, or returned something else.
        """
        if not regions:
            return []
        found = self._plug_in(pixels, list(regions))
        if not isinstance(found, list | tuple):
            self._plug_in.refuse(f"a {type(found).__name__}", _WANTED)
        if len(found) != len(regions):
            self._plug_in.refuse(f"{len(found)} predictions for {len(regions)} hands", _WANTED)
        return [self._checked(one) for one in found]

    def _checked(self, prediction: object) -> CriticPrediction:
        if not isinstance(prediction, CriticPrediction):
            self._plug_in.refuse(f"a list with a {type(prediction).__name__}", _WANTED)
        unknown = [name for name in prediction.defects if name not in _DEFAULTS or name == MALFORMED]
        if unknown:
            self._plug_in.refuse(f"a defect {unknown[0]!r}", f"defects of: {', '.join(map(str, Defect))}")
        unknown = [name for name in prediction.poses if name not in STATE_OF_POSE]
        if unknown:
            self._plug_in.refuse(f"a pose {unknown[0]!r}", f"poses of: {', '.join(STATE_OF_POSE)}")
        named: dict[str, Any] = {
            MALFORMED: prediction.malformed, "assessable": prediction.assessable, "hand": prediction.hand,
            "right": prediction.right, "gloved": prediction.gloved, **prediction.defects, **prediction.poses,
        }  # fmt: skip
        for name, value in named.items():
            if not (isinstance(value, float | int | np.number) and 0 <= float(value) <= 1):
                self._plug_in.refuse(f"{name} = {value!r}", "probabilities, from 0 to 1")
        for name, shape in (("landmarks_px", (21, 2)), ("visible", (21,))):
            value = getattr(prediction, name)
            if value is not None and np.shape(value) != shape:
                self._plug_in.refuse(
                    f"{name} of shape {list(np.shape(value))}", f"one of shape {list(shape)}"
                )
        return replace(
            prediction,
            defects={str(name): float(prediction.defects.get(name, 0.0)) for name in Defect},
            thresholds={**_DEFAULTS, **prediction.thresholds},
        )
