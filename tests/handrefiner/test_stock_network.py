"""The families of the zoo behind the NumPy contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintNetwork, InpaintRequest
from handwright.handrefiner.network_loader import open_torch_network
from handwright.handrefiner.torch_network import TorchNetwork
from tests.diffusion.families import WRITERS

SIDE = 64


@pytest.fixture(scope="module", params=["sdxl", "flux", "z-image"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> InpaintNetwork:
    folder: Path = WRITERS[request.param](tmp_path_factory.mktemp("zoo") / request.param)
    return open_torch_network(DiffusionSettings(model=str(folder), dtype="float32", device="cpu"))


def a_request() -> InpaintRequest:
    random = np.random.default_rng(0)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[16:48, 16:48] = True
    return InpaintRequest(
        picture=random.integers(0, 255, (SIDE, SIDE, 3), np.uint8),
        mask=mask,
        control=np.where(mask, 180, 0).astype(np.uint8),
        landmarks_px=np.zeros((0, 21, 2)),
        settings=DiffusionSettings(prompt="a hand", steps=2),
        strength=(1.0, 0.5),
        seed=5,
    )


def test_a_family_of_the_zoo_paints_from_noise_and_from_a_drawn_hand(network: InpaintNetwork) -> None:
    assert isinstance(network, TorchNetwork)
    first = network.inpaint(replace(a_request(), keep_steps=True))
    assert first.picture.shape == (SIDE, SIDE, 3)
    assert first.picture.dtype == np.float32
    assert np.array_equal(first.picture, network.inpaint(a_request()).picture)
    assert [step.noisy.shape for step in first.steps] == [(SIDE, SIDE, 3)] * 2
    drawn = replace(a_request(), start=a_request().picture[::-1].copy())
    drawn = replace(drawn, settings=replace(drawn.settings, start_level=0.5))
    assert not np.array_equal(network.inpaint(drawn).picture, first.picture)


def test_its_settings_are_those_of_its_row(network: InpaintNetwork) -> None:
    assert isinstance(network, TorchNetwork)
    preset = network.refiner.preset
    assert (network.guidance, network.fixed_strength) == (preset.guidance, preset.strength)
    assert network.resolution in (SIDE, preset.resolution)
    coded = network.autoencode(a_request().picture)
    assert coded.shape == (SIDE, SIDE, 3)
    assert np.isfinite(coded).all()


def test_squares_in_one_batch_are_painted_as_each_alone(
    network: InpaintNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(network, TorchNetwork)
    first, weaker = a_request(), replace(a_request(), strength=0.5)
    second = replace(first, seed=6, picture=first.picture[:, ::-1].copy())
    runs: list[int] = []
    painted = TorchNetwork._painted
    monkeypatch.setattr(
        TorchNetwork,
        "_painted",
        lambda self, requests, *more: runs.append(len(requests)) or painted(self, requests, *more),
    )
    together = network.inpaint_batch([first, weaker, second])
    assert runs == [2, 1]
    for request, result in zip((first, weaker, second), together, strict=True):
        np.testing.assert_allclose(result.picture, network.inpaint(request).picture, atol=0.02)
    kept = network.inpaint_batch([replace(one, keep_steps=True) for one in (first, second)])
    assert [len(one.steps) for one in kept] == [2, 2]


def test_squares_with_drawn_hands_go_in_one_batch_too(network: InpaintNetwork) -> None:
    drawn = replace(a_request(), start=a_request().picture[::-1].copy())
    drawn = replace(drawn, settings=replace(drawn.settings, start_level=0.5))
    both = [drawn, replace(drawn, seed=6)]
    for request, result in zip(both, network.inpaint_batch(both), strict=True):
        np.testing.assert_allclose(result.picture, network.inpaint(request).picture, atol=0.02)
