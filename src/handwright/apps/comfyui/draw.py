"""*Hand Refine (draw)*: repaint hands from skin measured in the picture, without any model of ComfyUI's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handwright.apps.comfyui import loaded
from handwright.apps.comfyui.choices import ALL, FAILED_OR_UNSURE, NAMED, PICTURES, SEED, options_of, which
from handwright.apps.comfyui.sockets import IMAGE, MASK, STRING, Input, Node, Output
from handwright.apps.comfyui.tensors import (
    Tensor,
    image_batch,
    mask_batch,
    masks_of,
    pictures_of,
    with_new_pixels,
)

if TYPE_CHECKING:
    from handwright.refine.result import Repair

BETTER, ALWAYS = "when better", "always"
KEEP = Input(
    name="take",
    kind="COMBO",
    choices=(BETTER, ALWAYS),
    default=BETTER,
    optional=True,
    tooltip="'when better': the old hand stays unless the new one passes every check. 'always': show the "
    "best attempt all the same.",
)
ALLOWED = Input(
    name="mask",
    kind=MASK,
    optional=True,
    tooltip="Pixels that may change, in place of the computed ones; hands are then attempted whatever the "
    "review finds.",
)
REPAINT = (KEEP, ALLOWED, *NAMED)
"""Last inputs of every node that repaints."""
OUTPUTS = (
    Output("image", IMAGE, "The pictures; pixels outside the mask are the input's, bit for bit."),
    Output("mask", MASK, "Pixels that were repainted."),
    Output("report", STRING, "What was done to each hand, and why."),
    Output("depth", IMAGE, "The depth control images."),
)


def run(
    image: Tensor,
    which: str = "failed",
    seed: int = 0,
    candidates: int = 1,
    take: str = BETTER,
    mask: Tensor = None,
    **named: Any,  # noqa: ANN401
) -> tuple[Any, ...]:
    """Repaint the hands of every picture of a batch.

    Args:
        image: IMAGE.
        which: Hands to attempt.
        seed: Same seed, same pixels.
        candidates: Attempts per hand; the best is taken.
        take: 'when better' or 'always'.
        mask: MASK of pixels that may change, or None.
        **named: Boxes, edited hands and a pose.

    Returns:
        IMAGE, MASK of repainted pixels, report, depth IMAGE.
    """
    from handwright.workflow.hand_refiner import HandRefiner

    refiner = HandRefiner(
        engine=loaded.engine(),
        seed=seed,
        candidates=candidates,
        all=which == ALL,
        unsure=which == FAILED_OR_UNSURE,
    )
    return refine_batch(image, mask, named, take, refiner)


def refine_batch(
    image: Tensor,
    mask: Tensor,
    named: dict[str, Any],
    take: str,
    refine: Callable[..., Repair],
) -> tuple[Any, ...]:
    """Refine picture after picture and bring the outputs together; see ``OUTPUTS``."""
    from handwright.refine.exchange.outcome import outcome
    from handwright.types import Mask

    pictures = pictures_of(image)
    allowed = [None] * len(pictures) if mask is None else masks_of(mask, len(pictures))
    repairs: list[Repair] = []
    for picture, inside in zip(pictures, allowed, strict=True):
        own = options_of(named, picture)
        repairs.append(refine(picture, **(own if inside is None else {**own, "mask": Mask(inside)})))
    finished = [outcome(repair, with_rejected=take == ALWAYS) for repair in repairs]
    return (
        with_new_pixels(image, [pixels for pixels, _ in finished], [inside for _, inside in finished]),
        mask_batch([inside for _, inside in finished]),
        "\n".join(report(number, repair) for number, repair in enumerate(repairs, start=1)),
        image_batch([repair.depth.depth for repair in repairs]),
    )


def report(number: int, repair: Repair) -> str:
    """A line per hand: what was done and why."""
    hands = [f"  hand {hand.id} ({hand.side}): {hand.action}. {hand.reason}" for hand in repair.hands]
    return "\n".join(
        [f"image {number}:", *(hands or ["  no hand was found"]), *(f"  {n}" for n in repair.notes)]
    )


NODE = Node(
    id="HandwrightHandRefineDraw",
    title="Hand Refine (draw)",
    description="Repaints malformed hands from skin, light and grain measured in the picture. No checkpoint.",
    inputs=(
        PICTURES,
        which("failed"),
        SEED,
        Input(name="candidates", kind="INT", default=1, low=1, high=16, tooltip="Attempts per hand."),
        *REPAINT,
    ),
    outputs=OUTPUTS,
    run=run,
    preview=0,
    search=("fix hands", "handrefiner", "hand repair"),
)
