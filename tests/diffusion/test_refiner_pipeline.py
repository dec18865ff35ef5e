"""HandRefiner on stock pipelines: number for number diffusers' own without the blend, eq. 1–2 with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from handwright.diffusion.known_region import KnownRegionBlend
from handwright.diffusion.latents import encode, packed
from handwright.diffusion.loading.controlnets import Traits
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline, exact_share, reads_mask
from handwright.errors import DiffusionError, UsageError
from tests.diffusion.families import WRITERS

STEPS = 4
SETTINGS: dict[str, Any] = {
    "negative_prompt": "bad", "num_inference_steps": STEPS, "guidance_scale": 5.0,
    "controlnet_conditioning_scale": 0.6, "output_type": "latent",
}  # fmt: skip
UNETS = ("sd15", "sd15 plain", "sdxl", "sdxl plain")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], HandRefinerPipeline]:
    """The pipeline of a family, written and loaded once."""
    made: dict[str, HandRefinerPipeline] = {}

    def of(name: str) -> HandRefinerPipeline:
        if name not in made:
            place = tmp_path_factory.mktemp("zoo") / name.replace(" ", "_")
            folder = "tiny" if name == "tiny" else WRITERS[name](place)
            made[name] = HandRefinerPipeline.from_pretrained(folder, dtype="float32", device="cpu")
        return made[name]

    return of


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image.Image]:
    numbers = np.random.default_rng(7)
    mask = np.zeros((64, 64), np.uint8)
    mask[16:40, 16:48] = 255
    grey = numbers.integers(0, 255, (64, 64, 1), dtype=np.uint8)
    return {
        "image": Image.fromarray(numbers.integers(0, 255, (64, 64, 3), dtype=np.uint8)),
        "mask_image": Image.fromarray(mask),
        "control_image": Image.fromarray(np.repeat(grey, 3, 2)),
    }


class Recorder:
    """A callback that keeps the latents of every step."""

    tensor_inputs = ("latents",)

    def __init__(self) -> None:
        self.latents: list[torch.Tensor] = []

    def __call__(self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        del pipe, step, timestep
        self.latents.append(tensors["latents"].clone())
        return {}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", UNETS)
def test_without_the_blend_every_step_is_that_of_diffusers_own_inpainting(
    name: str, opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    ours, theirs, pipe = Recorder(), Recorder(), opened(name)
    pipe(
        "a hand", **pictures, **SETTINGS, blend=False, generator=seeded(), callback_on_step_end=ours
    )  # fmt: skip
    kind = {
        "sd15": diffusers.StableDiffusionControlNetInpaintPipeline,
        "sdxl": diffusers.StableDiffusionXLControlNetInpaintPipeline,
    }[name.split()[0]]
    options: dict[str, Any] = {"requires_safety_checker": False} if "sd15" in name else {}
    with quiet():
        stock = kind(**{k: v for k, v in pipe.pipe.components.items() if k not in options}, **options)
        stock(
            "a hand", **pictures, **SETTINGS, strength=1.0, generator=seeded(), callback_on_step_end=theirs
        )  # fmt: skip
    assert len(ours.latents) == len(theirs.latents) >= STEPS
    for mine, other in zip(ours.latents, theirs.latents, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=0)


def noise_schedule(pipe: Any, kind: str) -> Any:
    """DDIM's or Euler's scheduler on a UNet's noise schedule; a flow's as it is."""
    own = pipe.scheduler
    if kind == "flow":
        return own
    with quiet():
        return {"ddim": diffusers.DDIMScheduler, "euler": diffusers.EulerDiscreteScheduler}[kind].from_config(
            own.config
        )


def signal_and_noise(scheduler: Any, kind: str, index: int) -> tuple[float, float]:
    """Factors of picture and noise in what is known before step ``index``, from σ or ᾱ alone."""
    if kind == "ddim":
        bar = float(scheduler.alphas_cumprod[int(scheduler.timesteps[index])])
        return bar**0.5, (1 - bar) ** 0.5
    sigma = float(scheduler.sigmas[index])
    return (1 - sigma if kind == "flow" else 1.0), sigma


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, kind) for name in UNETS for kind in ("ddim", "euler")),
        *((name, "flow") for name in ("sd3", "flux", "z-image")),
    ],
)
def test_outside_the_mask_every_family_follows_the_picture_at_the_noise_level_of_the_next_step(
    name: str,
    kind: str,
    opened: Callable[[str], HandRefinerPipeline],
    pictures: dict[str, Image.Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipe = opened(name)
    blend = KnownRegionBlend.from_pipe(pipe.pipe, pictures["image"], pictures["mask_image"], seeded(5))
    blended, stepped = Recorder(), Recorder()

    def both(*arguments: Any) -> dict[str, Any]:
        stepped(*arguments)
        changed = blend(*arguments)
        blended(*arguments[:3], {**arguments[3], **changed})
        return changed

    scheduler = noise_schedule(pipe.pipe, kind)
    monkeypatch.setattr(pipe.pipe, "scheduler", scheduler)
    whole = {
        **pictures,
        "mask_image": pictures["mask_image"] if reads_mask(pipe.pipe) else Image.new("L", (64, 64), 255),
    }
    pipe(
        "a hand", **whole, num_inference_steps=STEPS, blend=False, generator=seeded(),
        callback_on_step_end=both, output_type="latent",
    )  # fmt: skip
    assert len(blended.latents) == STEPS
    inside = blend.mask.bool()
    draws = seeded(5)
    for step, (after, before) in enumerate(zip(blended.latents, stepped.latents, strict=True)):
        if step == STEPS - 1:
            assert torch.equal(after, before), "the last step is not masked"
            continue
        noise = torch.randn(blend.known.shape, generator=draws)
        signal, spread = signal_and_noise(scheduler, kind, step + 1)
        wanted = signal * blend.known + spread * noise
        torch.testing.assert_close(after[~inside], wanted[~inside], atol=1e-4, rtol=1e-5)
        assert torch.equal(after[inside], before[inside])


@pytest.mark.parametrize("name", WRITERS)
def test_every_family_repaints_inside_the_mask_and_gives_the_same_bytes_twice(
    name: str, opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    pipe = opened(name)
    options: dict[str, Any] = {"num_inference_steps": 2, "strength": 0.5, "control_guidance": 1.5}
    first = pipe("a hand", **pictures, **options, generator=seeded()).images[0]
    again = pipe("a hand", **pictures, **options, generator=seeded()).images[0]
    other = pipe("a hand", **pictures, **options, generator=seeded(1)).images[0]
    assert first.size == (64, 64)
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("strength", [1.0, 0.5])
@pytest.mark.parametrize("name", ["tiny", "sd15", "sd15 plain", "sdxl", "flux", "z-image"])
def test_pictures_in_one_batch_are_painted_as_each_alone(
    name: str, strength: float, opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    pipe = opened(name)
    other = {key: picture.transpose(Image.Transpose.ROTATE_180) for key, picture in pictures.items()}
    prompts, scenes = ("a hand", "a fist"), (pictures, other)
    run: dict[str, Any] = {
        "num_inference_steps": 4, "strength": strength, "output_type": "latent", "control_guidance": 1.5,
        "controlnet_conditioning_scale": [1.0, 0.8, 0.6, 0.4],
    }  # fmt: skip
    together = pipe(
        list(prompts), **{key: [scene[key] for scene in scenes] for key in pictures}, **run,
        generator=[seeded(0), seeded(1)],
    ).images  # fmt: skip
    for number, (prompt, scene) in enumerate(zip(prompts, scenes, strict=True)):
        alone = pipe(prompt, **scene, **run, generator=seeded(number)).images[0]
        torch.testing.assert_close(together[number], alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["sd15", "z-image"])
def test_strength_by_step_is_that_of_a_call_where_all_steps_have_one(
    name: str, opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    def latents(scale: Any) -> torch.Tensor:
        return opened(name)(
            "a hand", **pictures, num_inference_steps=3, controlnet_conditioning_scale=scale,
            generator=seeded(), output_type="latent",
        ).images  # fmt: skip

    assert torch.equal(latents(0.5), latents([0.5] * 3))
    assert not torch.equal(latents(0.5), latents([1.0, 0.5, 0.5]))


@pytest.mark.parametrize("name", ["tiny", *WRITERS])
def test_a_controlnet_of_strength_zero_runs_once_and_changes_nothing(
    name: str,
    opened: Callable[[str], HandRefinerPipeline],
    pictures: dict[str, Image.Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At every step where strengths are given by step, which is what stock pipelines do."""
    pipe, calls = opened(name), list[int]()
    kind = type(pipe.pipe.controlnet)
    forward = kind.forward

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return forward(*args, **kwargs)

    monkeypatch.setattr(kind, "forward", counted)

    def latents(scale: Any) -> torch.Tensor:
        calls.clear()
        return pipe(
            "a hand", **pictures, num_inference_steps=3, controlnet_conditioning_scale=scale,
            generator=seeded(), output_type="latent",
        ).images  # fmt: skip

    every = latents([0.0] * 3)
    assert len(calls) >= 3
    assert torch.equal(latents(0.0), every)
    assert len(calls) == 1
    assert "forward" not in vars(pipe.pipe.controlnet)


@pytest.mark.parametrize("name", ["sd15 plain", "flux"])
def test_control_guidance_of_zero_is_a_run_without_control(
    name: str, opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    def latents(**options: float) -> torch.Tensor:
        return opened(name)(
            "a hand", **pictures, num_inference_steps=2, generator=seeded(), output_type="latent", **options
        ).images

    free = latents(controlnet_conditioning_scale=0.0)
    torch.testing.assert_close(latents(controlnet_conditioning_scale=1.0, control_guidance=0.0), free)
    assert not torch.allclose(latents(controlnet_conditioning_scale=1.0), free)


def test_a_users_own_pipeline_is_taken_over_and_nothing_is_loaded_or_cast_twice(
    opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    ours = opened("sdxl plain")
    parts = {k: v for k, v in ours.pipe.components.items() if k not in ("controlnet", "feature_extractor")}
    with quiet():
        loaded = diffusers.StableDiffusionXLPipeline(**parts)
    taken = HandRefinerPipeline.from_pipe(loaded, ours.pipe.controlnet)
    assert taken.pipe.unet is loaded.unet
    assert taken.pipe.vae is loaded.vae
    assert taken.preset.name == "sdxl"
    assert taken.traits == Traits()
    options: dict[str, Any] = {"num_inference_steps": 2, "controlnet_conditioning_scale": 0.5}
    assert (
        taken("a hand", **pictures, **options, generator=seeded()).images[0].tobytes()
        == ours("a hand", **pictures, **options, generator=seeded()).images[0].tobytes()
    )
    with pytest.raises(DiffusionError, match="has no ControlNet"):
        HandRefinerPipeline.from_pipe(loaded)


@pytest.mark.parametrize("name", WRITERS)
def test_every_component_of_a_pipeline_that_is_taken_over_is_the_same_object(
    name: str, opened: Callable[[str], HandRefinerPipeline]
) -> None:
    theirs = opened(name).pipe
    ours = HandRefinerPipeline.from_pipe(theirs).pipe
    assert ours is not theirs
    assert all(ours.components[part] is component for part, component in theirs.components.items())


def test_what_is_saved_is_read_back(
    opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image], tmp_path: Path
) -> None:
    opened("sd15").save_pretrained(tmp_path)
    again = HandRefinerPipeline.from_pretrained(tmp_path, dtype="float32", device="cpu")
    run: dict[str, Any] = {"num_inference_steps": 1, "output_type": "latent"}
    assert torch.equal(
        again("a hand", **pictures, **run, generator=seeded()).images,
        opened("sd15")("a hand", **pictures, **run, generator=seeded()).images,
    )


def test_the_share_of_steps_is_exact_in_every_stock_pipeline() -> None:
    for steps in range(1, 101):
        for left in range(1, steps + 1):
            share = exact_share(left, steps)
            assert 0 < share <= 1
            assert min(int(steps * share), steps) == left
            share = exact_share(left, steps, skips=True)
            assert 0 < share <= 1
            assert steps - int(max(steps - min(steps * share, steps), 0)) == left


def test_the_known_latents_are_the_pictures_own_in_the_layout_of_the_family(
    opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    for name, shape in (("sd15", (1, 4, 8, 8)), ("flux", (1, 16, 64)), ("z-image", (1, 16, 8, 8))):
        pipe = opened(name).pipe
        blend = KnownRegionBlend.from_pipe(pipe, pictures["image"], pictures["mask_image"])
        assert tuple(blend.known.shape) == tuple(blend.mask.shape) == shape
        assert float(blend.mask.mean()) == 12 / 64  # 3 × 4 of 8 × 8 latents
        tensor = torch.from_numpy(np.asarray(pictures["image"]) / np.float32(127.5) - 1).permute(2, 0, 1)[
            None
        ]
        with torch.no_grad():
            torch.testing.assert_close(
                blend.known, packed(pipe, encode(pipe.vae, tensor)), atol=1e-5, rtol=1e-5
            )


def test_pictures_that_are_missing_or_do_not_fit_are_refused_in_one_line(
    opened: Callable[[str], HandRefinerPipeline], pictures: dict[str, Image.Image]
) -> None:
    pipe = opened("flux")
    with pytest.raises(UsageError, match="control_image is missing"):
        pipe("a hand", pictures["image"], pictures["mask_image"])
    with pytest.raises(UsageError, match="differ in size"):
        pipe("a hand", **{**pictures, "image": Image.new("RGB", (80, 64))})
    small = {name: picture.resize((72, 64)) for name, picture in pictures.items()}
    with pytest.raises(UsageError, match="divisible by 16"):
        pipe("a hand", **small)
