"""The zoo: one row a family of published models. Plain data, no torch; here alone families differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handwright.errors import DiffusionError


@dataclass(frozen=True, kw_only=True)
class Download:
    """Published weights."""

    hub_id: str  # OWNER/NAME on the Hugging Face hub
    gigabytes: float  # Of what is fetched, in 10⁹ bytes, to one digit
    licence: str  # As its model card names it
    file: str | None = None  # The one file that is meant; None: the repository in ``save_pretrained`` layout


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One family: what to fetch, which stock pipeline runs it, and the settings that suit it."""

    name: str  # What ``--model`` calls it
    base: Download  # The base model
    controlnet: Download  # The depth ControlNet, or a union one
    denoiser: str  # diffusers' class of the denoising network; with ``text_encoders`` it tells families apart
    text_encoders: int  # How many the base has
    pipelines: Mapping[str, str]  # diffusers' pipeline by the class of the ControlNet
    vram_gb: float  # Memory of networks in half precision and of one run, estimated from parameter counts
    resolution: int  # Side of the square that the base was trained on, in pixels
    steps: int  # ``num_inference_steps``
    guidance: float  # ``guidance_scale``, with the meaning that the stock pipeline gives it
    strength: float  # ``controlnet_conditioning_scale``
    source: str  # Where steps, guidance and strength come from
    scheduler: str  # diffusers' class of the base's own scheduler, or of what runs in place of PNDM
    negative: bool  # Whether the stock pipeline takes negative words
    text_steps: int | None = None  # ``steps`` where the text alone controls a picture; None: no others
    text_guidance: float | None = None  # Likewise ``guidance``
    # Whether several pictures in one batch come out as each would alone
    batches: bool = True
    depth_mode: int | None = None  # ``control_mode`` that a union ControlNet reads depth under
    calls: Mapping[str, object] = field(default_factory=dict[str, object])  # Further arguments of every call


_ALL = (
    Preset(
        name="sd15",
        base=Download(
            hub_id="stable-diffusion-v1-5/stable-diffusion-inpainting", gigabytes=4.3,
            licence="CreativeML Open RAIL-M",
        ),
        controlnet=Download(
            hub_id="hr16/ControlNet-HandRefiner-pruned", gigabytes=0.7, licence="Apache-2.0",
            file="control_sd15_inpaint_depth_hand_fp16.safetensors",
        ),
        denoiser="UNet2DConditionModel", text_encoders=1,
        pipelines={"ControlNetModel": "StableDiffusionControlNetInpaintPipeline"},
        vram_gb=4, resolution=512, steps=50, guidance=9.0, strength=0.55,
        source="HandRefiner §3.2 and its published inference", scheduler="DDIMScheduler", negative=True,
    ),
    Preset(
        name="sdxl",
        base=Download(
            hub_id="diffusers/stable-diffusion-xl-1.0-inpainting-0.1", gigabytes=13.9,
            licence="CreativeML Open RAIL++-M",
        ),
        controlnet=Download(
            hub_id="diffusers/controlnet-depth-sdxl-1.0", gigabytes=5.0, licence="CreativeML Open RAIL++-M"
        ),
        denoiser="UNet2DConditionModel", text_encoders=2,
        pipelines={
            "ControlNetModel": "StableDiffusionXLControlNetInpaintPipeline",
            "ControlNetUnionModel": "StableDiffusionXLControlNetUnionInpaintPipeline",
        },
        vram_gb=12, resolution=1024, steps=30, guidance=7.5, strength=0.5,
        source="card of the ControlNet (strength); diffusers' defaults", scheduler="EulerDiscreteScheduler",
        negative=True, depth_mode=1,
    ),
    Preset(
        name="sd3",
        base=Download(
            hub_id="stabilityai/stable-diffusion-3.5-large", gigabytes=27.4,
            licence="Stability AI Community License",
        ),
        controlnet=Download(
            hub_id="stabilityai/stable-diffusion-3.5-large-controlnet-depth", gigabytes=8.6,
            licence="Stability AI Community License",
        ),
        denoiser="SD3Transformer2DModel", text_encoders=3,
        pipelines={"SD3ControlNetModel": "StableDiffusion3ControlNetPipeline"},
        vram_gb=40, resolution=1024, steps=40, guidance=4.5, strength=1.0, source="card of the ControlNet",
        scheduler="FlowMatchEulerDiscreteScheduler", negative=True, batches=False,
    ),
    Preset(
        name="flux",
        base=Download(
            hub_id="black-forest-labs/FLUX.1-dev", gigabytes=33.7,
            licence="FLUX.1 [dev] Non-Commercial License",
        ),
        controlnet=Download(
            hub_id="Shakker-Labs/FLUX.1-dev-ControlNet-Depth", gigabytes=3.0,
            licence="FLUX.1 [dev] Non-Commercial License",
        ),
        denoiser="FluxTransformer2DModel", text_encoders=2,
        pipelines={"FluxControlNetModel": "FluxControlNetInpaintPipeline"},
        vram_gb=40, resolution=1024, steps=24, guidance=3.5, strength=0.5,
        source="example on the card of the ControlNet, which recommends a strength of 0.3–0.7; depth_mode: "
        "card of Shakker-Labs/FLUX.1-dev-ControlNet-Union-Pro",
        scheduler="FlowMatchEulerDiscreteScheduler", negative=False, depth_mode=2,
    ),
    Preset(
        name="z-image",
        base=Download(hub_id="Tongyi-MAI/Z-Image-Turbo", gigabytes=20.5, licence="Apache-2.0"),
        controlnet=Download(
            hub_id="hlky/Z-Image-Turbo-Fun-Controlnet-Union-2.1", gigabytes=6.7, licence="Apache-2.0"
        ),
        denoiser="ZImageTransformer2DModel", text_encoders=1,
        pipelines={"ZImageControlNetModel": "ZImageControlNetInpaintPipeline"},
        vram_gb=28, resolution=1024, steps=25, guidance=0.0, strength=0.75,
        source="diffusers' example of this pipeline", scheduler="FlowMatchEulerDiscreteScheduler",
        negative=False,
    ),
)  # fmt: skip

PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _ALL}
"""The rows by name."""


def preset_of(denoiser: str, text_encoders: int, what: str) -> Preset:
    """The row of a model with a denoising network of this class and so many text encoders.

    Args:
        denoiser: Name of diffusers' class.
        text_encoders: How many text encoders the model has.
        what: What to call the model in an error.

    Raises:
        DiffusionError: The family is in no row.
    """
    for preset in _ALL:
        if (preset.denoiser, preset.text_encoders) == (denoiser, text_encoders):
            return preset
    raise DiffusionError(
        f"{what} is of a family that is not known here",
        f"its denoiser is a {denoiser or 'missing class'}, with {text_encoders} text encoders",
        f"choose a model of the kind of {', '.join(PRESETS)}",
    )
