"""Keywords of the public functions: their types, and an error that names the nearest one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypedDict, TypeVar

from handwright.errors import UnknownKeywordError
from handwright.options import nearest

if TYPE_CHECKING:
    from handwright.perception.detect.own_landmarker import HandDetector
    from handwright.perception.fit.own_fitter import MeshFitter
    from handwright.progress import Progress
    from handwright.refine.painters import HandPainter
    from handwright.refine.pipeline import Engine
    from handwright.review.critic.prediction import Critic
    from handwright.review.judge import Judge
    from handwright.types import Box, Hand, HandObservation
    from handwright.workflow.inputs import Picture

P = ParamSpec("P")
R = TypeVar("R")


class RefineOptions(TypedDict, total=False):
    """Keywords of ``refine`` and of a ``HandRefiner``, defined in ``handwright.options``."""

    painter: Literal["draw", "harmonise", "diffuse"] | str | HandPainter
    seed: int
    candidates: int
    budget: float
    box: Box | Sequence[Box]
    hand: int | Sequence[int]
    all: bool
    unsure: bool
    leave_holding: bool
    hands: str | Path | Sequence[tuple[HandObservation, Hand]] | None
    mask: Picture | None
    depth: Picture | None
    hand_pose: str | Path | Hand | None
    landmarker: str | Path | HandDetector | None
    fitter: str | MeshFitter | None
    critic: str | Critic | None
    prompt: str | None
    negative_prompt: str | None
    controlnet_conditioning_scale: float | str | None
    num_inference_steps: int | None
    strength: float | None
    batch: int | None
    sampler: str | None
    guidance_scale: float | None
    as_published: bool | None
    box_mask: bool | None
    no_grain: bool | None
    no_retoning: bool | None
    no_control_guidance: bool | None
    model: str | Path | None
    controlnet: str | Path | None
    dtype: str | None
    device: str | None
    offload: bool | None
    revision: str | None
    variant: str | None
    lora: str | Path | Sequence[str | Path] | None
    textual_inversion: str | Path | Sequence[str | Path] | None
    ip_adapter: str | Path | None
    progress: Progress | None


class HandsOptions(TypedDict, total=False):
    """Keywords of ``hands``."""

    box: Box | Sequence[Box]
    hands: str | Path | Sequence[tuple[HandObservation, Hand]] | None
    landmarker: str | Path | HandDetector | None
    fitter: str | MeshFitter | None
    progress: Progress | None
    engine: Engine | None


class ReviewKeywords(TypedDict, total=False):
    """Keywords of ``review``."""

    prompt: str | None
    generated: bool
    calibration: str | Path | None
    landmarker: str | Path | HandDetector | None
    fitter: str | MeshFitter | None
    critic: str | Critic | None
    progress: Progress | None
    judge: Judge | None


def known_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """A function that, called with a keyword it does not have, names the nearest one that it has."""
    names = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]

    @functools.wraps(function)
    def checked(*arguments: P.args, **keywords: P.kwargs) -> R:
        refuse_unknown(function.__name__, keywords, names)
        return function(*arguments, **keywords)

    return checked


def refuse_unknown(called: str, given: dict[str, Any], names: Sequence[str]) -> None:
    """Refuse keywords that there are not.

    Raises:
        UnknownKeywordError: With the nearest keyword that there is.
    """
    for name in given:
        if name not in names:
            raise UnknownKeywordError(f"{called}() has no keyword `{name}`", "", nearest(name, names))
