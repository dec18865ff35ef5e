"""Drawing: a fitted hand painted into a photograph without a network.

Read ``painter`` first: ``draw_hand`` calls the folders in the order in which they are listed here.

- ``geometry``: what the fitted mesh covers, where its wrist meets the arm, and which layer owns which pixel.
- ``skin``: the colour of every visible surface point: baked skin, the picture's light, the old hand's tone.
- ``fill``: background for the pixels that the old hand covered and the new one does not.
- ``photo``: what the camera adds: sharpness and grain.
- ``params``: every number of these in one value.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwright.drawing.painter import DrawResult, draw_hand
    from handwright.drawing.params import DrawParams

__all__ = ["DrawParams", "DrawResult", "draw_hand"]

_HOME = {"DrawParams": "params", "DrawResult": "painter", "draw_hand": "painter"}


def __getattr__(name: str) -> object:
    """Import a name when it is first used: compiled kernels take a second."""
    if name not in _HOME:
        raise AttributeError(f"module 'handwright.drawing' has no attribute {name!r}")
    return getattr(import_module(f"handwright.drawing.{_HOME[name]}"), name)
