"""*Hand Refine (your MODEL …)*: HandRefiner's loop on ComfyUI's own sampler and the models loaded there."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from handwright.apps.comfyui import loaded
from handwright.apps.comfyui.choices import ALL, FAILED_OR_UNSURE, PICTURES, SEED, which
from handwright.apps.comfyui.draw import BETTER, OUTPUTS, REPAINT, refine_batch
from handwright.apps.comfyui.network import ComfyNetwork
from handwright.apps.comfyui.sockets import Input, Node
from handwright.apps.comfyui.tensors import Tensor


def run(
    image: Tensor,
    model: Any,  # noqa: ANN401 - the types of ComfyUI's models are its own
    vae: Any,  # noqa: ANN401
    control_net: Any,  # noqa: ANN401
    positive: Any,  # noqa: ANN401
    negative: Any,  # noqa: ANN401
    which: str = "failed",
    seed: int = 0,
    steps: int = 20,
    cfg: float = 7.5,
    sampler_name: str = "euler",
    scheduler: str = "normal",
    denoise: float = 1.0,
    control_strength: float = 0.55,
    control_start: float = 0.0,
    control_end: float = 1.0,
    resolution: int = 512,
    candidates: int = 1,
    take: str = BETTER,
    mask: Tensor = None,
    **named: Any,  # noqa: ANN401
) -> tuple[Any, ...]:
    """Repaint the hands of every picture of a batch with the models that are loaded in ComfyUI.

    With ``denoise`` 1 the hand comes from pure noise, as HandRefiner published it; below, the hand is drawn
    first and then changed from that noise level on.

    Args:
        image: IMAGE.
        model: MODEL; with 4 or 9 input channels, or flow matching.
        vae: VAE.
        control_net: CONTROL_NET for depth.
        positive: CONDITIONING of what the picture shows.
        negative: CONDITIONING of what it must not look like.
        which: Hands to attempt.
        seed: Same seed, same pixels.
        steps: Of the sampler.
        cfg: Weight of classifier-free guidance.
        sampler_name: Of ComfyUI's samplers.
        scheduler: Of its schedulers.
        denoise: Noise level to start from, above 0, up to 1.
        control_strength: Of the ControlNet, 0 to 2.
        control_start: Share of the steps at which control begins.
        control_end: Share at which it ends.
        resolution: Side of the squares that are sampled, in pixels.
        candidates: Attempts per hand.
        take: 'when better' or 'always'.
        mask: MASK of pixels that may change, or None.
        **named: Boxes, edited hands and a pose.

    Returns:
        As *Hand Refine (draw)*.
    """
    from handwright.handrefiner.network_loader import NetworkLoader
    from handwright.workflow.hand_refiner import HandRefiner

    network = ComfyNetwork(
        model=model,
        vae=vae,
        control_net=control_net,
        positive=positive,
        negative=negative,
        resolution=resolution,
        cfg=cfg,
        sampler_name=sampler_name,
        scheduler=scheduler,
        control_start=control_start,
        control_end=control_end,
    )
    engine = replace(loaded.engine(), inpainters=NetworkLoader(lambda _: network))
    refiner = HandRefiner(
        engine=engine,
        painter="diffuse",
        strength=denoise,
        seed=seed,
        candidates=candidates,
        num_inference_steps=steps,
        guidance_scale=cfg,
        controlnet_conditioning_scale=control_strength,
        all=which == ALL,
        unsure=which == FAILED_OR_UNSURE,
    )
    return refine_batch(image, mask, named, take, refiner)


def samplers() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of ComfyUI's samplers and schedulers; outside of ComfyUI the common ones."""
    try:
        known = import_module("comfy.samplers").KSampler
    except ImportError:
        return ("euler", "euler_ancestral", "dpmpp_2m", "ddim", "uni_pc"), ("normal", "karras", "simple")
    return tuple(known.SAMPLERS), tuple(known.SCHEDULERS)


_SAMPLERS, _SCHEDULERS = samplers()

NODE = Node(
    id="HandwrightHandRefineSample",
    title="Hand Refine (your model)",
    description="HandRefiner on the models that you have loaded: each hand is cropped, sampled with depth "
    "control inside its mask, matched in colour and pasted; the old hand stays unless the new is better.",
    inputs=(
        PICTURES,
        Input(name="model", kind="MODEL", tooltip="Any image model; best an inpainting one."),
        Input(name="vae", kind="VAE", tooltip="The model's VAE."),
        Input(name="control_net", kind="CONTROL_NET",
            tooltip="A depth ControlNet of the model's family, such as HandRefiner's for SD 1.5."),
        Input(name="positive", kind="CONDITIONING", tooltip="What the picture shows."),
        Input(name="negative", kind="CONDITIONING", tooltip="What it must not look like."),
        which("failed"),
        SEED,
        Input(name="steps", kind="INT", default=20, low=1, high=1000, tooltip="Steps of the sampler."),
        Input(name="cfg", kind="FLOAT", default=7.5, low=0.0, high=100.0, step=0.1,
            tooltip="Weight of classifier-free guidance."),
        Input(name="sampler_name", kind="COMBO", choices=_SAMPLERS, default=_SAMPLERS[0],
            tooltip="The sampler."),
        Input(name="scheduler", kind="COMBO", choices=_SCHEDULERS, default=_SCHEDULERS[0],
            tooltip="The spacing of its steps."),
        Input(name="denoise", kind="FLOAT", default=1.0, low=0.01, high=1.0, step=0.01,
            tooltip="1: from pure noise, as published. Below: change a drawn hand from there on."),
        Input(name="control_strength", kind="FLOAT", default=0.55, low=0.0, high=2.0, step=0.01,
            tooltip="How much the depth image decides; HandRefiner's fixed strength is 0.55."),
        Input(name="control_start", kind="FLOAT", default=0.0, low=0.0, high=1.0, step=0.001,
            tooltip="Share of the steps at which control begins."),
        Input(name="control_end", kind="FLOAT", default=1.0, low=0.0, high=1.0, step=0.001,
            tooltip="Share of the steps at which control ends."),
        Input(name="resolution", kind="INT", default=512, low=64, high=4096, step=64,
            tooltip="Side of the squares that are sampled: 512 for SD 1.5, 1024 for SDXL and newer."),
        Input(name="candidates", kind="INT", default=1, low=1, high=16,
            tooltip="Attempts per hand, in turn with the given control strength and with 1."),
        *REPAINT,
    ),
    outputs=OUTPUTS,
    run=run,
    preview=0,
    search=("handrefiner", "fix hands", "hand detailer"),
)  # fmt: skip
