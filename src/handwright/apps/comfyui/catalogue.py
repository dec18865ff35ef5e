"""All nodes, in the order of the menu."""

from handwright.apps.comfyui import depth_mask, draw, pose, review, sample, squares
from handwright.apps.comfyui.sockets import Node

NODES: tuple[Node, ...] = (
    review.NODE,
    depth_mask.NODE,
    draw.NODE,
    sample.NODE,
    pose.NODE,
    squares.CROP,
    squares.UNCROP,
)
