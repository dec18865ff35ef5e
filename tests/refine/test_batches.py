"""Candidates and hands in one batch: each as alone, and nothing made ahead is used where it differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network_loader import NetworkLoader
from handwright.refine.painters import BatchingPainter, open_painter
from handwright.refine.pipeline import refine_picture
from handwright.refine.settings import RefineSettings, refine_settings
from handwright.types import Image
from tests.drawn import flat_hand, shoot
from tests.handrefiner.networks import Network, noise
from tests.refine.conftest import job_of, observations_of_two, task_of

PAINTERS = ("diffuse", "harmonise")


@pytest.fixture(scope="module")
def jobs(one: Any) -> list[Any]:
    task = task_of(one, RefineSettings())
    return [job_of(one, task, seed=seed) for seed in range(4)]


def opened(painter: str, network: Network, batch: int) -> Any:
    diffusion = DiffusionSettings(strength=0.7, batch=batch)
    return open_painter(RefineSettings(painter=painter, diffusion=diffusion), lambda: network)


def test_a_batch_of_one_is_the_painter_itself():
    assert not isinstance(opened("diffuse", Network(), 1), BatchingPainter)
    assert isinstance(opened("diffuse", Network(), 2), BatchingPainter)


@pytest.mark.parametrize("batch", [0, 65, 1.5])
def test_its_range(batch: Any):
    with pytest.raises(UsageError, match="`batch`"):
        refine_settings({"painter": "diffuse", "batch": batch})


@pytest.mark.parametrize(("batch", "sizes"), [(2, [2, 2]), (3, [3, 1]), (64, [4])])
@pytest.mark.parametrize("painter", PAINTERS)
def test_what_is_expected_is_painted_along_and_comes_out_as_alone(
    jobs: Any, painter: str, batch: int, sizes: list[int]
):
    network = Network(noise)
    batching = opened(painter, network, batch)
    batching.expect(jobs)
    together = [batching.paint(job) for job in jobs]
    assert network.batches == [size for size in sizes if size > 1]
    assert [request.seed for request in network.requests] == [0, 1, 2, 3]
    alone = opened(painter, Network(noise), 1)
    for job, result in zip(jobs, together, strict=True):
        one_by_one = alone.paint(job)
        assert np.array_equal(result.pixels, one_by_one.pixels)
        assert np.array_equal(result.alpha, one_by_one.alpha)


def changed_within(job: Any) -> Any:
    picture = job.picture.copy()
    x0, y0, x1, y1 = job.window
    picture[(y0 + y1) // 2, (x0 + x1) // 2] ^= 1
    return replace(job, picture=picture)


def changed_control(job: Any) -> Any:
    control = job.control.copy()
    x0, y0, x1, y1 = job.window
    control[(y0 + y1) // 2, (x0 + x1) // 2] ^= 1
    return replace(job, control=control)


def narrower(job: Any) -> Any:
    mask = job.repair_mask.copy()
    mask[mask.nonzero()[0][0]] = False
    return replace(job, repair_mask=mask)


@pytest.mark.parametrize(
    "change",
    [
        changed_within,
        changed_control,
        narrower,
        lambda job: replace(job, strength=0.4),
        lambda job: replace(job, tasks=(replace(job.tasks[0], fit=replace(job.tasks[0].fit)),)),
    ],
)
def test_a_painting_made_ahead_is_not_used_for_a_job_that_differs(jobs: Any, change: Any):
    network = Network(noise)
    batching = opened("diffuse", network, 2)
    batching.expect(jobs[:2])
    batching.paint(jobs[0])
    assert len(network.requests) == 2
    batching.paint(change(jobs[1]))
    assert len(network.requests) == 3
    batching.paint(jobs[1])
    assert len(network.requests) == 3


def test_a_change_elsewhere_in_the_picture_is_none_to_a_job(jobs: Any):
    job, network = jobs[0], Network(noise)
    batching = opened("diffuse", network, 2)
    square = batching.painter.square(job)
    padded = replace(job, picture=np.pad(job.picture, ((0, 400), (0, 400), (0, 0)), mode="edge"))
    padded = replace(padded, control=np.pad(job.control, ((0, 400), (0, 400))))
    far = padded.picture.copy()
    far[max(square.top + square.side, job.window[3]) :] ^= 1
    batching.expect([padded, replace(padded, seed=9)])
    batching.paint(padded)
    batching.paint(replace(padded, seed=9, picture=far))
    assert len(network.requests) == 2


def test_only_jobs_of_one_control_strength_go_together(jobs: Any):
    network = Network(noise)
    batching = opened("diffuse", network, 4)
    given = [replace(job, strength=(1.0, 0.5)[job.seed % 2]) for job in jobs]
    batching.expect(given)
    for job in given:
        batching.paint(job)
    assert network.batches == [2, 2]
    assert [request.seed for request in network.requests] == [0, 2, 1, 3]


def test_what_was_expected_of_a_hand_gives_way_to_what_is_expected_now(jobs: Any):
    network = Network(noise)
    batching = opened("diffuse", network, 4)
    batching.expect(jobs)
    batching.expect([changed_within(job) for job in jobs[:2]])
    batching.paint(changed_within(jobs[0]))
    assert [request.seed for request in network.requests] == [0, 1]


@pytest.fixture(scope="module")
def apart() -> tuple[Any, list[Any]]:
    """A picture of two hands whose squares do not reach into each other's crop, and what is seen of them."""
    hands = [
        shoot(flat_hand(width=900, side=side, at=(x, 0.07)), width=900)
        for side, x in (("left", -0.24), ("right", 0.24))
    ]
    pixels = np.where(hands[1].silhouette[..., None], hands[1].pixels, hands[0].pixels)
    return pixels, [shot.observation() for shot in hands]


@pytest.mark.parametrize(
    ("near", "budget", "sizes"), [(False, 0.0, [4]), (False, 1000.0, [2, 2]), (True, 0.0, [2, 2])]
)
def test_candidates_and_hands_of_a_picture_come_out_as_one_by_one(
    two: Any, apart: Any, models: Any, engine: Any, near: bool, budget: float, sizes: list[int]
):
    pixels, models.found = (two.pixels, observations_of_two(two)) if near else apart

    def refined(batch: int) -> tuple[Any, Network]:
        network, diffusion = Network(noise), DiffusionSettings(strength=1.0, batch=batch)
        settings = RefineSettings(painter="diffuse", candidates=2, budget_s=budget, diffusion=diffusion)
        inpainters = NetworkLoader(lambda _: network)
        models.reviews.clear()
        return refine_picture(Image(pixels), settings, replace(engine, inpainters=inpainters)), network

    (alone, _), (together, network) = refined(1), refined(8)
    assert network.batches == sizes
    assert len(network.requests) == 4
    assert np.array_equal(alone.after.pixels, together.after.pixels)
    for one, other in zip(alone.hands, together.hands, strict=True):
        assert [c.scores for c in one.candidates] == [c.scores for c in other.candidates]
        assert [c.seed for c in other.candidates] == [0, 1]
        assert (one.action, one.picked) == (other.action, other.picked)
