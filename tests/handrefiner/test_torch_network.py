from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from handwright.diffusion.loading.devices import DEVICES as TORCH_DEVICES
from handwright.diffusion.loading.devices import DTYPES as TORCH_DTYPES
from handwright.diffusion.samplers import SAMPLERS as TORCH_SAMPLERS
from handwright.errors import DiffusionError
from handwright.handrefiner import network_loader, torch_network
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintRequest
from handwright.handrefiner.network_loader import NetworkLoader
from handwright.handrefiner.torch_network import TorchNetwork
from handwright.options import DEVICES, DTYPES, SAMPLERS
from tests.diffusion.models import RESOLUTION, write_sd


@pytest.fixture(scope="module", params=[9, 4])
def network(request, tmp_path_factory) -> TorchNetwork:
    folder = write_sd(tmp_path_factory.mktemp("sd") / str(request.param), request.param)
    return TorchNetwork.load(DiffusionSettings(model=str(folder), dtype="float32", device="cpu"))


@pytest.fixture
def inpaint_request() -> InpaintRequest:
    random = np.random.default_rng(0)
    mask = np.zeros((RESOLUTION, RESOLUTION), bool)
    mask[16:48, 16:48] = True
    picture = random.integers(0, 255, (RESOLUTION, RESOLUTION, 3), np.uint8)
    control = np.where(mask, 180, 0).astype(np.uint8)
    return InpaintRequest(
        picture=picture,
        mask=mask,
        control=control,
        landmarks_px=np.zeros((0, 21, 2)),
        settings=DiffusionSettings(steps=3, sampler="ddim"),
        strength=0.55,
        seed=5,
    )


def test_names_are_the_ones_that_diffusion_knows():
    assert set(SAMPLERS) == {"auto", *TORCH_SAMPLERS}
    assert set(DTYPES) == {"auto", *TORCH_DTYPES}
    assert set(DEVICES) == {"auto", *TORCH_DEVICES}


def test_the_same_seed_is_the_same_picture_and_another_one_is_not(network, inpaint_request):
    first, again = network.inpaint(inpaint_request).picture, network.inpaint(inpaint_request).picture
    assert first.shape == (RESOLUTION, RESOLUTION, 3) and first.dtype == np.float32
    assert first.min() >= 0 and first.max() <= 255
    assert np.array_equal(first, again)
    assert not np.array_equal(first, network.inpaint(replace(inpaint_request, seed=6)).picture)


def test_the_number_of_threads_that_a_process_was_given_changes_no_bit(network, inpaint_request):
    before, pictures = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        pictures.append(network.inpaint(inpaint_request).picture)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert np.array_equal(*pictures)


@pytest.mark.parametrize(
    "change",
    [
        {"guidance": 1.0},
        {"prompt": "fist"},
        {"negative": "blue"},
        {"synthetic_negative": False},
        {"sampler": "euler"},
    ],
)
def test_every_setting_reaches_the_network(network, inpaint_request, change):
    other = replace(inpaint_request, settings=replace(inpaint_request.settings, **change))
    assert not np.array_equal(network.inpaint(inpaint_request).picture, network.inpaint(other).picture)


def test_the_strength_reaches_the_network_step_by_step(network, inpaint_request):
    plain = network.inpaint(inpaint_request).picture
    assert not np.array_equal(plain, network.inpaint(replace(inpaint_request, strength=0.0)).picture)
    assert np.array_equal(plain, network.inpaint(replace(inpaint_request, strength=(0.55,) * 3)).picture)
    assert not np.array_equal(
        plain, network.inpaint(replace(inpaint_request, strength=(0.55, 0.55, 1.0))).picture
    )


def test_the_fixed_strength_is_the_one_stored_with_the_controlnet(tmp_path):
    folder = write_sd(tmp_path / "sd", 4)
    settings = DiffusionSettings(model=str(folder), dtype="float32", device="cpu")
    assert TorchNetwork.load(settings).fixed_strength == 0.55
    (folder / "controlnet" / "handwright.json").write_text('{"strength": 0.7}')
    assert TorchNetwork.load(settings).fixed_strength == 0.7


def test_the_guidance_on_control_is_the_one_stored_with_the_controlnet(tmp_path, inpaint_request):
    folder = write_sd(tmp_path / "sd", 4)
    settings = DiffusionSettings(model=str(folder), dtype="float32", device="cpu", steps=3)
    inpaint_request = replace(inpaint_request, settings=settings)
    bare = shutil.copytree(folder / "controlnet", tmp_path / "bare")
    plain = TorchNetwork.load(settings).inpaint(inpaint_request).picture
    (folder / "controlnet" / "handwright.json").write_text('{"guidance": 1.0}')
    assert np.array_equal(plain, TorchNetwork.load(settings).inpaint(inpaint_request).picture)
    (folder / "controlnet" / "handwright.json").write_text('{"guidance": 2.0}')
    guided = TorchNetwork.load(settings)
    assert not np.array_equal(plain, guided.inpaint(inpaint_request).picture)
    begun = replace(inpaint_request, start=inpaint_request.picture)
    without = TorchNetwork.load(replace(settings, controlnet=str(bare))).inpaint(begun).picture
    assert np.array_equal(without, guided.inpaint(begun).picture)


def test_a_start_is_set_out_from_at_the_level_asked_for(network, inpaint_request):
    started = replace(inpaint_request, start=255 - inpaint_request.picture, keep_steps=True)
    settings = replace(inpaint_request.settings, steps=10, start_level=0.3)
    result = network.inpaint(replace(started, settings=settings))
    assert len(result.steps) == 3
    assert result.steps[0].timestep < 400
    whole = network.inpaint(replace(inpaint_request, settings=settings, keep_steps=True))
    assert len(whole.steps) == 10
    assert whole.steps[0].timestep > 800


def test_steps_are_kept_only_when_asked_for_and_look_like_pictures(network, inpaint_request):
    assert network.inpaint(inpaint_request).steps == ()
    kept = network.inpaint(replace(inpaint_request, keep_steps=True))
    assert np.array_equal(kept.picture, network.inpaint(inpaint_request).picture)
    assert [step.noisy.dtype for step in kept.steps] == [np.uint8] * 3
    times = [step.timestep for step in kept.steps]
    assert times == sorted(times, reverse=True)
    assert all(step.predicted.shape == inpaint_request.picture.shape for step in kept.steps)


def test_a_picture_through_the_codec_is_no_other_size_or_range(network, inpaint_request):
    coded = network.autoencode(inpaint_request.picture)
    assert coded.shape == inpaint_request.picture.shape
    assert coded.min() >= 0 and coded.max() <= 255


def test_out_of_memory_is_one_line(network, inpaint_request, monkeypatch):
    def burst(*_, **__):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    monkeypatch.setattr(network.refiner.pipe.unet, "forward", burst)
    with pytest.raises(DiffusionError, match="memory ran out while painting"):
        network.inpaint(inpaint_request)
    monkeypatch.setattr(torch_network, "decode", burst)
    with pytest.raises(DiffusionError, match="memory ran out while encoding"):
        network.autoencode(inpaint_request.picture)


def test_a_missing_extra_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(network_loader, "EXTRA", ("torch", "no_such_library"))
    with pytest.raises(DiffusionError, match=r"no_such_library not installed; pip install 'handwright\[diff"):
        NetworkLoader()(DiffusionSettings())


def test_the_embedded_model_names_its_own_settings_and_others_have_those_of_their_family(network):
    tiny = TorchNetwork.load(DiffusionSettings(dtype="float32", device="cpu"))
    assert (tiny.guidance, tiny.default_steps, tiny.resolution) == (1.0, 4, 256)
    assert (network.guidance, network.default_steps, network.resolution) == (9.0, 50, 64)
