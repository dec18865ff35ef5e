"""``--engine render``: the fitted hands and the person around them drawn by the renderer; no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from handwright.two_stage.engine import (
    GeneratedPicture,
    HeldThings,
    PoseRequest,
    StageOneHand,
    fit_hands,
    hands_of,
    on_canvas,
)
from handwright.types import Side, Window

if TYPE_CHECKING:
    from handwright.data.hands.objects import Thing


@dataclass(frozen=True)
class RenderEngine:
    """Fit and render; who is drawn and where follows the prompt's words as far as the renderer has them."""

    def make(self, request: PoseRequest) -> GeneratedPicture:
        """Make one picture; see ``Engine``."""
        from handwright.data.people.in_pose.held_things import are_held, held_things
        from handwright.data.people.in_pose.picture import picture_in_pose

        width, height, prompt = request.width, request.height, request.settings.prompt
        wanted: dict[Side, Thing] = {
            side: held.thing for side, held in held_things(prompt, request.seed).items()
        }
        shared = any(thing.in_both_hands for thing in wanted.values())
        fits = fit_hands(request.completed, width, height, request.body)
        things = are_held(wanted, hands_of(fits))
        notes = _left_out(wanted, things)
        drawn = picture_in_pose(
            request.completed.pose,
            hands_of(fits),
            width,
            height,
            prompt,
            np.random.default_rng([request.seed, 30]),
            things,
        )
        mask = np.zeros((height, width), np.bool_)
        for shown in drawn.hands.values():
            mask |= shown
        hands: list[StageOneHand] = []
        for side in request.completed.hands:
            x0, y0, x1, y1 = window = _window(fits[side].landmarks_px, width, height)
            hands.append(StageOneHand((side,), window, drawn.pixels[y0:y1, x0:x1]))
        canvas = on_canvas(drawn.pixels, mask)
        held = HeldThings(drawn.pixels, drawn.things, shared) if drawn.things.any() else None
        return GeneratedPicture(
            drawn.pixels, canvas, mask, tuple(hands), words=drawn.words, notes=tuple(notes), held=held
        )


def _left_out(wanted: Mapping[Side, Thing], drawn: Mapping[Side, Thing]) -> list[str]:
    """A note on each thing that no hand holds."""
    return list(
        dict.fromkeys(
            f"{'both hands do' if thing.in_both_hands else f'the {side} hand does'} not close on "
            f"{thing.words}, which is left out"
            for side, thing in wanted.items()
            if side not in drawn and not (thing.in_both_hands and drawn)
        )
    )


def _window(points_px: np.ndarray, width: int, height: int) -> Window:
    """A square of 1.6 times the hand, cut to the picture."""
    low, high = points_px.min(0), points_px.max(0)
    middle, half = (low + high) / 2, 0.8 * float((high - low).max())
    x0, y0 = np.clip(np.floor(middle - half), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(middle + half), [x0 + 1, y0 + 1], [width, height]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
