"""Training pictures for the proposal network: windows of all scales around hands, and windows without any.

Everything random comes from the generator given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.world.places import draw_place
from handwright.training.streams.degradations import corrupted
from handwright.training.streams.whole_pictures import LabelledPicture

SHARES = {"generated": 0.35, "photograph": 0.3, "defects": 0.2, "hands": 0.05, "people": 0.1}
"""How often a window shows each kind of picture, where there are any."""

_STRIDE = 8  # Pixels a cell of what is counted

HAND_FREE = 0.22  # Share of windows without a hand


@dataclass(frozen=True, kw_only=True)
class WindowParams:
    """How windows are cut and worn. All values are chosen by eye; sizes of a hand are sides of its box."""

    smallest: float = 0.12  # Least size of a hand, in sides of the window
    largest: float = 1.3  # Greatest size of a hand that fills the window, in sides of the window
    filling_share: float = 0.3  # Share of windows with such a hand
    collage_share: float = 0.3  # Share of windows with a small hand on which further pictures are laid
    hidden_share: float = 0.15  # Share of hands of which a part is painted over
    degraded_share: float = 0.45  # Share of windows that are blurred, noisy, coded or coarse
    most_enlarged: float = 3.0  # Pictures are enlarged at most so many times
    least_findable: float = 0.07  # Smaller hands, in sides of the window, count neither as hand nor as none
    most_findable: float = 1.6  # Larger ones likewise
    least_inside: float = 0.5  # Share of its landmarks that must lie in the window for a hand to count
    most_covered: float = 0.2  # Share of its landmarks that another picture may cover
    backdrops: int = 48  # Rendered places without hands
    backdrop_seed: int = 7  # Of these
    # Radius of the disc around a hand that counts neither way, in sizes of the hand
    uncounted_radius: float = 0.7
    clearance: float = 0.15  # Distance that a picture without hands keeps from a hand, in sizes of the hand
    tries: int = 12  # Attempts to find such a picture before a backdrop is taken


PARAMS = WindowParams()  # What the shipped proposal network was trained with


@dataclass(frozen=True, eq=False)
class Window:
    """A square picture with what is known of it."""

    pixels: UInt8[np.ndarray, "s s 3"]  # uint8 [S, S, 3]
    hands: Float[np.ndarray, "n 21 2"]  # float32 [N, 21, 2] of the hands to be found, in its pixels
    directed: Bool[np.ndarray, "n"]  # , where they point is known
    counted: Bool[np.ndarray, "c c"]  # , there is no other hand here


class WindowStream:
    """Draws training windows.

    Args:
        pictures: Where to draw from.
        size_px: Side of the windows.
    """

    def __init__(self, pictures: Sequence[LabelledPicture], size_px: int) -> None:
        self.size_px = size_px
        kinds = sorted({p.kind for p in pictures if p.seen.any()})
        self.pools = [[p for p in pictures if p.kind == kind and p.seen.any()] for kind in kinds]
        shares = np.array([SHARES.get(kind, 0.1) for kind in kinds])
        self.shares = shares / shares.sum()
        known = [[p for p in pictures if p.kind == kind and p.complete] for kind in kinds]
        self.known = [pool for pool in known if pool]
        rng = np.random.default_rng(PARAMS.backdrop_seed)
        places = (draw_place(rng, 192).linear for _ in range(PARAMS.backdrops))
        self.backdrops = [(np.clip(p, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8) for p in places]

    def draw(self, rng: np.random.Generator) -> Window:
        """One window."""
        if rng.random() < HAND_FREE:
            everywhere = np.ones((self.size_px // _STRIDE,) * 2, np.bool_)
            pixels = relit(rng, self.hand_free(rng))
            return Window(pixels, np.zeros((0, 21, 2), np.float32), np.zeros(0, np.bool_), everywhere)
        return self._with_hand(rng)

    def hand_free(self, rng: np.random.Generator) -> UInt8[np.ndarray, "s s 3"]:
        """Part of a picture away from all of its hands, or a backdrop."""
        for _ in range(PARAMS.tries if self.known and rng.random() < 0.8 else 0):
            pool = self.known[int(rng.integers(len(self.known)))]
            picture = pool[int(rng.integers(len(pool)))]
            cut = hand_free_cut(rng, picture)
            if cut is not None:
                return self._filled(rng, cut)
        return self._filled(rng, self.backdrops[int(rng.integers(len(self.backdrops)))])

    def _filled(self, rng: np.random.Generator, cut: UInt8[np.ndarray, "h w 3"]) -> np.ndarray:
        size = (self.size_px, self.size_px)
        how = cv2.INTER_AREA if cut.shape[0] > self.size_px else cv2.INTER_LINEAR
        turned = np.rot90(cut, int(rng.integers(4)) if rng.random() < 0.3 else 0)
        turned = turned[:, ::-1] if rng.random() < 0.5 else turned
        return cv2.resize(np.ascontiguousarray(turned), size, interpolation=how)

    def _picture(self, rng: np.random.Generator) -> tuple[LabelledPicture, int]:
        """A picture and one of the hands that are seen in it."""
        pool = self.pools[int(rng.choice(len(self.pools), p=self.shares))]
        picture = pool[int(rng.integers(len(pool)))]
        return picture, int(rng.choice(np.flatnonzero(picture.seen)))

    def _with_hand(self, rng: np.random.Generator) -> Window:
        filling = rng.random() < PARAMS.filling_share
        share = (
            rng.uniform(0.8, PARAMS.largest) if filling else np.exp(rng.uniform(np.log(PARAMS.smallest), 0))
        )
        more = int(rng.integers(1, 4)) if share < 0.45 and rng.random() < PARAMS.collage_share else 0
        collage = _Collage(self._canvas(rng))
        for _ in range(more):
            small = float(np.exp(rng.uniform(np.log(PARAMS.smallest), np.log(0.4))))
            if rng.random() < 0.5:
                collage.paste(*self._picture(rng), small, rng)
            else:
                collage.paste_hand_free(self.hand_free(rng), small, rng)
        collage.paste(*self._picture(rng), float(share), rng)
        return collage.finished(rng)

    def _canvas(self, rng: np.random.Generator) -> UInt8[np.ndarray, "s s 3"]:
        """What shows where no picture lies."""
        if rng.random() < 0.6:
            return self.hand_free(rng)
        colour = np.zeros(3) if rng.random() < 0.5 else rng.uniform(0, 255, 3)
        return np.full((self.size_px, self.size_px, 3), colour, np.uint8)


class _Collage:
    """Pictures laid over one another, with the hands that stay."""

    def __init__(self, canvas: UInt8[np.ndarray, "s s 3"]) -> None:
        self.pixels, side = canvas.copy(), canvas.shape[0] // _STRIDE
        self.counted = np.ones((side, side), np.uint8)
        self.hands, self.directed = list[np.ndarray](), list[bool]()

    def paste(self, picture: LabelledPicture, which: int, share: float, rng: np.random.Generator) -> None:
        """Lay a picture down so that one of its hands takes that share of the window's side."""
        matrix = _placement(rng, picture, which, share, self.pixels.shape[0])
        height, width = picture.pixels.shape[:2]
        corners = _moved(matrix, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32))
        self._cover(corners)
        _warp(picture.pixels, matrix, self.pixels)
        quad = np.zeros_like(self.counted)
        cv2.fillConvexPoly(quad, np.round(corners / _STRIDE * 16).astype(np.int32), 1, shift=4)
        moved = _moved(matrix, picture.hands)
        if picture.complete:
            self.counted |= quad
        else:
            near = np.zeros_like(self.counted)
            for points in moved:
                self._disc(near, points, 1)
            self.counted = np.where(quad > 0, near, self.counted)
        for points, directed, seen in zip(moved, picture.directed, picture.seen, strict=True):
            self._take(points, bool(directed), bool(seen))

    def paste_hand_free(
        self, pixels: UInt8[np.ndarray, "s s 3"], share: float, rng: np.random.Generator
    ) -> None:
        """Lay a picture without hands down, as large as one with a hand, so that no frame betrays a hand."""
        side = round(pixels.shape[0] * min(0.8, 1.8 * share))
        x, y = (int(v) for v in rng.integers(0, pixels.shape[0] - side + 1, 2))
        corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float32)
        self._cover(corners)
        self.pixels[y : y + side, x : x + side] = cv2.resize(
            pixels, (side, side), interpolation=cv2.INTER_AREA
        )

    def _take(self, points: Float[np.ndarray, "21 2"], directed: bool, seen: bool) -> None:
        """Count a hand as one to be found, or, where too little of it is there, as neither hand nor none."""
        size = self.pixels.shape[0]
        inside = float(((points >= 0) & (points < size)).all(1).mean())
        extent = float(np.ptp(points, axis=0).max()) / size
        if seen and inside >= PARAMS.least_inside and PARAMS.least_findable <= extent <= PARAMS.most_findable:
            self.hands.append(points)
            self.directed.append(directed)
        elif inside > 0:
            self._disc(self.counted, points, 0)

    def _cover(self, corners: Float[np.ndarray, "4 2"]) -> None:
        """Forget the hands that a picture with these corners will hide."""
        for k in range(len(self.hands) - 1, -1, -1):
            under = [
                cv2.pointPolygonTest(corners, (float(x), float(y)), False) >= 0 for x, y in self.hands[k]
            ]
            if np.mean(under) > PARAMS.most_covered:
                self._disc(self.counted, self.hands.pop(k), 0)
                self.directed.pop(k)

    def _disc(self, onto: UInt8[np.ndarray, "c c"], points: Float[np.ndarray, "21 2"], value: int) -> None:
        low, high = points.min(0) / _STRIDE, points.max(0) / _STRIDE
        x, y = (low + high) / 2
        radius = max(1.0, PARAMS.uncounted_radius * float((high - low).max()))
        cv2.circle(onto, (round(float(x)), round(float(y))), round(radius), value, -1)

    def finished(self, rng: np.random.Generator) -> Window:
        """The window, relit and worn."""
        for points in self.hands:
            if rng.random() < PARAMS.hidden_share:
                _hide_part(rng, self.pixels, points)
        hands = np.array(self.hands, np.float32).reshape(-1, 21, 2)
        return Window(
            relit(rng, self.pixels), hands, np.array(self.directed, np.bool_), self.counted.astype(np.bool_)
        )


def hand_free_cut(
    rng: np.random.Generator, picture: LabelledPicture, least: float = 0.25, tries: int = 6
) -> UInt8[np.ndarray, "h h 3"] | None:
    """A square part of a picture without any of its hands; None if none was found.

    Args:
        rng: Which one.
        picture: A complete one.
        least: Smallest side in shorter sides of the picture; the largest is the whole shorter side.
        tries: Places to look at.
    """
    height, width = picture.pixels.shape[:2]
    for _ in range(tries):
        side = round(min(height, width) * float(rng.uniform(least, 1)))
        x, y = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        if not any(_touches(points, x, y, side) for points in picture.hands):
            return picture.pixels[y : y + side, x : x + side]
    return None


def _touches(points: Float[np.ndarray, "21 2"], x: int, y: int, side: int) -> bool:
    edge = PARAMS.clearance * float(np.ptp(points, axis=0).max()) + 2
    low, high = np.array([x, y]) - edge, np.array([x, y]) + side + edge
    return bool(((points >= low) & (points <= high)).all(1).any())


def relit(rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """Another exposure, contrast, white balance and saturation; now and then grey, blurred, noisy, coded."""
    gain = np.exp(rng.normal(0, 0.22) + rng.normal(0, 0.1, 3)).astype(np.float32)
    middle = 128 * float(np.exp(rng.normal(0, 0.15)))
    contrast = float(np.exp(rng.normal(0, 0.15)))
    lut = np.clip((np.arange(256)[:, None] * gain - middle) * contrast + middle, 0, 255).astype(np.uint8)
    lit = cv2.LUT(pixels, np.ascontiguousarray(lut[None]))
    saturation = 0.0 if rng.random() < 0.1 else float(np.exp(rng.normal(0, 0.25)))
    if abs(saturation - 1) > 0.15:
        grey = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        lit = cv2.addWeighted(lit, saturation, grey, 1 - saturation, 0)
    if rng.random() < 0.08:
        lit = np.ascontiguousarray(lit[..., rng.permutation(3)])
    if rng.random() < PARAMS.degraded_share:
        kind = str(rng.choice(("blur", "noise", "jpeg", "coarse")))
        lit = corrupted(rng, lit, kind, float(rng.random() ** 1.5 * 0.8))
    return lit


def _placement(
    rng: np.random.Generator, picture: LabelledPicture, which: int, share: float, size: int
) -> Float[np.ndarray, "2 3"]:
    """From the picture's pixels to the window's."""
    points = picture.hands[which]
    low, high = points.min(0), points.max(0)
    scale = min(share * size / max(float((high - low).max()), 1.0), PARAMS.most_enlarged)
    turn, how = float(rng.normal(0, 0.25)), rng.random()
    turn += float(rng.uniform(-np.pi, np.pi)) if how < 0.3 else 0.0
    turn += float(rng.integers(4)) * np.pi / 2 if how > 0.85 else 0.0
    stretch = np.exp(rng.normal(0, 0.07))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    c, s = np.cos(turn), np.sin(turn)
    linear = scale * np.array([[c, -s], [s, c]]) @ np.diag([flip * stretch, 1 / stretch])
    edge = 0.5 - 0.22 if share >= 0.8 else min(0.43 * share, 0.5) * (0.3 if rng.random() < 0.2 else 1.0)
    move = rng.uniform(edge, 1 - edge, 2) * size - linear @ ((low + high) / 2)
    matrix = np.column_stack([linear, move])
    if rng.random() < 0.75:
        height, width = picture.pixels.shape[:2]
        corners = _moved(matrix, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32))
        least, most = corners.min(0), corners.max(0)
        fits = most - least >= size
        matrix[:, 2] += np.where(fits, np.minimum(0, -least) + np.maximum(0, size - most), 0)
    return matrix


def _moved(matrix: Float[np.ndarray, "2 3"], points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def _warp(
    source: UInt8[np.ndarray, "h w 3"], matrix: Float[np.ndarray, "2 3"], onto: UInt8[np.ndarray, "s s 3"]
) -> None:
    """Lay a picture onto another, shrunk without aliasing."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    matrix = matrix.copy()
    if scale < 0.7:
        factor = min(1.0, 1.3 * scale)
        height, width = source.shape[:2]
        size = max(1, round(width * factor)), max(1, round(height * factor))
        source = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        matrix[:, :2] = matrix[:, :2] @ np.diag([width / size[0], height / size[1]])
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    side = onto.shape[0]
    cv2.warpAffine(
        source, matrix, (side, side), dst=onto, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )


def _hide_part(
    rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"], points: Float[np.ndarray, "21 2"]
) -> None:
    """Paint over up to a third of a hand's box, in place."""
    size = pixels.shape[0]
    low, high = points.min(0), points.max(0)
    part = (high - low) * rng.uniform(0.2, 0.55, 2)
    corner = low + (high - low - part) * rng.random(2)
    x0, y0 = np.clip(np.round(corner), 0, size).astype(int)
    x1, y1 = np.clip(np.round(corner + part), 0, size).astype(int)
    pixels[y0:y1, x0:x1] = rng.uniform(0, 255, 3).astype(np.uint8)
