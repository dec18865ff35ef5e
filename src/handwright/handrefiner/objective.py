"""HandRefiner's training objective (§3.1, eq. 4)."""

from jaxtyping import Float
from torch import Tensor


def masked_loss(
    prediction: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    mask: Float[Tensor, "b 1 h w"],
    weight: Float[Tensor, "b"] | None = None,
) -> Float[Tensor, ""]:
    """Mean squared error over the hand region: E[Σ m ⊙ (ε − ε_θ)² / Σ m] (eq. 4)."""
    error = (mask * (prediction - target) ** 2).flatten(1).sum(1)
    mean = error / (mask.flatten(1).sum(1) * prediction.shape[1])
    return mean.mean() if weight is None else (weight * mean).mean()
