"""The learnt finish: what of the old hand stays, and what a drawn hand lacks beside a photograph.

A small network (``training.networks.finish``) sees the old hand and the drawn one. It gives for every pixel
which share of the old one stays, and what to add to the drawn colours.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.drawing.painter import DrawResult
from handwright.drawing.photo.finish_planes import FinishSquare, cut_planes, finish_inputs
from handwright.errors import MissingModelError
from handwright.perception.models.onnx_session import open_session

PACKAGED = Path(__file__).parents[2] / "weights" / "finish"
FILE = "finish.onnx"


@functools.cache
def open_finish() -> LearntFinish | None:
    """The packaged finish, loaded once; None where no weights are installed."""
    return LearntFinish.load() if (PACKAGED / FILE).is_file() else None


@dataclass(frozen=True, eq=False)
class LearntFinish:
    """The finishing network, loaded."""

    session: Any  # Of ONNX Runtime

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> LearntFinish:
        """The network of a folder's ``finish.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged.
        """
        session, _ = open_session(folder / FILE)
        wanted, given = {"kept", "change"}, {output.name for output in session.get_outputs()}
        if not wanted <= given:
            why = f"it has {', '.join(sorted(given))}"
            raise MissingModelError(f"{folder / FILE} is no finish", why, "install handwright again")
        return cls(session)

    def apply(self, crop: UInt8[np.ndarray, "h w 3"], drawn: DrawResult) -> DrawResult:
        """The drawn crop, finished; what changes no pixel of the old one does not count as painted."""
        if not drawn.painted.any():
            return drawn
        square = FinishSquare.around(drawn.painted)
        planes = cut_planes(finish_inputs(crop, drawn), square)
        batch = np.ascontiguousarray(planes.transpose(2, 0, 1)[None], np.float32)
        parts = self.session.run(["kept", "change"], {"planes": batch})
        kept, change = (
            square.back(np.ascontiguousarray(np.asarray(part)[0].transpose(1, 2, 0)), crop.shape[:2])
            for part in parts
        )
        kept = kept.reshape(*crop.shape[:2], 1)
        new = drawn.pixels + np.float32(127.5) * change
        mixed = np.clip(np.rint(kept * crop + (1 - kept) * new), 0, 255).astype(np.uint8)
        pixels = np.where(drawn.painted[..., None], mixed, crop)
        return replace(drawn, pixels=pixels, painted=(pixels != crop).any(-1))
