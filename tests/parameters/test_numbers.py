"""30 % more or less of each number of ``moved.json`` changes what the functions that read it return.

``python -m tests.parameters.test_numbers`` makes that table. It holds what a few pictures show in seconds;
``python -m tests.parameters.sweep`` looks for numbers without effect on many more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from handwright import HandRefiner
from tests.golden.cases import CASES, Case
from tests.parameters.limits import LIMITS
from tests.parameters.numbers import FACTORS, label, multiplied, numbers, params_classes
from tests.parameters.ramps import RAMPS
from tests.parameters.recording import Call, Recording, differs
from tests.parameters.scenarios import SCENARIOS, USED_BY, record_other_hands

MOVED = Path(__file__).with_name("moved.json")
RECORDED = (
    Case("defects_04", "default", {}),
    *(case for case in CASES if case.name in ("defects_04-all", "people_02-all", "hands_02-harmonise")),
)
MOST_CALLS = 8

TESTED_ELSEWHERE = {
    "drawing.geometry.working_resolution.WorkingResolutionParams": (
        "tests/drawing/geometry/test_working_resolution.py"
    ),
    "perception.body.person_of_hands.PersonOfHandsParams": "tests/perception/body/test_person_of_hands.py",
    "perception.detect.not_a_hand.NotAHandParams": "tests/perception/detect/test_not_a_hand.py",
    "refine.attempt.AttemptParams": "tests/refine/test_attempt.py",
    "refine.compositing.lost_things.LostThingParams": "tests/refine/compositing/test_lost_things.py",
    "refine.compositing.surplus_finger.SurplusFingerParams": (
        "tests/refine/compositing/test_surplus_finger.py"
    ),
    "refine.redetection.RedetectionParams": "tests/refine/test_redetection.py",
    "refine.repair_sizes.RepairSizeParams": "tests/refine/test_repair_sizes.py",
    "refine.review_before_after.RematchParams": "tests/refine/test_review_before_after.py",
    "refine.scene.SceneParams": "tests/refine/test_scene.py",
    "review.proposals.undetected_hands.UndetectedHandParams": (
        "tests/review/proposals/test_undetected_hands.py"
    ),
    "training.in_memory.joint_base.JointParams": "tests/training/in_memory/test_joint_base.py",
    "training.in_memory.picture_store.RepairParams": "tests/training/in_memory/test_picture_store.py",
    "training.recipes.autoencoder.AutoencoderParams": "tests/training/recipes/test_autoencoder.py",
    "training.recipes.text_to_hand.TextToHandParams": "tests/training/recipes/test_text_to_hand.py",
    "training.recipes.few_steps.FewStepsParams": "tests/training/recipes/test_few_steps.py",
    "training.recipes.few_steps_outpainter.FewStepsOutpainterParams": (
        "tests/training/recipes/test_few_steps_outpainter.py"
    ),
    "training.recipes.finish.FinishLossParams": "tests/training/recipes/test_finish.py",
    "training.recipes.text_to_image.TextToImageParams": "tests/training/recipes/test_text_to_image.py",
    "two_stage.networks.finger_heatmaps.HeatmapParams": "tests/two_stage/networks/test_finger_heatmaps.py",
}
"""Classes whose numbers are read once, when something is made; tests of their own hold them."""


@contextmanager
def recorded() -> Iterator[Recording]:
    """Calls of all functions that read a number; the networks stay open as long as they may be called."""
    made = Recording(most=MOST_CALLS)
    with HandRefiner() as refiner:
        with made.of({module for each in params_classes() for module in read_in(each)}):
            record_other_hands()
            for case in RECORDED:
                case.refine(refiner)
        yield made


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    with recorded() as made:
        yield made


def read_in(params: type) -> tuple[str, ...]:
    """Modules whose functions read a class's numbers."""
    return USED_BY.get(label(params), (params.__module__,))


def calls_of(params: type, recording: Recording) -> list[Call]:
    """What is called again with other numbers."""
    if label(params) in SCENARIOS:
        return [Call(SCENARIOS[label(params)], (), {})]
    ramps = [Call(each[label(params)], (), {}) for each in (RAMPS, LIMITS) if label(params) in each]
    return ramps + [call for module in read_in(params) for call in recording.calls[module]]


def moves(params: type, name: str, factor: float, calls: list[Call], before: list[np.ndarray]) -> bool:
    """Whether a number multiplied changes what one of the calls returns."""
    with multiplied(params, name, factor):
        return any(differs(call.again(), was) for call, was in zip(calls, before, strict=True))


@cache
def moved() -> dict[str, list[str]]:
    return json.loads(MOVED.read_text("utf-8")) if MOVED.is_file() else {}


def test_every_class_with_numbers_has_a_test():
    assert {
        label(each) for each in params_classes() if numbers(each)
    } == moved().keys() | TESTED_ELSEWHERE.keys()


@pytest.mark.parametrize("name", TESTED_ELSEWHERE)
def test_a_class_is_held_by_the_test_that_is_named(name):
    test = (Path(__file__).parents[2] / TESTED_ELSEWHERE[name]).read_text("utf-8")
    assert "PARAMS." in test or name.rpartition(".")[2] in test


@pytest.mark.parametrize("name", moved())
def test_numbers_change_what_is_returned(recording, name):
    (params,) = (each for each in params_classes() if label(each) == name)
    calls = calls_of(params, recording)
    before = [call.again() for call in calls]
    assert not any(differs(call.again(), was) for call, was in zip(calls, before, strict=True)), (
        "what is returned is not the same twice"
    )
    names = moved()[label(params)]
    assert names, "a class of which no number is seen to matter"
    assert not [
        name for name in names if not any(moves(params, name, factor, calls, before) for factor in FACTORS)
    ]


def main() -> None:
    """Write down which numbers the recorded calls show, about a second's worth of each class."""
    most_seconds = 1.0
    table: dict[str, list[str]] = {}
    with recorded() as recording:
        for params in params_classes():
            if label(params) in TESTED_ELSEWHERE or not numbers(params):
                continue
            calls = calls_of(params, recording)
            before = [call.again() for call in calls]
            table[label(params)], left = [], most_seconds
            for name in numbers(params):
                begun = time.process_time()
                if any(moves(params, name, factor, calls, before) for factor in FACTORS):
                    table[label(params)].append(name)
                    left -= time.process_time() - begun
                if left < 0:
                    break
            print(f"{label(params):65} {len(table[label(params)]):3} of {len(numbers(params)):3}", flush=True)
    MOVED.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
