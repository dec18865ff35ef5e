"""ComfyUI's sampler as an ``InpaintNetwork``: MODEL, VAE, CONTROL_NET and CONDITIONING paint one square."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.apps.comfyui.tensors import Tensor, floats_of, image_batch, mask_batch
from handwright.errors import MissingPackageError, UsageError

if TYPE_CHECKING:
    from handwright.handrefiner.network import InpaintRequest, InpaintResult, Surroundings


@dataclass(frozen=True, eq=False, kw_only=True)
class ComfyNetwork:
    """The user's own loaded models on ComfyUI's own sampler.

    The known region is ComfyUI's latent ``noise_mask``, which blends at every step; the depth ControlNet is
    applied per square; a 9-channel model gets its masked picture as ComfyUI's inpainting node gives it.
    """

    model: Any  # MODEL
    vae: Any  # VAE
    control_net: Any  # CONTROL_NET for depth
    positive: Any  # CONDITIONING
    negative: Any
    resolution: int  # Side of the squares in pixels
    cfg: float  # Weight of classifier-free guidance
    sampler_name: str  # Of ComfyUI's samplers
    scheduler: str  # Of its schedulers
    control_start: float = 0.0  # Share of the steps at which control begins …
    control_end: float = 1.0  # … and ends
    # The node's own context, in which ComfyUI shows progress; painting may run in another thread
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    @property
    def fixed_strength(self) -> float:
        """A ControlNet of ComfyUI stores no strength."""
        return 1.0

    @property
    def surroundings(self) -> Surroundings:
        """What the user's models paint around hands is taken, as published."""
        return "painted"

    @property
    def guidance(self) -> float:
        """``cfg``."""
        return self.cfg

    @property
    def default_steps(self) -> int:
        """ComfyUI's own default."""
        return 20

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        """Paint inside the mask; see ``InpaintNetwork``.

        Raises:
            UsageError: The control strength is not one number.
        """
        from handwright.handrefiner.network import InpaintResult

        return InpaintResult(self._in_context(lambda: self._sampled(request)))

    def inpaint_batch(self, requests: Sequence[InpaintRequest]) -> list[InpaintResult]:
        """One by one: ComfyUI's sampler draws the noise of a whole batch from one seed."""
        return [self.inpaint(request) for request in requests]

    def autoencode(self, picture: UInt8[np.ndarray, "r r 3"]) -> Float[np.ndarray, "r r 3"]:
        """A picture through the VAE's encoder and decoder; see ``InpaintNetwork``."""
        return self._in_context(lambda: self._decoded(self.vae.encode(image_batch([picture]))))

    def _sampled(self, request: InpaintRequest) -> Float[np.ndarray, "r r 3"]:
        if not isinstance(request.strength, int | float):
            raise UsageError("ComfyUI's ControlNet takes one strength", "", "give a number")
        nodes = comfy_nodes()
        positive, negative = nodes.ControlNetApplyAdvanced().apply_controlnet(
            self.positive,
            self.negative,
            self.control_net,
            image_batch([request.control]),
            float(request.strength),
            self.control_start,
            self.control_end,
            vae=self.vae,
        )
        positive, negative, latent = nodes.InpaintModelConditioning().encode(
            positive, negative, image_batch([request.picture]), self.vae, mask_batch([request.mask]), True
        )
        if request.start is not None:
            latent = {**latent, "samples": self.vae.encode(image_batch([request.start]))}
        (sampled,) = nodes.common_ksampler(
            self.model,
            request.seed,
            request.settings.steps,
            self.cfg,
            self.sampler_name,
            self.scheduler,
            positive,
            negative,
            latent,
            denoise=1.0 if request.start is None else request.settings.start_level,
        )
        return self._decoded(sampled["samples"])

    def _decoded(self, latents: Tensor) -> Float[np.ndarray, "r r 3"]:
        images = self.vae.decode(latents)
        if images.ndim == 5:  # a VAE of films returns [batch, frames, H, W, C]
            images = images[:, 0]
        return np.clip(floats_of(images, "the decoded picture")[0], 0.0, 255.0)

    def _in_context(self, work: Callable[[], np.ndarray]) -> np.ndarray:
        import torch

        def without_gradients() -> np.ndarray:
            with torch.inference_mode():  # per thread, and ComfyUI's models are made in it
                return work()

        return self.context.copy().run(without_gradients)


def comfy_nodes() -> Any:  # noqa: ANN401 - ComfyUI is not installed where this is type-checked
    """ComfyUI's own ``nodes`` module.

    Raises:
        MissingPackageError: This process is not ComfyUI.
    """
    try:
        nodes = import_module("nodes")
        return nodes if hasattr(nodes, "common_ksampler") else _refuse(None)
    except ImportError as error:
        return _refuse(error)


def _refuse(cause: Exception | None) -> Any:  # noqa: ANN401
    raise MissingPackageError(
        "this needs ComfyUI", "its module `nodes` is not here", "run it inside ComfyUI, as a custom node"
    ) from cause
