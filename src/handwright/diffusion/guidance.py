"""Guidance with the negative prompt (HandRefiner §3.3, eq. 3): its words and its formula."""

from jaxtyping import Float
from torch import Tensor

SYNTHETIC_NEGATIVE = "fake 3D rendered image"
"""c_n0 of eq. 3: names what a ControlNet learnt on renders must not bring along."""

STANDARD_NEGATIVE = (
    "long body, low resolution, bad anatomy, bad hands, missing fingers, extra digit, fewer digits, "
    "cropped, worst quality, low quality"
)
"""c_n of eq. 3: the usual negative words."""

GUIDANCE = 9.0  # w of eq. 3 in the published inference.

NEGATIVE_PROMPT = f"{SYNTHETIC_NEGATIVE}, {STANDARD_NEGATIVE}"


def negative_prompt(words: str = "", synthetic: bool = True) -> str:
    """The unconditional branch's prompt c_n0 + c_n (HandRefiner eq. 3).

    ``words`` stand in place of the standard ones; without ``synthetic`` it is the paper's ablation without
    c_n0.
    """
    words = words.strip() or STANDARD_NEGATIVE
    return f"{SYNTHETIC_NEGATIVE}, {words}" if synthetic else words


def guided(
    conditional: Float[Tensor, "b *c"], unconditional: Float[Tensor, "b *c"], weight: float
) -> Float[Tensor, "b *c"]:
    """ε = ε(x, n) + w · (ε(x, p) − ε(x, n)), HandRefiner eq. 3; stock pipelines compute it likewise."""
    return unconditional + weight * (conditional - unconditional)  # eq. 3
