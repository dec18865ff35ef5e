"""Rendering of fitted hands: HandRefiner's depth control image (§3.1), silhouettes and part ids."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.hand.dense import WRIST_M, load_dense_rig
from handwright.hand.kinematics import mesh_of
from handwright.hand.raster import Visible, rasterize, silhouette_coverage
from handwright.hand.rig import load_rig
from handwright.types import DepthControl, Hand

NEAR, FAR_SHARE = 255.0, 0.8
"""Depth control: value of the nearest pixel, and how much of it is lost at the farthest one (ours)."""


def render_hand(
    hand: Hand, height: int, width: int, *, window: tuple[int, int, int, int] | None = None
) -> Visible:
    """Rasterise one hand into the picture, or into a window (x0, y0, x1, y1) of it."""
    x0, y0, x1, y1 = window or (0, 0, width, height)
    mesh = mesh_of(hand)
    points = hand.camera.project(mesh.vertices_cam_m) - np.array([x0, y0])
    return rasterize(points, mesh.vertices_cam_m[:, 2], mesh.faces, y1 - y0, x1 - x0)


def depth_control(hands: Sequence[Hand], height: int, width: int, *, one_range: bool = False) -> DepthControl:
    """Render one depth control image for all hands of a picture.

    Per hand 255 · (1 − 0.8 · (d − d_min)/(d_max − d_min)) on its visible pixels, 0 elsewhere; hands whose
    silhouettes meet share one depth range and occlude each other as one scene.
    """
    nearest = np.full((height, width), np.inf, np.float32)
    owner = np.full((height, width), -1, np.int16)
    silhouettes: list[Bool[np.ndarray, "h w"]] = []
    for index, hand in enumerate(hands):
        window = hand_window(hand, height, width)
        silhouette = np.zeros((height, width), np.bool_)
        if window is not None:
            x0, y0, x1, y1 = window
            depth = render_hand(hand, height, width, window=window).depth_m
            silhouette[y0:y1, x0:x1] = np.isfinite(depth)
            nearer = depth < nearest[y0:y1, x0:x1]
            nearest[y0:y1, x0:x1][nearer] = depth[nearer]
            owner[y0:y1, x0:x1][nearer] = index
        silhouettes.append(silhouette)
    image = np.zeros((height, width), np.uint8)
    for group in [list(range(len(hands)))] if one_range else meeting_groups(silhouettes):
        inside = np.isin(owner, group)
        if inside.any():
            d = nearest[inside].astype(np.float64)
            span = max(float(np.ptp(d)), 1e-9)
            image[inside] = np.round(NEAR * (1 - FAR_SHARE * (d - d.min()) / span)).astype(np.uint8)
    return DepthControl(image, owner)


def hand_coverage(hands: Sequence[Hand], height: int, width: int) -> Float[np.ndarray, "h w"]:
    """Return how far hands, without forearms, cover each pixel, float32 in [0, 1]; none hides another."""
    rig = load_dense_rig().rig
    of_hand = (rig.vertices_m[rig.faces][..., 1] >= WRIST_M).all(1)
    meshes = [mesh_of(hand, rig) for hand in hands]
    points = [hand.camera.project(mesh.vertices_cam_m) for hand, mesh in zip(hands, meshes, strict=True)]
    faces = [mesh.faces[of_hand] + k * len(rig.vertices_m) for k, mesh in enumerate(meshes)]
    return silhouette_coverage(np.concatenate(points), np.concatenate(faces), height, width)


def part_ids(hand: Hand, height: int, width: int) -> Int[np.ndarray, "h w"]:
    """Return the index into ``anatomy.BONES`` of the visible part at each pixel, int8 [H, W], −1 outside."""
    rig, visible = load_rig(), render_hand(hand, height, width)
    ids = np.full((height, width), -1, np.int8)
    covered = visible.face >= 0
    faces = rig.faces if hand.side == "right" else rig.faces[:, ::-1]
    corners = faces[visible.face[covered]]
    ids[covered] = rig.part_ids[corners[np.arange(len(corners)), visible.bary[covered].argmax(1)]]
    return ids


def hand_window(hand: Hand, height: int, width: int, margin_px: int = 1) -> tuple[int, int, int, int] | None:
    """Return the window around the hand, grown by ``margin_px``; None where it is outside the picture."""
    vertices = mesh_of(hand).vertices_cam_m
    points = hand.camera.project(vertices[vertices[:, 2] > 1e-3])
    if not len(points):
        return None
    low, high = (
        np.floor(points.min(0)).astype(int) - margin_px,
        np.ceil(points.max(0)).astype(int) + margin_px,
    )
    x0, y0, x1, y1 = max(low[0], 0), max(low[1], 0), min(high[0], width), min(high[1], height)
    return (int(x0), int(y0), int(x1), int(y1)) if x0 < x1 and y0 < y1 else None


def meeting_groups(silhouettes: Sequence[Bool[np.ndarray, "h w"]]) -> list[list[int]]:
    """Group the indices of hands whose silhouettes overlap, directly or through others."""
    groups: list[list[int]] = []
    for i, silhouette in enumerate(silhouettes):
        touching = [g for g in groups if any((silhouettes[j] & silhouette).any() for j in g)]
        groups = [g for g in groups if g not in touching]
        groups.append(sorted([*(j for g in touching for j in g), i]))
    return groups
