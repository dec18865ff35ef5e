"""*Hand Review*: the checklist of every hand, a mask of those that fail, and a picture of the report."""

from __future__ import annotations

from typing import Any

from handwright.apps.comfyui import loaded
from handwright.apps.comfyui.choices import PICTURES
from handwright.apps.comfyui.sockets import IMAGE, MASK, STRING, Input, Node, Output
from handwright.apps.comfyui.tensors import Tensor, image_batch, mask_batch, pictures_of


def run(image: Tensor, prompt: str = "", mask_of: str = "failed", generated: bool = False) -> tuple[Any, ...]:
    """Review every picture of a batch.

    Args:
        image: IMAGE.
        prompt: What the pictures were meant to show; '' holds them against nothing.
        mask_of: 'failed' or 'failed or unsure'.
        generated: The pictures are of image generators: hands that look malformed do not pass.

    Returns:
        Verdicts as text and as JSON (schema handwright/review-1), MASK, and the IMAGE with the review drawn.
    """
    import json

    from handwright import __version__
    from handwright.refine.exchange.planned import failed_mask
    from handwright.review.overlay import draw_review
    from handwright.review.review_json import picture_json, review_json
    from handwright.workflow.api import review

    pictures = pictures_of(image)
    wanted = prompt.strip() or None
    reviews = review(pictures, prompt=wanted, judge=loaded.engine().judge, generated=generated)
    verdicts = ("fail",) if mask_of == "failed" else ("fail", "unsure")
    entries = [picture_json(f"image {n}", one) for n, one in enumerate(reviews, start=1)]
    document = review_json(entries, (), wanted, __version__, generated=generated)
    return (
        "\n".join(summary(entry) for entry in entries),
        json.dumps(document, indent=1),
        mask_batch(
            [failed_mask(one, seen, verdicts).inside for one, seen in zip(pictures, reviews, strict=True)]
        ),
        image_batch(
            [draw_review(one.pixels, seen.hands) for one, seen in zip(pictures, reviews, strict=True)]
        ),
    )


def summary(entry: dict[str, Any]) -> str:
    """A line for the picture and one for each hand, with the reason of what did not pass."""
    lines = [f"{entry['path']}: {entry['verdict'].replace('_', ' ')}", *entry["notes"]]
    for hand in entry["hands"]:
        reasons = [
            check["reason"] for check in hand["checks"].values() if check["verdict"] == hand["verdict"]
        ]
        why = "" if hand["verdict"] == "pass" else " " + " ".join(dict.fromkeys(reasons))
        lines.append(f"  hand {hand['id']} ({hand['side'] or 'side unclear'}): {hand['verdict']}.{why}")
    return "\n".join(lines)


NODE = Node(
    id="HandwrightHandReview",
    title="Hand Review",
    description="Finds every hand and goes through a checklist: finger count, joints, left or right, grasp.",
    inputs=(
        PICTURES,
        Input(
            name="prompt",
            kind=STRING,
            default="",
            lines=True,
            optional=True,
            tooltip="What the picture was meant to show; its hands are held against it. Empty: nothing.",
        ),
        Input(
            name="mask_of",
            kind="COMBO",
            choices=("failed", "failed or unsure"),
            default="failed",
            optional=True,
            tooltip="Hands that the mask covers.",
        ),
        Input(
            name="generated",
            kind="BOOLEAN",
            default=False,
            optional=True,
            tooltip="The pictures are of image generators: hands that look malformed do not pass.",
        ),
    ),
    outputs=(
        Output("verdicts", STRING, "A line per hand: verdict and reason."),
        Output("json", STRING, "The whole review, schema handwright/review-1."),
        Output("mask", MASK, "Pixels of the hands that failed, to inpaint."),
        Output("report", IMAGE, "The picture with bones, boxes and the places of failures."),
    ),
    run=run,
    preview=3,
    is_output=True,
    search=("check hands", "count fingers", "bad hands"),
)
