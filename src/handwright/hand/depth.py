"""Rendering of fitted hands: HandRefiner's depth control image (§3.1), silhouettes and part ids."""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.kinematics import mesh_of
from handwright.hand.raster import Visible, rasterize
from handwright.hand.rig import load_rig
from handwright.types import DepthControl, Hand, Window

NEAR, FAR_SHARE = 255.0, 0.8
"""Depth control: value of the nearest pixel, and how much of it is lost at the farthest one (ours)."""

PALM = 5  # What ``finger_ids`` gives where the palm or the wrist is visible

SURE = 0.15
"""Mean difference of two hands' ``SeenIn`` over an area from which on the picture decides which of them is in
front there: chosen on 32 rendered pairs of hands, checked on others (docs/research/drawn-hand.md)."""

SeenIn = Callable[[Window], Float[np.ndarray, "h w"]]
"""Of a window of the picture, the probability that a pixel shows the hand, in [0, 1]."""


def render_hand(
    hand: Hand, height: int, width: int, *, window: tuple[int, int, int, int] | None = None
) -> Visible:
    """Rasterise one hand into the picture, or into a window (x0, y0, x1, y1) of it."""
    x0, y0, x1, y1 = window or (0, 0, width, height)
    mesh = mesh_of(hand)
    points = hand.camera.project(mesh.vertices_cam_m) - np.array([x0, y0])
    return rasterize(points, mesh.vertices_cam_m[:, 2], mesh.faces, y1 - y0, x1 - x0)


def depth_control(
    hands: Sequence[Hand],
    height: int,
    width: int,
    *,
    one_range: bool = False,
    seen: Sequence[SeenIn | None] = (),
) -> DepthControl:
    """Render one depth control image for all hands of a picture.

    Per hand 255 · (1 − 0.8 · (d − d_min)/(d_max − d_min)) on its visible pixels, 0 elsewhere; hands whose
    silhouettes meet share one depth range and occlude each other as one scene.

    Args:
        hands: The hands.
        height: Of the picture in pixels.
        width: Of the picture in pixels.
        one_range: All hands share one depth range.
        seen: Per hand where the picture shows it, or None. How far hands that are fitted one by one are from
            the camera is uncertain by more than a hand's thickness: where each finger or palm of one crosses
            one of another, the one that the picture shows more plainly (``SURE``) is in front.
    """
    nearest = np.full((height, width), np.inf, np.float32)
    owner = np.full((height, width), -1, np.int16)
    layers = [_layer(hand, height, width) for hand in hands]
    silhouettes: list[Bool[np.ndarray, "h w"]] = []
    for index, (window, visible) in enumerate(layers):
        silhouettes.append(np.zeros((height, width), np.bool_))
        _cut(silhouettes[-1], window)[:] = visible.face >= 0
        depths, owners = _cut(nearest, window), _cut(owner, window)
        nearer = visible.depth_m < depths
        depths[nearer], owners[nearer] = visible.depth_m[nearer], index
    for a, b in combinations(range(len(seen)), 2):
        _decide_crossings(owner, nearest, layers, seen, a, b)
    image = np.zeros((height, width), np.uint8)
    for group in [list(range(len(hands)))] if one_range else meeting_groups(silhouettes):
        inside = np.isin(owner, group)
        if inside.any():
            d = nearest[inside].astype(np.float64)
            span = max(float(np.ptp(d)), 1e-9)
            image[inside] = np.round(NEAR * (1 - FAR_SHARE * (d - d.min()) / span)).astype(np.uint8)
    return DepthControl(image, owner)


def _layer(hand: Hand, height: int, width: int) -> tuple[Window, Visible]:
    """A hand in its window, which is empty where it is outside the picture."""
    window = hand_window(hand, height, width) or (0, 0, 0, 0)
    return window, render_hand(hand, height, width, window=window)


def _cut(plane: Shaped[np.ndarray, "H W"], window: Window) -> Shaped[np.ndarray, "h w"]:
    """The window of a plane, no copy."""
    return plane[window[1] : window[3], window[0] : window[2]]


def _decide_crossings(
    owner: Int[np.ndarray, "H W"],
    nearest: Float[np.ndarray, "H W"],
    layers: Sequence[tuple[Window, Visible]],
    seen: Sequence[SeenIn | None],
    a: int,
    b: int,
) -> None:
    """Where parts of two hands cross, give owner and depth to the hand that the picture shows plainly."""
    seen_a, seen_b = seen[a], seen[b]
    (window_a, _), (window_b, _) = layers[a], layers[b]
    (x0, y0), (x1, y1) = map(max, window_a[:2], window_b[:2]), map(min, window_a[2:], window_b[2:])
    if seen_a is None or seen_b is None or x0 >= x1 or y0 >= y1:
        return
    parts, depths = [], []
    for (left, top, *_), visible in (layers[a], layers[b]):
        inner = x0 - left, y0 - top, x1 - left, y1 - top
        parts.append(finger_ids(_cut(visible.face, inner)))
        depths.append(_cut(visible.depth_m, inner))
    both = (parts[0] >= 0) & (parts[1] >= 0)
    if not both.any():
        return
    window = x0, y0, x1, y1
    more = seen_a(window) - seen_b(window)
    crossing = parts[0] * (PALM + 1) + parts[1]
    owners, nearest_there = _cut(owner, window), _cut(nearest, window)
    for one in np.unique(crossing[both]):
        here = both & (crossing == one)
        mean = float(more[here].mean())
        if abs(mean) >= SURE:
            here &= np.isin(owners, (a, b))
            owners[here] = a if mean > 0 else b
            nearest_there[here] = depths[0 if mean > 0 else 1][here]


def finger_ids(face: Int[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Return which finger of the rig each visible face belongs to, int8 [h, w].

    0 thumb … 4 little finger, ``PALM``, −1 for none (``face`` < 0).
    """
    rig, of_bone = load_rig(), np.full(20, PALM, np.int8)
    for finger, bones in enumerate(FINGER_BONES):
        of_bone[list(bones)] = finger
    return np.where(face >= 0, of_bone[rig.part_ids][rig.faces[:, 0]][face], np.int8(-1))


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
