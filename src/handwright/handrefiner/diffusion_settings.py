"""How a diffusing painter paints. Names and ranges are checked here, before torch is imported."""

from __future__ import annotations

import math
from dataclasses import dataclass

from handwright.errors import UsageError
from handwright.handrefiner.strength import STRATEGIES

SAMPLERS = ("auto", "ddim", "dpm++", "euler", "euler-a", "unipc", "flow")
"""Names of ``handwright.diffusion.samplers``; 'auto' is the model's own."""

DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")
"""Names of ``handwright.diffusion.loading.devices``."""

PROMPT = "a photograph of a hand"
"""In the words of the captions that the embedded base was trained on."""

_MOST_STRENGTH, _MOST_STEPS, _MOST_GUIDANCE = 2.0, 1000, 100.0


@dataclass(frozen=True)
class DiffusionSettings:
    """HandRefiner's options (SPEC §1, 'Inpaint' and 'Strength').

    Published inference is ``sampler='ddim', steps=50, guidance=9, strength=0.55`` with painter 'diffuse'.

    Attributes:
        prompt: What the picture shows.
        negative: Negative words c_n of eq. 3 in place of the usual ones; c_n0, 'fake 3D rendered image',
            comes first.
        synthetic_negative: With c_n0; False only to measure what it does.
        strength: Control strength s: factor of every ControlNet residual, 0 … 2, or one of ``STRATEGIES``:
            'fixed', what is stored with the ControlNet; 'adaptive', the paper's search; 'auto', ours.
        steps: Steps of the whole schedule, 1 … 1000; from ``start_level`` on only that share of them is done.
        sampler: One of ``SAMPLERS``.
        guidance: w of eq. 3, 0 … 100; 1 is the conditional branch alone; None: the model's own, 9 where it
            names none.
        start_level: Noise level in (0, 1] from which 'harmonise' sets out with the drawn hand; 1 is pure
            noise, from which 'diffuse' always sets out.
        model: 'tiny' (embedded), a folder in ``save_pretrained`` layout, or a name on the hub.
        controlnet: Likewise, or one .safetensors file; None: the one that comes with the model.
        dtype: One of ``DTYPES``; 'auto': half precision where the device computes in it.
        device: One of ``DEVICES``; 'auto': the best there is.
    """

    prompt: str = PROMPT
    negative: str = ""
    synthetic_negative: bool = True
    strength: float | str = STRATEGIES[0]
    steps: int = 10
    sampler: str = "auto"
    guidance: float | None = None
    start_level: float = 0.35
    model: str = "tiny"
    controlnet: str | None = None
    dtype: str = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        if isinstance(self.strength, str):
            _strategy(self.strength)
        else:
            _within("strength", self.strength, 0.0, _MOST_STRENGTH)
        if self.guidance is not None:
            _within("guidance", self.guidance, 0.0, _MOST_GUIDANCE)
        _within("start-level", self.start_level, 0.0, 1.0)
        if self.start_level == 0:
            raise UsageError("--start-level is 0", "nothing would be changed", "give more than 0, up to 1")
        _within("steps", self.steps, 1, _MOST_STEPS)
        if self.steps != int(self.steps):
            raise UsageError(f"--steps is {self.steps:g}", "", "give a whole number")
        _among("sampler", self.sampler, SAMPLERS)
        _among("dtype", self.dtype, DTYPES)
        _among("device", self.device, DEVICES)
        if not self.model or self.controlnet == "":
            raise UsageError(
                "--model or --controlnet is empty", "", "give tiny, a folder or a name on the hub"
            )


def _within(option: str, value: float, least: float, most: float) -> None:
    if not (math.isfinite(value) and least <= value <= most):
        raise UsageError(f"--{option} is {value:g}", "", f"give a number from {least:g} to {most:g}")


def _strategy(name: str) -> None:
    if name not in STRATEGIES:
        words = ", ".join(STRATEGIES)
        raise UsageError(
            f"there is no --strength {name!r}", "", f"give {words}, or a number from 0 to {_MOST_STRENGTH:g}"
        )


def _among(option: str, value: str, names: tuple[str, ...]) -> None:
    if value not in names:
        raise UsageError(f"there is no --{option} {value!r}", "", f"give one of: {', '.join(names)}")
