"""How a diffusing painter paints. Names and ranges are checked here, before torch is imported."""

from __future__ import annotations

from dataclasses import dataclass

from handwright.options import DEFAULTS, check_field


@dataclass(frozen=True)
class DiffusionSettings:
    """HandRefiner's options (SPEC §1, 'Inpaint' and 'Strength').

    Published inference is ``sampler='ddim', steps=50, guidance=9, strength=0.55`` with painter 'diffuse'.

    Attributes:
        prompt: What the picture shows.
        negative: Negative words c_n of eq. 3 in place of the usual ones; c_n0, 'fake 3D rendered image',
            comes first.
        synthetic_negative: With c_n0; False only to measure what it does.
        strength: Control strength s: factor of every ControlNet residual, 0 … 2, or a strategy: 'fixed', what
            is stored with the ControlNet; 'adaptive', the paper's search; 'auto', ours.
        steps: Steps of the whole schedule, 1 … 1000; from ``start_level`` on only that share of them is done.
        sampler: One of ``options.SAMPLERS``.
        guidance: w of eq. 3, 0 … 100; 1 is the conditional branch alone; None: the model's own, 9 where it
            names none.
        start_level: Noise level in (0, 1] from which 'harmonise' sets out with the drawn hand; 1 is pure
            noise, from which 'diffuse' always sets out.
        model: 'tiny' (embedded), a folder in ``save_pretrained`` layout, or a name on the hub.
        controlnet: Likewise, or one .safetensors file; None: the one that comes with the model.
        dtype: One of ``options.DTYPES``; 'auto': half precision where the device computes in it.
        device: One of ``options.DEVICES``; 'auto': the best there is.
    """

    prompt: str = DEFAULTS["prompt"]
    negative: str = DEFAULTS["negative"]
    synthetic_negative: bool = True
    strength: float | str = DEFAULTS["strength"]
    steps: int = DEFAULTS["steps"]
    sampler: str = DEFAULTS["sampler"]
    guidance: float | None = DEFAULTS["guidance"]
    start_level: float = DEFAULTS["start_level"]
    model: str = DEFAULTS["model"]
    controlnet: str | None = DEFAULTS["controlnet"]
    dtype: str = DEFAULTS["dtype"]
    device: str = DEFAULTS["device"]

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in DEFAULTS:
                check_field(name, value)
