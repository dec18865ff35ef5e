"""The perception models and the critic, loaded by the first node that runs and kept until ComfyUI ends."""

from __future__ import annotations

import atexit
import sys
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine


@cache
def engine() -> Engine:
    """The models that all nodes share; between stages of a picture the user's *Cancel* is heeded.

    Raises:
        MissingModelError: The perception model is missing and cannot be fetched.
    """
    from handwright.workflow.hand_refiner import HandRefiner

    refiner = HandRefiner()
    atexit.register(refiner.close)
    return replace(refiner.engine, on_stage=_stop_if_cancelled)


def _stop_if_cancelled(_: str) -> None:
    management = sys.modules.get("comfy.model_management")
    if management is not None:
        management.throw_exception_if_processing_interrupted()
