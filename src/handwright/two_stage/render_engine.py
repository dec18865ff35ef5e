"""``--engine render``: the fitted hands and the person around them drawn by the renderer; no network."""

from __future__ import annotations

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
        from handwright.data.people.in_pose.held_things import held_things, is_held
        from handwright.data.people.in_pose.picture import picture_in_pose

        width, height, prompt = request.width, request.height, request.settings.prompt
        fits = fit_hands(request.completed, width, height, request.body)
        wanted = {side: held.thing for side, held in held_things(prompt, request.seed).items()}
        things: dict[Side, Thing] = {
            side: thing for side, thing in wanted.items() if side in fits and is_held(thing, fits[side].hand)
        }
        notes = [
            f"the {side} hand does not close on {thing.words}, which is left out"
            for side, thing in wanted.items()
            if side not in things
        ]
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
        held = HeldThings(drawn.pixels, drawn.things) if drawn.things.any() else None
        return GeneratedPicture(
            drawn.pixels, canvas, mask, tuple(hands), words=drawn.words, notes=tuple(notes), held=held
        )


def _window(points_px: np.ndarray, width: int, height: int) -> Window:
    """A square of 1.6 times the hand, cut to the picture."""
    low, high = points_px.min(0), points_px.max(0)
    middle, half = (low + high) / 2, 0.8 * float((high - low).max())
    x0, y0 = np.clip(np.floor(middle - half), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(middle + half), [x0 + 1, y0 + 1], [width, height]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
