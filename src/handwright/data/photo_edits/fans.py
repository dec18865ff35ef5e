"""Edits of the fan of fingers as a whole: a sector of it is copied or left out.

Around the point where the fingers' lines meet, every finger fills a sector. Copying one sector gives a finger
too many, leaving one out a finger too few, leaving out the gap between two a fused pair; all others grow a
little narrower or wider to make up for it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.data.photo_edits.canvas import Canvas, from_polar, grid, new_canvas, polar, sample
from handwright.data.photo_edits.hand_crop import HandCrop
from handwright.data.photo_edits.moves import EditedHand, EditTask, NotEditable
from handwright.data.shapes import Vector2
from handwright.image.compositing import smoothstep

_REACH = np.deg2rad(34)
_SEAM = 0.16
_RISE = (0.86, 1.16)
_FALL = (1.06, 1.5)
_WIDE_SEAM = 0.9
_LEAST_ORDER = np.deg2rad(4)


@dataclass(frozen=True, eq=False)
class Fan:
    """The four long fingers as sectors."""

    center: Vector2  # Where their lines meet
    ahead: Vector2  # Unit vector towards the knuckles
    angles: Float[np.ndarray, "4"]  # float64 [4] of each finger, ascending; radians
    halves: Float[np.ndarray, "4"]  # float64 [4] half the angle that each fills
    numbers: tuple[int, ...]  # Which finger each is
    knuckles: float  # Distance from the centre to the knuckles
    tips: Float[np.ndarray, "4"]  # float64 [4] distance to each tip


def fan_of(crop: HandCrop) -> Fan:
    """The fan of an open hand whose fingers are all free; else it cannot be edited."""
    if not set(crop.free) >= {1, 2, 3, 4}:
        raise NotEditable
    chains = np.array([crop.fingers[k].chain for k in range(1, 5)])
    roots = chains[:, 0].mean(0)
    ahead = (chains[:, 3] - chains[:, 0]).sum(0)
    ahead /= np.hypot(*ahead)
    center = roots - ahead * float(np.clip(_meeting(chains, roots, ahead), 0.9, 2.5)) * crop.span
    _, angle = polar(chains[:, 1:].astype(np.float32), center, ahead)
    angles = angle.astype(np.float64).mean(1)
    order = np.argsort(angles)
    distance = np.linalg.norm(chains[:, 2] - center, axis=1)
    halves = np.array([crop.fingers[k].radius for k in range(1, 5)]) / distance
    in_order = list(order) in ([0, 1, 2, 3], [3, 2, 1, 0])
    if not in_order or np.diff(angles[order]).min() < _LEAST_ORDER:
        raise NotEditable
    knuckles = float(np.linalg.norm(chains[:, 0] - center, axis=1).mean())
    tips = np.linalg.norm(chains[:, 3] - center, axis=1)
    return Fan(
        center, ahead, angles[order], halves[order], tuple(int(k) + 1 for k in order), knuckles, tips[order]
    )


def jump(
    canvas: Canvas,
    fan: Fan,
    at: float,
    left: float,
    right: float,
    *,
    wrong: tuple[float, float] | None,
    slide: Callable[[np.ndarray], np.ndarray | float] = lambda radius: 0.0,
) -> None:
    """Resample the fan with a jump in its angle, from ``left`` to ``right`` at ``at``.

    The left side reaches up to the angle ``left`` of the source, the right one starts at ``right``; ``wrong``
    are the first and last angle in the target of what is wrong now; ``slide`` moves the seam on by radius.
    """
    here = grid(canvas.crop.width)
    radius, angle = polar(here, fan.center, fan.ahead)
    amount = smoothstep(*_RISE, radius / fan.knuckles) * (1 - smoothstep(*_FALL, radius / fan.tips.max()))
    aside = slide(radius)
    at_angle, left_end, right_start = at + aside, left + aside, right + aside
    low, high = fan.angles[0] - _REACH, fan.angles[-1] + _REACH
    turned_left = np.where(angle < low, angle, low + (angle - low) * (left_end - low) / (at_angle - low))
    turned_right = np.where(
        angle > high, angle, high - (high - angle) * (high - right_start) / (high - at_angle)
    )
    pixels: list[np.ndarray] = []
    hands: list[np.ndarray] = []
    for source in (turned_left, turned_right):
        where = from_polar(radius, angle + amount * (source - angle), fan.center, fan.ahead)
        pixels.append(sample(canvas.pixels, where))
        hands.append(sample(canvas.hand, where))
    empty = smoothstep(0.3, 0.0, np.maximum(*hands))
    seam = (_SEAM + _WIDE_SEAM * empty) * float(fan.halves.mean())
    share = smoothstep(0, 1, (angle - at_angle) / (2 * seam) + 0.5)
    canvas.pixels = np.clip(pixels[0] * (1 - share[..., None]) + pixels[1] * share[..., None], 0, 255)
    canvas.hand = np.clip(hands[0] * (1 - share) + hands[1] * share, 0, 1)
    moved = (amount > 0.02) & (angle > low) & (angle < high)
    canvas.touched = np.maximum(canvas.touched, moved.astype(np.float32))
    if wrong is not None:
        canvas.mark(
            (angle > wrong[0]) & (angle < wrong[1]) & (canvas.hand > 0.5) & (radius > 0.95 * fan.knuckles)
        )


def sector(task: EditTask, *, twice: bool) -> EditedHand:
    """The sector of one finger copied or left out."""
    fan = fan_of(task.crop)
    k = int(task.rng.integers(4))
    low, high = _gaps(fan)[k : k + 2]
    canvas = new_canvas(task.crop)
    middle, half = (low + high) / 2, (high - low) * (1.0 if twice else 0.5)
    left, right = (high, low) if twice else (low, high)
    if task.sound:
        _shifted(task, canvas, fan, high)
    else:
        jump(canvas, fan, middle, left, right, wrong=(middle - half, middle + half))
    return EditedHand(canvas, (fan.numbers[k],))


def fused_closed(task: EditTask) -> EditedHand:
    """The gap between two fingers is left out: they become one broad finger."""
    fan = fan_of(task.crop)
    k = int(task.rng.integers(3))
    bite = task.rng.uniform(0.25, 0.5)
    low, high = fan.angles[k] + bite * fan.halves[k], fan.angles[k + 1] - bite * fan.halves[k + 1]
    if high - low > np.deg2rad(30):
        raise NotEditable
    canvas = new_canvas(task.crop)
    if task.sound:
        _shifted(task, canvas, fan, (low + high) / 2)
    else:
        half = fan.halves[k] * 2
        at = (low + high) / 2
        jump(canvas, fan, at, low, high, wrong=(at - half, at + half), slide=_whole_tip(fan, k, bite))
    return EditedHand(canvas, tuple(sorted((fan.numbers[k], fan.numbers[k + 1]))))


def _whole_tip(fan: Fan, k: int, bite: float) -> Callable[[np.ndarray], np.ndarray]:
    """Beyond the shorter finger's tip the seam leaves the longer finger whole."""
    first, second = fan.tips[k], fan.tips[k + 1]
    room = (1.5 - bite) * fan.halves[k] if first > second else -(1.5 - bite) * fan.halves[k + 1]
    at = min(first, second)
    return lambda radius: room * smoothstep(0.97 * at, 1.03 * at, radius)


def _gaps(fan: Fan) -> Float[np.ndarray, "5"]:
    """Middles of the gaps, those outside of the first and last finger included."""
    steps = np.diff(fan.angles)
    ends = [
        fan.angles[0] - max(0.6 * steps[0], 1.7 * fan.halves[0]),
        fan.angles[-1] + max(0.6 * steps[-1], 1.7 * fan.halves[-1]),
    ]
    return np.concatenate([ends[:1], fan.angles[:-1] + steps / 2, ends[1:]])


def _shifted(task: EditTask, canvas: Canvas, fan: Fan, at: float) -> None:
    """The control: resampled without a jump, all fingers a few degrees to one side."""
    shift = task.sign() * task.rng.uniform(0.3, 0.5) * float(np.diff(fan.angles).mean())
    jump(canvas, fan, at, at + shift, at + shift, wrong=None)


def _meeting(chains: np.ndarray, roots: np.ndarray, ahead: np.ndarray) -> float:
    """How far behind the knuckles the fingers' lines meet, in hand spans: from how their tips spread."""
    across = np.array([-ahead[1], ahead[0]])
    at_root = (chains[:, 0] - roots) @ across
    slope = ((chains[:, 3] - chains[:, 0]) @ across) / np.maximum((chains[:, 3] - chains[:, 0]) @ ahead, 1e-6)
    spread = float((at_root * slope).sum() / max((at_root**2).sum(), 1e-9))
    span = float(np.linalg.norm(chains[0, 0] - chains[-1, 0])) / 0.7
    return 1 / max(spread, 1e-6) / max(span, 1e-6)
