"""*Hand Depth & Mask*: depth of regular hands and a mask, in place of the MeshGraphormer preprocessor."""

from __future__ import annotations

from typing import Any

from handwright.apps.comfyui import loaded
from handwright.apps.comfyui.choices import NAMED, PICTURES, which
from handwright.apps.comfyui.choices import settings_of as named_hands
from handwright.apps.comfyui.sockets import IMAGE, LARGEST_PX, MASK, STRING, Input, Node, Output
from handwright.apps.comfyui.tensors import Tensor, image_batch, mask_batch, pictures_of

MASK_KINDS = ("based_on_depth", "tight_bboxes", "original", "repair")
"""As ``refine.exchange.controls.MASK_KINDS``, which is imported only when a node runs."""


def run(
    image: Tensor,
    mask_bbox_padding: int = 30,
    resolution: int = 512,
    mask_type: str = "based_on_depth",
    mask_expand: int = 5,
    rand_seed: int = 88,
    which: str = "all",
    **named: Any,  # noqa: ANN401
) -> tuple[Any, ...]:
    """Depth and mask of every picture of a batch.

    Args:
        image: IMAGE.
        mask_bbox_padding: Room around each box of mask type 'original', in pixels.
        resolution: Shorter side of the depth image in pixels; 0: the picture's own size.
        mask_type: One of ``MASK_KINDS``.
        mask_expand: Pixels by which the mask grows, or shrinks below 0.
        rand_seed: Kept for saved workflows: nothing here is random.
        which: Hands to render.
        **named: Boxes, edited hands and a pose.

    Returns:
        Depth IMAGE, MASK at the picture's size, and the hands as the text of a hands file, a line a picture.
    """
    from handwright.hand.files.hands_file import hands_text, hands_to_json
    from handwright.refine.exchange.controls import depth_at, inpainting_mask
    from handwright.refine.exchange.planned import plan_hands

    del rand_seed
    depths, masks, texts = [], [], []
    for picture in pictures_of(image):
        planned = plan_hands(picture, loaded.engine(), named_hands(named, picture), which)
        depths.append(depth_at(planned.depth.depth, resolution))
        masks.append(
            inpainting_mask(
                planned.hands, planned.depth, mask_type, padding_px=mask_bbox_padding, expand_px=mask_expand
            )
        )
        found = [(hand.id, hand.observation, hand.fit.hand) for hand in planned.hands]
        texts.append(hands_text(hands_to_json(found, (picture.width, picture.height))))
    return image_batch(depths), mask_batch(masks), "\n".join(texts)


NODE = Node(
    id="HandwrightHandDepthMask",
    title="Hand Depth & Mask",
    description="Depth of regular hands for a depth ControlNet, and the mask to inpaint. Takes the place of "
    "the MeshGraphormer preprocessor; finds more hands and needs no download of it.",
    inputs=(
        PICTURES,
        Input(name="mask_bbox_padding", kind="INT", default=30, low=0, high=100,
            tooltip="Room around the boxes of mask type 'original', in pixels."),
        Input(name="resolution", kind="INT", default=512, low=0, high=LARGEST_PX, step=64,
            tooltip="Shorter side of the depth image in pixels; 0: as the picture."),
        Input(name="mask_type", kind="COMBO", choices=MASK_KINDS, default=MASK_KINDS[0],
            tooltip="Rendered hands, their boxes, padded boxes, or 'repair': the old and the new hand."),
        Input(name="mask_expand", kind="INT", default=5, low=-LARGEST_PX, high=LARGEST_PX,
            tooltip="Grow the mask by so many pixels; below 0: shrink it."),
        Input(name="rand_seed", kind="INT", default=88, low=0, high=2**63 - 1, seed=True,
            tooltip="Of the MeshGraphormer node; nothing here is random."),
        which("all"),
        *NAMED,
    ),
    outputs=(
        Output("depth", IMAGE, "Depth control image: nearest 255, farthest 51, background 0."),
        Output("INPAINTING_MASK", MASK, "The mask, at the picture's size."),
        Output("hands", STRING, "The hands as a hands file: edit it and give it back under `hands`."),
    ),
    run=run,
    preview=0,
    search=("meshgraphormer", "mesh graphormer", "handrefiner", "hand depth"),
)  # fmt: skip
