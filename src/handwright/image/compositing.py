"""Compositing of a painted patch into a picture: colours matched at the edge, a feathered mask, a blend."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

MIN_PIXELS = 24  # Fewest pixels of each band that colours are compared by (chosen by eye)
MIDLINE_WINDOW_PX = 5  # Side of the window in which a pixel of a mask's middle line lies deepest (by eye)
RIDGE = 0.02  # Damping of the slope of the colour difference, per pixel (chosen by eye)
SPREAD_PX = (24.0, 12.0, 6.0, 3.0)  # Sigmas, pixels, of the Gaussians that colours are averaged by (by eye)
SPREAD_LEAST = 0.25  # Share of known colours under a Gaussian from which it counts in full (chosen by eye)


def feathered_blend(
    background: UInt8[np.ndarray, "h w 3"],
    painted: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"],
    alpha: Float[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Blend a painted patch over a picture: round(background + alpha · (painted − background)).

    Args:
        background: uint8 [H, W, 3] sRGB.
        painted: [H, W, 3] in 0 … 255, uint8 or float; clipped. Where ``alpha`` is 0 it may hold anything.
        alpha: float [H, W]; clipped to 0 … 1, NaN counts as 0.

    Returns:
        uint8 [H, W, 3]; exactly the background where alpha is 0, exactly the rounded patch where it is 1.
    """
    weight = np.clip(np.nan_to_num(alpha, nan=0.0), 0.0, 1.0)
    blended = background.copy()
    touched = weight > 0.0
    below = background[touched].astype(np.float64)
    above = np.clip(painted[touched].astype(np.float64), 0.0, 255.0)
    blended[touched] = np.rint(below + weight[touched][:, None] * (above - below)).astype(np.uint8)
    return blended


def feather(inside: Bool[np.ndarray, "h w"], width_px: float) -> Float32[np.ndarray, "h w"]:
    """An alpha that rises smoothly from 0 outside a mask to 1 at ``width_px`` (0: at once) inside it."""
    if width_px <= 0.0:
        return inside.astype(np.float32)
    depth = _distance_to(~inside) if not inside.all() else np.full(inside.shape, np.inf, np.float32)
    return smoothstep(0, 1, depth / (width_px + 1.0)).astype(np.float32)


def depth_inside(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How far each pixel of a mask is from the nearest outside it, pixels; the picture's border is no end."""
    from scipy.ndimage import distance_transform_edt

    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(distance_transform_edt(mask), np.float64)


def well_inside(mask: Bool[np.ndarray, "h w"], depth_px: float) -> Bool[np.ndarray, "h w"]:
    """The pixels of a mask that lie deeper in it than a depth; of parts that are thinner, the deepest."""
    from scipy.ndimage import maximum_filter

    depth = depth_inside(mask)
    return (depth > depth_px) | (mask & (depth == maximum_filter(depth, MIDLINE_WINDOW_PX)))


def spread_colours(picture: np.ndarray, own: Bool[np.ndarray, "h w"]) -> np.ndarray:
    """A picture whose every pixel has the colour of the nearest that is surely of one thing.

    A network mixes what lies on both sides of an outline. Here colours from farther inside stand along it and
    beyond it.

    Args:
        picture: [h, w, 3] or [h, w], colours of any kind.
        own: bool [h, w], the pixels that are surely of the thing.

    Returns:
        The same shape and type; the picture itself where there are none.
    """
    from scipy.ndimage import distance_transform_edt

    if not own.any():
        return picture
    found: Any = distance_transform_edt(~own, return_distances=False, return_indices=True)
    return picture[found[0], found[1]]


def spread_smoothly(
    values: Float[np.ndarray, "h w 3"], own: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 3"]:
    """Averages of the colours of one thing, inside it and beyond it.

    Unlike with ``spread_colours`` no pixel's colour is drawn out into a stripe. Each pixel has the average of
    the known ones under a Gaussian around it (normalised convolution, Knutsson and Westin 1993): the
    narrowest of ``SPREAD_PX`` that knows enough of them counts most.

    Args:
        values: [h, w, 3], colours or differences of colours.
        own: bool [h, w], the pixels that are surely of the thing.

    Returns:
        float32, the same shape; ``values`` where there are none.
    """
    import cv2

    known, given = own.astype(np.float32), values.astype(np.float32)
    if not own.any():
        return given
    smooth = cv2.GaussianBlur(spread_colours(given, own), (0, 0), SPREAD_PX[0])
    for sigma in SPREAD_PX:
        share = cv2.GaussianBlur(known, (0, 0), sigma)[..., None]
        mean = cv2.GaussianBlur(given * known[..., None], (0, 0), sigma) / np.maximum(share, 1e-6)
        smooth += np.minimum(share / SPREAD_LEAST, 1) * (mean - smooth)
    return smooth


def match_colour_ramp(
    painted: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"],
    inside: Bool[np.ndarray, "h w"],
    same_material: Bool[np.ndarray, "h w"],
    *,
    band_px: float,
    reach_px: float,
    limit: float = 12.0,
) -> Float32[np.ndarray, "h w 3"]:
    """Shift a patch's colours so that it meets its surroundings without a step, fading out inwards.

    Where the same material (skin, say) lies on both sides of the mask's edge, the Lab colours in a band just
    outside and in a band just inside are compared. Their difference, an offset plus a ridge-damped slope
    across the picture, is added to the patch in full at that part of the edge and less and less further away.

    Args:
        painted: [H, W, 3] sRGB in 0 … 255, the patch.
        background: uint8 [H, W, 3] sRGB, the picture.
        inside: bool [H, W], where the patch is.
        same_material: bool [H, W], pixels of the picture (outside) and the patch (inside) to be compared.
        band_px: Width of each of the two bands.
        reach_px: Distance from the compared edge at which the shift has faded to nothing.
        limit: Largest shift of each of L, a and b (default chosen by eye).

    Returns:
        float32 [H, W, 3] in 0 … 255; ``painted`` unchanged where nothing can be compared, outside the mask,
        and beyond the reach.
    """
    patch = np.clip(painted, 0.0, 255.0).astype(np.float32)
    near = _distance_to(~inside) <= band_px if not inside.all() else np.zeros_like(inside)
    far = _distance_to(inside) <= band_px if inside.any() else np.zeros_like(inside)
    inner, outer = inside & near & same_material, ~inside & far & same_material
    inner &= _distance_to(outer) <= 2.0 * band_px if outer.any() else False
    if min(inner.sum(), outer.sum()) < MIN_PIXELS:
        return patch
    shift = _smooth_difference(lab_of(background), lab_of(patch), outer, inner)
    ramp = inside * smoothstep(0, 1, 1.0 - _distance_to(inner) / max(reach_px, 1e-6))
    moved = rgb_of(lab_of(patch) + ramp[..., None] * np.clip(shift, -limit, limit))
    return np.where(ramp[..., None] > 0.0, moved, patch)


def _smooth_difference(
    outside_lab: Float32[np.ndarray, "h w 3"],
    inside_lab: Float32[np.ndarray, "h w 3"],
    outer: Bool[np.ndarray, "h w"],
    inner: Bool[np.ndarray, "h w"],
) -> Float32[np.ndarray, "h w 3"]:
    """Return the plane fitted to the outer band minus the plane fitted to the inner one, over the picture."""
    ys, xs = np.nonzero(outer | inner)
    centre, scale = np.array([xs.mean(), ys.mean()]), max(float(np.ptp(xs)), float(np.ptp(ys)), 1.0) / 2.0
    side = np.where(outer[ys, xs], 1.0, 0.0)
    place = np.stack([(xs - centre[0]) / scale, (ys - centre[1]) / scale], axis=1)
    # The first plane is common to both bands: the material's own gradient. The second is the difference.
    terms = np.column_stack([np.ones(len(xs)), place, side, side[:, None] * place])
    colours = np.where(outer[ys, xs][:, None], outside_lab[ys, xs], inside_lab[ys, xs]).astype(np.float64)
    damping = np.diag([0.0, 0.0, 0.0, 0.0, 1.0, 1.0]) * (RIDGE * len(xs))
    solution = np.linalg.solve(terms.T @ terms + damping + 1e-9 * np.eye(6), terms.T @ colours)[3:]
    grid_y, grid_x = np.mgrid[: inner.shape[0], : inner.shape[1]]
    across = np.clip((grid_x - centre[0]) / scale, -1.0, 1.0)[..., None] * solution[1]
    down = np.clip((grid_y - centre[1]) / scale, -1.0, 1.0)[..., None] * solution[2]
    return (solution[0] + across + down).astype(np.float32)


def _distance_to(mask: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return the distance in pixels from each pixel to the nearest True one; 0 on it."""
    import cv2

    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def smoothstep(low: float, high: float, x: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Cubic ramp from 0 at ``low`` to 1 at ``high``, of the same type."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lab_of(rgb: np.ndarray) -> Float32[np.ndarray, "h w 3"]:
    """CIELAB of sRGB in 0 … 255: L in 0 … 100, a and b about 0."""
    import cv2

    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab), np.float32)


def rgb_of(lab: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Colours of CIELAB in sRGB, 0 … 255, clipped to what it can show."""
    import cv2

    return np.clip(np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.float32) * 255.0, 0.0, 255.0)
