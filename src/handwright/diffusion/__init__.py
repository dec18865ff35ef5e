"""Diffusion: the model zoo, the known-region blend and HandRefiner on diffusers' stock pipelines.

torch and diffusers live here and below; without them, importing this package raises an error that names
what to install.

>>> from handwright.diffusion import HandRefinerPipeline
>>> pipeline = HandRefinerPipeline.from_pretrained("tiny")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from handwright.errors import DiffusionError

if TYPE_CHECKING:
    from handwright.diffusion.guidance import negative_prompt
    from handwright.diffusion.known_region import KnownRegionBlend, known_region_blend
    from handwright.diffusion.loading.zoo import DiffusionModels, load_models
    from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
    from handwright.diffusion.samplers import SAMPLERS, open_sampler

__all__ = [
    "SAMPLERS", "DiffusionModels", "HandRefinerPipeline", "KnownRegionBlend",
    "known_region_blend", "load_models", "negative_prompt", "open_sampler",
]  # fmt: skip

_HOME = {
    "SAMPLERS": "samplers", "DiffusionModels": "loading.zoo",
    "HandRefinerPipeline": "refiner_pipeline", "KnownRegionBlend": "known_region",
    "known_region_blend": "known_region", "load_models": "loading.zoo", "negative_prompt": "guidance",
    "open_sampler": "samplers",
}  # fmt: skip

_missing = [name for name in ("torch", "diffusers", "transformers", "accelerate") if find_spec(name) is None]
if _missing:
    raise DiffusionError(
        "diffusion painting is not installed",
        f"{', '.join(_missing)} missing",
        "pip install 'handwright[diffusion]'",
    )


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for: diffusers takes seconds."""
    if name not in _HOME:
        raise AttributeError(f"module 'handwright.diffusion' has no attribute {name!r}")
    return getattr(import_module(f"handwright.diffusion.{_HOME[name]}"), name)
