"""HandRefiner as published, and each of our additions by its own switch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.options import AS_PUBLISHED, OPTIONS
from handwright.refine.compositing.blend import composite_paint
from handwright.refine.hand_task import with_box_mask
from handwright.refine.painters import diffusing
from handwright.refine.painters.diffusing import DiffusePainter
from handwright.refine.settings import RefineSettings, diffusion_settings, refine_settings
from tests.drawn import flat_hand, shoot
from tests.handrefiner.networks import Network
from tests.refine.conftest import job_of, task_of

SWITCHES = ("box_mask", "no_grain", "no_retoning", "no_control_guidance")


def grey(request: Any) -> np.ndarray:
    return np.full(request.picture.shape, 128.0)


@pytest.fixture(scope="module")
def shot():
    return shoot(flat_hand(), grain=6.0)


def paint(job: Any, **switches: Any):
    return DiffusePainter(DiffusionSettings(strength=0.7, **switches), lambda: Network(grey)).paint(job)


def test_it_stands_for_the_published_inference():
    settings = diffusion_settings("diffuse", {"as_published": True})
    assert settings == DiffusionSettings(
        sampler="ddim", steps=50, guidance=9.0, strength="fixed", **dict.fromkeys(SWITCHES, True)
    )
    assert set(SWITCHES) < set(AS_PUBLISHED) <= set(OPTIONS)


def test_what_is_given_beside_it_goes_before_it():
    settings = diffusion_settings("diffuse", {"as_published": True, "num_inference_steps": 4})
    assert settings is not None
    assert (settings.steps, settings.sampler) == (4, "ddim")


@pytest.mark.parametrize("painter", ["draw", "harmonise"])
def test_other_painters_have_no_use_for_it(painter: str):
    with pytest.raises(UsageError, match="has no use for `as_published`"):
        refine_settings({"painter": painter, "as_published": True})


def test_without_switches_nothing_of_ours_is_off():
    settings = diffusion_settings("diffuse", {})
    assert settings is not None
    assert not any(getattr(settings, name) for name in SWITCHES)


def test_without_grain_the_paint_is_as_clean_as_the_networks(shot: Any):
    job = job_of(shot, task_of(shot, RefineSettings()))
    clean, grained = paint(job, no_grain=True), paint(job)
    assert clean.pixels[job.repair_mask].std() < 1e-3
    assert grained.pixels[job.repair_mask].std() > 3


def test_without_retoning_the_colours_are_the_networks(shot: Any):
    job = job_of(shot, task_of(shot, RefineSettings()))
    plain = paint(job, no_grain=True, no_retoning=True)
    inner = plain.alpha == 1
    assert (composite_paint(job, plain)[0][inner] == 128).all()
    assert (composite_paint(job, paint(job, no_grain=True))[0][inner] != 128).any()


def test_a_box_mask_is_the_box_around_the_hands_and_nothing_in_it_is_spared(shot: Any, monkeypatch: Any):
    task = task_of(shot, RefineSettings())
    boxed = with_box_mask(task)
    rows, columns = np.nonzero(task.repair_mask)
    wanted = np.zeros_like(task.repair_mask)
    wanted[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    assert np.array_equal(boxed.repair_mask, wanted)
    assert boxed.repair_mask.sum() > task.repair_mask.sum()
    monkeypatch.setattr(diffusing, "job_occluders", lambda job: np.ones(job.repair_mask.shape, bool))
    job = replace(job_of(shot, boxed), repair_mask=boxed.repair_mask)
    assert not paint(job).alpha.any()
    assert ((paint(job, box_mask=True).alpha > 0) == wanted).all()
