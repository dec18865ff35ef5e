"""The proposal network: finds hands of any shape, size and crop, malformed ones included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.errors import MissingModelError
from handwright.perception.models.onnx_session import open_session
from handwright.review.proposals.maps import (
    Proposal,
    decode,
    distinct,
    in_picture,
    lies_within,
    view_input,
    views,
)

PACKAGED = Path(__file__).parents[2] / "weights" / "proposals"

FILE = "proposals.onnx"
MAPS = ("heat", "log_size", "direction", "offset")


@dataclass(frozen=True, eq=False)
class Proposer:
    """A proposal network, loaded."""

    session: Any  # ONNX Runtime's
    size_px: int  # Side of its input
    threshold: float  # Score from which on a proposal counts

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> Proposer:
        """The network of a folder's ``proposals.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged.
        """
        session, metadata = open_session(folder / FILE)
        try:
            return cls(session, int(metadata["size_px"]), float(metadata["limit"]))
        except (KeyError, ValueError) as error:
            raise MissingModelError(
                f"{folder / FILE} is no proposal network", str(error), "install handwright again"
            ) from error

    def propose(self, pixels: UInt8[np.ndarray, "h w 3"], least: float | None = None) -> list[Proposal]:
        """Hands of a picture, best first."""
        height, width = pixels.shape[:2]
        found: list[Proposal] = []
        for number, view in enumerate(views(width, height, self.size_px)):
            pictures = view_input(pixels, view, self.size_px)[None]
            outputs = self.session.run(list(MAPS), {"pictures": pictures})
            maps = {name: np.asarray(output)[0] for name, output in zip(MAPS, outputs, strict=True)}
            for one in decode(maps, self.size_px, self.threshold if least is None else least):
                placed = in_picture(one, view, self.size_px)
                if number == 0 or lies_within(placed, view, width, height):
                    found.append(placed)
        return distinct(found)


def open_proposer(folder: Path = PACKAGED) -> Proposer | None:
    """The proposal network of a folder, or None where there is none.

    Raises:
        MissingModelError: The folder is there but incomplete or damaged.
    """
    return Proposer.load(folder) if folder.is_dir() else None
