from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.options import DIFFUSING, OPTIONS, PAINTERS
from handwright.refine.settings import (
    MALFORMED_APPEARANCE,
    SURE_HAND,
    RefineSettings,
    diffusion_settings,
    refine_settings,
)
from handwright.review.critic.prediction import CriticPrediction
from handwright.types import Image, Mask
from tests.drawn import flat_hand

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("strength", value) for value in (NAN, INF, -0.1, -INF, 2.1)],
        *[("guidance", value) for value in (NAN, -1.0, INF)],
        *[("start_level", value) for value in (NAN, 0.0, -0.2, 1.01)],
        *[("steps", value) for value in (0, -3, 1001, 2.5)],
        ("sampler", "heun-ish"),
        ("dtype", "int8"),
        ("device", "tpu"),
        ("model", ""),
        ("controlnet", ""),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_and_its_option_named(field, value):
    option = {option.place: name for name, option in OPTIONS.items()}[field]
    with pytest.raises(UsageError, match=f"`{option}`"):
        DiffusionSettings(**{field: value})


def test_the_edges_of_the_ranges_are_inside():
    DiffusionSettings(strength=0.0, guidance=0.0, steps=1, start_level=1.0)
    DiffusionSettings(strength=2.0, guidance=100.0, steps=1000, start_level=1e-3)


def test_our_strategy_is_the_default_and_guidance_and_steps_are_left_to_the_model():
    default = DiffusionSettings()
    assert (default.strength, default.guidance, default.steps) == ("auto", None, None)


def test_draw_refuses_what_it_has_no_use_for_in_one_line_that_names_it():
    with pytest.raises(UsageError, match="draw has no use for `controlnet_conditioning_scale`, `strength`"):
        diffusion_settings("draw", {"prompt": None, "controlnet_conditioning_scale": 0.5, "strength": 0.3})
    assert diffusion_settings("draw", {"prompt": None, "strength": None}) is None
    with pytest.raises(UsageError, match="draw uses no diffusion model"):
        RefineSettings(diffusion=DiffusionSettings())
    with pytest.raises(UsageError, match="draw uses no diffusion model"):
        RefineSettings(keep_intermediates=True)


def test_only_harmonise_sets_out_from_a_middle_level():
    with pytest.raises(UsageError, match=r"`strength`.*choose `painter` harmonise"):
        diffusion_settings("diffuse", {"strength": 0.5})
    made = diffusion_settings("harmonise", {"strength": 0.5, "num_inference_steps": None})
    assert made == DiffusionSettings(start_level=0.5)


def test_keywords_find_their_place():
    settings = refine_settings(
        {"painter": "diffuse", "seed": 3, "prompt": "a fist", "controlnet_conditioning_scale": 0.7}
    )
    assert (settings.seed, settings.diffusion) == (3, DiffusionSettings(prompt="a fist", strength=0.7))
    assert refine_settings({"painter": "harmonise"}).diffusion == DiffusionSettings()
    assert refine_settings({"seed": 1}).diffusion is None
    with pytest.raises(UsageError, match="num_inference_steps"):
        refine_settings({"num_inference_steps": 3})
    with pytest.raises(UsageError, match="`painter` 'oil' is not known"):
        refine_settings({"painter": "oil", "num_inference_steps": 3})
    with pytest.raises(UsageError, match="did you mean `seed`"):
        refine_settings({"sed": 1})


def test_without_strengths_candidates_differ_by_seed_and_the_last_seed_wraps():
    assert RefineSettings(seed=2**32 - 1, candidates=2).tries == ((2**32 - 1, None), (0, None))


def test_with_strengths_each_seed_is_painted_with_the_given_one_and_with_1():
    def tries(**diffusion):
        settings = DiffusionSettings(**diffusion)
        return RefineSettings(painter="diffuse", seed=5, candidates=3, diffusion=settings).tries

    assert tries(strength=0.8) == ((5, 0.8), (5, 1.0), (6, 0.8))
    assert tries(strength=1.0) == ((5, 1.0), (6, 1.0), (7, 1.0))
    assert tries(strength="fixed") == ((5, "fixed"), (5, 1.0), (6, "fixed"))
    assert tries() == ((5, "auto"), (5, 1.0), (6, "auto"))


def test_adaptive_decides_once_a_seed():
    settings = DiffusionSettings(strength="adaptive")
    tries = RefineSettings(painter="diffuse", seed=5, candidates=2, diffusion=settings).tries
    assert tries == ((5, "adaptive"), (6, "adaptive"))


def test_a_strategy_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match="'adaptiv' is not known; give auto, fixed, adaptive, or a number"):
        DiffusionSettings(strength="adaptiv")


@pytest.mark.parametrize("budget_s", [-1.0, NAN, INF])
def test_a_budget_that_is_no_time_is_refused(budget_s):
    with pytest.raises(UsageError, match="`budget`"):
        RefineSettings(budget_s=budget_s)


def test_the_review_decides_unless_the_user_does():
    verdicts = ("fail", "unsure", "pass")
    assert [RefineSettings().attempts(1, verdict) for verdict in verdicts] == [True, False, False]
    assert [RefineSettings(unsure=True).attempts(1, verdict) for verdict in verdicts] == [True, True, False]
    image = Image(np.zeros((4, 4, 3), np.uint8))
    for named in (
        {"all_hands": True},
        {"boxes": ((0, 0, 1, 1),)},
        {"hands": ()},
        {"mask": Mask(np.ones((4, 4), bool))},
        {"depth": image},
        {"hand_pose": flat_hand()},
    ):
        assert all(RefineSettings(**named).attempts(1, verdict) for verdict in verdicts), named
    named = RefineSettings(hand_ids=(2,))
    assert not named.attempts(1, "pass", CriticPrediction(malformed=0.9, appearance=0.9))
    assert (named.attempts(1, "fail"), named.attempts(2, "pass")) == (False, True)


def test_an_unclear_hand_that_looks_malformed_is_attempted_unless_it_is_gloved_or_hardly_a_hand():
    """One that passes is left alone."""

    def attempted(verdict="unsure", **seen):
        prediction = CriticPrediction(malformed=0.0, thresholds={"hand": 0.2}, **seen)
        return RefineSettings().attempts(1, verdict, prediction)

    assert not attempted("pass", appearance=0.99)

    assert attempted(appearance=MALFORMED_APPEARANCE + 0.01)
    assert attempted(appearance=0.9, assessable=0.1)
    assert not attempted(appearance=MALFORMED_APPEARANCE - 0.01)
    assert not attempted(appearance=0.9, gloved=0.9)
    assert attempted(appearance=0.9, hand=SURE_HAND)
    assert not attempted(appearance=0.9, hand=SURE_HAND - 0.01)


def test_the_diffusing_painters_are_painters():
    assert set(DIFFUSING) < set(PAINTERS)
