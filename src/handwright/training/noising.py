"""The forward process as training needs it (diffusion, flow matching), and parts of several objectives.

``TeacherPaths`` and ``straight_velocity`` are progressive distillation of a flow (Salimans and Ho 2022, §3)
of guided predictions (Meng et al. 2023, §3), in one go: a student learns to reach in one step where its
teacher's path of several guided ones leads, at those levels of noise alone at which its sampler stops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as f

from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.samplers import for_unet, is_flow, open_sampler

_SPREAD_CELLS = 1.0


def mean_where(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean; 0 where nothing counts."""
    return (values * weight).sum() / weight.sum().clamp(min=1)


def cell_gaussians(landmarks: Float[Tensor, "b 21 2"], side: int) -> Float[Tensor, "b 21 cells"]:
    """The distribution over a heatmap's cells that stands for each landmark: a Gaussian, one cell wide."""
    centres = (torch.arange(side, device=landmarks.device) + 0.5) / side
    away = ((centres - landmarks[..., None]) * side / _SPREAD_CELLS) ** 2  # [B, 21, 2, side]
    along = (-away / 2).softmax(3)
    return (along[:, :, 1, :, None] * along[:, :, 0, None, :]).flatten(2)


def heatmap_error(
    logits: Float[Tensor, "b 21 h h"], landmarks: Float[Tensor, "b 21 2"]
) -> Float[Tensor, "b 21"]:
    """Kullback–Leibler divergence of each landmark's distribution from its heatmap."""
    wanted = cell_gaussians(landmarks, logits.shape[-1])
    return f.kl_div(logits.flatten(2).log_softmax(2), wanted, reduction="none").sum(2)


@dataclass(frozen=True, eq=False)
class Noised:
    """Latents on their way to noise."""

    latents: Float[Tensor, "b c h w"]  # [b, c, h, w] s x0 + n ε
    # [b] as the network reads them: whole numbers, or 1000 σ of a flow
    timesteps: Float[Tensor, "b"] | Int[Tensor, "b"]
    # [b, c, h, w] what the network should say: ε, v, x0, or the flow ε − x0
    target: Float[Tensor, "b c h w"]
    weight: Float[Tensor, "b"]  # [b] min-SNR weight of each sample


def prediction_of(scheduler: Any) -> str:  # noqa: ANN401 - any diffusers scheduler
    """What the network of a schedule predicts: 'epsilon', 'v_prediction', 'sample' or 'flow'."""
    return "flow" if is_flow(scheduler) else str(scheduler.config["prediction_type"])


def noise_levels(
    scheduler: Any,  # noqa: ANN401
    timesteps: Int[Tensor, "b"],
) -> tuple[Float[Tensor, "b"], Float[Tensor, "b"]]:
    """Shares s of signal and n of noise: √ᾱ and √(1 − ᾱ), or 1 − σ and σ (rectified flow, Liu et al. 2023).

    Args:
        scheduler: Its schedule, with the shift that its config names; one that follows the resolution does
            not count.
        timesteps: 0 (hardly any noise) … ``num_train_timesteps`` − 1.
    """
    if not is_flow(scheduler):
        share = scheduler.alphas_cumprod.to(timesteps.device)[timesteps]
        return share.sqrt(), (1 - share).sqrt()
    even = (timesteps + 1) / scheduler.config["num_train_timesteps"]
    shift = 1.0 if scheduler.config["use_dynamic_shifting"] else scheduler.config["shift"]
    noise = _shifted(even, shift)
    return 1 - noise, noise


def mixed_places(
    logit_normal: Float[Tensor, "b"],
    even: Float[Tensor, "b"],
    choice: Float[Tensor, "b"],
    even_share: float,
    shift: Float[Tensor, "b"] | float,
) -> Float[Tensor, "b"]:
    """Places in a flow's schedule, 0 (hardly any noise) … 1: some evenly drawn, some logit-normal.

    Logit-normal levels (Esser et al. 2024, §3.1) hardly ever reach σ > .95, where text and hands decide what
    the picture is and where every sampler begins (docs/research/base.md, 'Where text counts').

    Args:
        logit_normal: Normal numbers; their sigmoid is a place.
        even: Evenly drawn from 0 to 1.
        choice: Likewise; which of both is taken.
        even_share: Share of places that are evenly drawn.
        shift: By how much more these shift towards noise than the schedule does; 1: not.
    """
    return torch.where(choice < even_share, _shifted(even, shift), logit_normal.sigmoid())


def _shifted(places: Float[Tensor, "b"], shift: Float[Tensor, "b"] | float) -> Float[Tensor, "b"]:
    """Places from 0 to 1 moved towards noise (Esser et al. 2024, §5.3.2, eq. 23); by 1 they stay."""
    return shift * places / (1 + (shift - 1) * places)


def noise_to(
    scheduler: Any,  # noqa: ANN401
    clean: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
    timesteps: Int[Tensor, "b"],
    snr_gamma: float = 0.0,
) -> Noised:
    """Noise clean latents to their timesteps.

    Args:
        scheduler: Its schedule and what it predicts.
        clean: x0.
        noise: ε.
        timesteps: One a sample, as for ``noise_levels``.
        snr_gamma: γ, a cap on what an error of x0 weighs at low noise (min-SNR, Hang et al. 2023). An error
            of ε weighs SNR times that of the x0 it implies, one of v or of the flow 1 / n², one of x0 1;
            weighted, they come to min(SNR, γ) for ε and to min(1 / n², γ) for the others, so that the high
            noise levels where shape is decided keep their full weight. 0 weighs all alike.
    """
    kind = prediction_of(scheduler)
    levels = noise_levels(scheduler, timesteps)
    signal, spread = (level.to(clean).view(-1, 1, 1, 1) for level in levels)
    targets = {
        "epsilon": noise,
        "v_prediction": signal * noise - spread * clean,
        "sample": clean,
        "flow": noise - clean,
    }
    read = levels[1] * scheduler.config["num_train_timesteps"] if kind == "flow" else timesteps
    weight = _min_snr(kind, *levels, snr_gamma)
    return Noised(signal * clean + spread * noise, read, targets[kind], weight)


def _min_snr(
    kind: str, signal: Float[Tensor, "b"], spread: Float[Tensor, "b"], gamma: float
) -> Float[Tensor, "b"]:
    """Weight of each sample; ones where γ is 0."""
    if gamma <= 0:
        return torch.ones_like(spread)
    if kind == "epsilon":
        return (gamma * (spread / signal) ** 2).clamp(max=1.0)
    if kind == "sample":
        return (spread**-2).clamp(max=gamma)
    return (gamma * spread**2).clamp(max=1.0)


class TeacherPaths:
    """Where a teacher's sampler stops on its way from noise, several times for each step of its student.

    Args:
        scheduler_config: Of both, a flow's.
        steps: Of the student.
        teacher_steps: Of the teacher in place of each.
    """

    def __init__(self, scheduler_config: Mapping[str, Any], steps: int, teacher_steps: int) -> None:
        with quiet():
            sampler = for_unet(open_sampler("auto", scheduler_config))
        sampler.set_timesteps(steps * teacher_steps)
        self.steps, self.teacher_steps = steps, teacher_steps
        self.total = int(scheduler_config["num_train_timesteps"])
        self.levels: Float[Tensor, "n"] = sampler.sigmas.float()  # From 1 to 0

    def noised(
        self, clean: Float[Tensor, "b c h w"], noise: Float[Tensor, "b c h w"], step: Int[Tensor, "b"]
    ) -> dict[str, Tensor]:
        """``latents`` where a student's step begins, and the levels of the teacher's steps in its place.

        Args:
            clean: x0.
            noise: ε.
            step: Which of the student's steps, 0 … ``steps`` − 1.

        Returns:
            ``latents`` [b, c, h, w]; ``noise``, σ [b, k] from the first level to the next step's;
            ``timesteps``, the same as the network reads them.
        """
        levels = self.levels[self.teacher_steps * step[:, None] + torch.arange(self.teacher_steps + 1)]
        latents = torch.lerp(clean, noise, _each(levels[:, 0]))
        return {"latents": latents, "noise": levels, "timesteps": levels * self.total}


def at_level(batch: Mapping[str, Tensor], k: int, latents: Tensor | None = None) -> dict[str, Tensor]:
    """A batch at the ``k``-th of its ``timesteps``, with other latents if they are given."""
    here = batch["latents"] if latents is None else latents
    return {**batch, "latents": here, "timesteps": batch["timesteps"][:, k]}


def straight_velocity(
    batch: Mapping[str, Tensor], velocity: Callable[[Mapping[str, Tensor]], Float[Tensor, "b c h w"]]
) -> Float[Tensor, "b c h w"]:
    """The velocity that leads straight to where the teacher arrives in Euler's steps.

    Args:
        batch: ``latents``, ``noise`` and ``timesteps`` as of ``TeacherPaths.noised``, and what else
            ``velocity`` reads.
        velocity: Of the teacher, at one level (``at_level``).
    """
    latents, levels = batch["latents"], batch["noise"]
    for k in range(levels.shape[1] - 1):
        latents = latents + _each(levels[:, k + 1] - levels[:, k]) * velocity(at_level(batch, k, latents))
    return (latents - batch["latents"]) / _each(levels[:, -1] - levels[:, 0])


def _each(values: Float[Tensor, "b"]) -> Float[Tensor, "b 1 1 1"]:
    return values.view(-1, 1, 1, 1)
