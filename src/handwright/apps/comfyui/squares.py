"""*Hand Crop* and *Hand Uncrop*: a square per hand for any graph of one's own, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handwright.apps.comfyui import loaded
from handwright.apps.comfyui.choices import NAMED, PICTURES, which
from handwright.apps.comfyui.choices import settings_of as named_hands
from handwright.apps.comfyui.sockets import HAND_STITCH, IMAGE, MASK, Input, Node, Output
from handwright.apps.comfyui.tensors import (
    Tensor,
    floats_of,
    image_batch,
    mask_batch,
    pictures_of,
    with_new_pixels,
)
from handwright.errors import InvalidValueError

if TYPE_CHECKING:
    from handwright.refine.exchange.squares import HandSquare


@dataclass(frozen=True, eq=False)
class Stitch:
    """Where the squares of a batch were cut: per picture its squares, in the order of the crops."""

    images: Tensor  # The IMAGE they were cut from
    squares: tuple[tuple[HandSquare, ...], ...]


def crop(image: Tensor, resolution: int = 512, which: str = "failed", **named: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Cut a square around every hand of a batch.

    A picture without such hands gives one square of its middle with an empty mask, so that the graph runs on
    and *Hand Uncrop* returns the picture as it was.

    Args:
        image: IMAGE.
        resolution: Side of the crops in pixels.
        which: Hands to cut out.
        **named: Boxes, edited hands and a pose.

    Returns:
        Crops IMAGE, MASK and depth IMAGE, one entry a hand over all pictures, and the HAND_STITCH.
    """
    from handwright.refine.exchange.planned import plan_hands
    from handwright.refine.exchange.squares import hand_squares, middle_square

    cut: list[tuple[HandSquare, ...]] = []
    for picture in pictures_of(image):
        planned = plan_hands(picture, loaded.engine(), named_hands(named, picture), which)
        squares = hand_squares(picture.pixels, planned, resolution)
        cut.append(tuple(squares or [middle_square(picture.pixels, resolution)]))
    every = [square for squares in cut for square in squares]
    return (
        image_batch([square.picture for square in every]),
        mask_batch([square.mask for square in every]),
        image_batch([square.depth for square in every]),
        Stitch(image, tuple(cut)),
    )


def uncrop(crops: Tensor, stitch: Stitch) -> tuple[Any, ...]:
    """Paste painted crops back into the pictures that they were cut from.

    Args:
        crops: IMAGE of painted crops, in the order of *Hand Crop*, of any one size.
        stitch: HAND_STITCH of *Hand Crop*.

    Returns:
        IMAGE and MASK of the pixels that may differ; the others are the input's, bit for bit.

    Raises:
        InvalidValueError: There are more or fewer crops than were cut, or they are not square.
    """
    from handwright.refine.exchange.squares import paste_squares

    painted = floats_of(crops, "crops")
    count = sum(len(squares) for squares in stitch.squares)
    if len(painted) != count or painted.shape[1] != painted.shape[2]:
        raise InvalidValueError(
            f"{len(painted)} crops of {painted.shape[2]} × {painted.shape[1]} pixels came",
            f"Hand Crop cut {count} squares",
            "give every crop back, in its order and square",
        )
    rest, pictures, masks = iter(painted), [], []
    for picture, squares in zip(pictures_of(stitch.images), stitch.squares, strict=True):
        pixels, changed = paste_squares(picture.pixels, squares, [next(rest) for _ in squares])
        pictures.append(pixels)
        masks.append(changed)
    return with_new_pixels(stitch.images, pictures, masks), mask_batch(masks)


CROP = Node(
    id="HandwrightHandCrop",
    title="Hand Crop",
    description="A square around every hand with its mask and depth, for a sampler graph of your own.",
    inputs=(
        PICTURES,
        Input(name="resolution", kind="INT", default=512, low=64, high=4096, step=64,
            tooltip="Side of the crops in pixels: 512 for SD 1.5, 1024 for SDXL and newer."),
        which("failed"),
        *NAMED,
    ),
    outputs=(
        Output("crops", IMAGE, "One square a hand, over all pictures of the batch."),
        Output("mask", MASK, "What to inpaint in each."),
        Output("depth", IMAGE, "Depth control image of each."),
        Output("stitch", HAND_STITCH, "For Hand Uncrop."),
    ),
    run=crop,
    preview=0,
    search=("hand detailer", "crop and stitch"),
)  # fmt: skip

UNCROP = Node(
    id="HandwrightHandUncrop",
    title="Hand Uncrop",
    description="Pastes painted crops of Hand Crop back, feathered inside their masks.",
    inputs=(
        Input(name="crops", kind=IMAGE, tooltip="Painted crops, in the order of Hand Crop, of any size."),
        Input(name="stitch", kind=HAND_STITCH, tooltip="Of Hand Crop."),
    ),
    outputs=(
        Output("image", IMAGE, "The pictures; pixels outside the mask are the input's, bit for bit."),
        Output("mask", MASK, "Pixels that may differ."),
    ),
    run=uncrop,
    preview=0,
    search=("stitch", "paste hands"),
)
