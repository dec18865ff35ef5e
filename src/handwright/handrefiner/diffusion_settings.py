"""How a diffusing painter paints. Names and ranges are checked here, before torch is imported."""

from dataclasses import dataclass

from handwright.options import DEFAULTS, check_field


@dataclass(frozen=True, kw_only=True)
class DiffusionSettings:
    """HandRefiner's options (SPEC §1, 'Inpaint' and 'Strength').

    Published inference is painter 'diffuse' with ``options.AS_PUBLISHED``.
    """

    prompt: str = DEFAULTS["prompt"]  # What the picture shows
    # Negative words c_n of eq. 3 in place of the usual ones; c_n0, 'fake 3D rendered image', comes first.
    negative: str = DEFAULTS["negative"]
    synthetic_negative: bool = True  # With c_n0; False only to measure what it does
    # Control strength s: factor of every ControlNet residual, 0 … 2, or a strategy: 'fixed', what is stored
    # with the ControlNet; 'adaptive', the paper's search; 'auto', ours
    strength: float | str = DEFAULTS["strength"]
    # Steps of the whole schedule, 1 … 1000; from ``start_level`` on only that share of them is done; None:
    # the model's own, or those of its family's row
    steps: int | None = DEFAULTS["steps"]
    sampler: str = DEFAULTS["sampler"]  # One of ``options.SAMPLERS``
    # w of eq. 3, 0 … 100; 1 is the conditional branch alone; None: the model's own, 9 where it names none.
    guidance: float | None = DEFAULTS["guidance"]
    # Noise level in (0, 1] from which 'harmonise' sets out with the drawn hand; 1 is pure noise, from which
    # 'diffuse' always sets out
    start_level: float = DEFAULTS["start_level"]
    # 'tiny' (embedded), a preset, a folder in ``save_pretrained`` layout, one .safetensors file, or a hub id
    model: str = DEFAULTS["model"]
    # Likewise, or one .safetensors file; None: the one that comes with the model
    controlnet: str | None = DEFAULTS["controlnet"]
    # One of ``options.DTYPES``; 'auto': half precision where the device computes in it
    dtype: str = DEFAULTS["dtype"]
    device: str = DEFAULTS["device"]  # One of ``options.DEVICES``; 'auto': the best there is
    offload: bool = DEFAULTS["offload"]  # Whether networks wait in main memory
    revision: str | None = DEFAULTS["revision"]  # Of the model on the hub
    variant: str | None = DEFAULTS["variant"]  # Of its weights, such as 'fp16'
    lora: tuple[str, ...] = DEFAULTS["lora"]  # Files, each with an optional weight: 'style.safetensors:0.8'
    textual_inversion: tuple[str, ...] = DEFAULTS["textual_inversion"]  # Files of learnt words
    ip_adapter: str | None = DEFAULTS["ip_adapter"]  # A file; the picture itself is then the image prompt

    # Squares that go through the network in one batch, at most: candidates of a hand, hands that lie apart
    batch: int = DEFAULTS["batch"]

    # Ours beside the published method, each with its own switch; ``options.AS_PUBLISHED`` turns all four on
    box_mask: bool = DEFAULTS["box_mask"]  # The mask is a box, as published, and nothing in it stays
    no_grain: bool = DEFAULTS["no_grain"]  # Without the picture's detail and grain on 'diffuse'
    no_retoning: bool = DEFAULTS["no_retoning"]  # Without colours matched to the picture's
    no_control_guidance: bool = DEFAULTS[
        "no_control_guidance"
    ]  # Without the guidance that the ControlNet has

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in DEFAULTS:
                check_field(name, value)
