"""The proposal network: a picture's views, and from its maps hands of any shape, malformed ones too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.models.onnx_session import open_session
from handwright.review.critic.upright_crops import OrientedSquare


@dataclass(frozen=True, kw_only=True)
class ProposalParams:
    """How a picture is tiled, and which of its proposals are kept; chosen by eye."""

    max_distance: float = 0.4  # Distance of two proposals of one hand, as a share of the larger one's size
    max_proposals: int = 16  # Most proposals of one view
    tiled_from: float = 2.0  # Longer side of a picture in sides of a view, from which on it is tiled as well
    tile: float = 0.6  # Side of a tile as a share of the picture's longer side
    # Hand size as a share of the tile's side, up to which a tile's proposal counts: the whole picture shows
    # larger ones better
    max_size_in_tile: float = 0.5
    max_cut: float = 0.1  # Share of a hand's size that a tile's border may cut off


PARAMS = ProposalParams()


@dataclass(frozen=True)
class Proposal:
    """A place where the network takes a hand to be."""

    region: OrientedSquare  # The hand
    score: float  # In [0, 1]


@dataclass(frozen=True)
class View:
    """A square part of a picture, the network's input."""

    # (x, y) of its upper left corner in the picture; negative where there is a margin
    corner_px: tuple[float, float]
    side_px: float  # Its side in pixels of the picture
    box_px: tuple[int, int, int, int]  # x0, y0, x1, y1 of the part of the picture in it


def views(width: int, height: int, size_px: int) -> list[View]:
    """The whole picture, and of a large one four overlapping parts."""
    side = max(width, height)
    whole = View(((width - side) / 2, (height - side) / 2), float(side), (0, 0, width, height))
    if side <= PARAMS.tiled_from * size_px:
        return [whole]
    tile = math.ceil(PARAMS.tile * side)
    across, down = ([0] if n <= tile else [0, n - tile] for n in (width, height))
    parts = [(x, y, min(x + tile, width), min(y + tile, height)) for y in down for x in across]
    return [whole, *(View((float(box[0]), float(box[1])), float(tile), box) for box in parts)]


def view_input(pixels: UInt8[np.ndarray, "h w 3"], view: View, size_px: int) -> Float[np.ndarray, "3 s s"]:
    """A view as the network's input: float32 [3, S, S] in [-1, 1], black where there is no picture."""
    x0, y0, x1, y1 = view.box_px
    scale = size_px / view.side_px
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = cv2.resize(pixels[y0:y1, x0:x1], size, interpolation=how)
    canvas = np.zeros((size_px, size_px, 3), np.uint8)
    left, top = round((x0 - view.corner_px[0]) * scale), round((y0 - view.corner_px[1]) * scale)
    left, top = min(left, size_px - size[0]), min(top, size_px - size[1])
    canvas[top : top + size[1], left : left + size[0]] = shown
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)).astype(np.float32) / 127.5 - 1.0


def decode(maps: Mapping[str, np.ndarray], size_px: int, least: float) -> list[Proposal]:
    """The hands in a view's maps, in pixels of the view, best first."""
    heat = maps["heat"].astype(np.float64)
    peak = heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))
    scores = 1 / (1 + np.exp(-heat))
    rows, columns = np.nonzero(peak & (scores >= least))
    stride = size_px / heat.shape[0]
    found: list[Proposal] = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        dx, dy = maps["offset"][:, row, column]
        cos, sin = maps["direction"][:, row, column]
        center = (float(column + 0.5 + dx) * stride, float(row + 0.5 + dy) * stride)
        size = math.exp(min(1.0, float(maps["log_size"][row, column]))) * size_px
        found.append(Proposal(OrientedSquare(center, size, math.atan2(sin, cos)), float(scores[row, column])))
    return distinct(found)[: PARAMS.max_proposals]


def in_picture(proposal: Proposal, view: View, size_px: int) -> Proposal:
    """A view's proposal in pixels of the picture."""
    scale = view.side_px / size_px
    x, y = proposal.region.center_px
    center = (view.corner_px[0] + x * scale, view.corner_px[1] + y * scale)
    return Proposal(
        OrientedSquare(center, proposal.region.size_px * scale, proposal.region.toward_rad), proposal.score
    )


def lies_within(found: Proposal, view: View, width: int, height: int) -> bool:
    """Whether a tile shows a hand small and whole enough; the whole picture shows all others better."""
    size = found.region.size_px
    if size > PARAMS.max_size_in_tile * view.side_px:
        return False
    reach = (0.5 - PARAMS.max_cut) * size
    sides = zip(view.box_px, (0, 0, width, height), (*found.region.center_px,) * 2, strict=True)
    return all(edge == border or abs(at - edge) >= reach for edge, border, at in sides)


def distinct(found: Iterable[Proposal]) -> list[Proposal]:
    """Each hand once, by its best proposal; best first."""
    kept: list[Proposal] = []
    for one in sorted(found, key=lambda proposal: -proposal.score):
        if not any(same_place(one.region, other.region) for other in kept):
            kept.append(one)
    return kept


def finds(found: OrientedSquare, true: OrientedSquare) -> bool:
    """Whether a square is a true hand's: centred within half its size, and its size within a factor of 2."""
    away = math.dist(found.center_px, true.center_px)
    return away <= true.size_px / 2 and 0.5 <= found.size_px / true.size_px <= 2


def same_place(a: OrientedSquare, b: OrientedSquare) -> bool:
    """Whether two squares are of one hand by their distance."""
    return math.dist(a.center_px, b.center_px) < PARAMS.max_distance * max(a.size_px, b.size_px)


PACKAGED = Path(__file__).parents[2] / "weights" / "proposals"

FILE = "proposals.onnx"
MAPS = ("heat", "log_size", "direction", "offset")


@dataclass(frozen=True, eq=False)
class Proposer:
    """A proposal network, loaded."""

    session: Any  # ONNX Runtime's
    size_px: int  # Side of its input
    threshold: float  # Score from which on a proposal counts
    sure: float  # Score from which on it is a hand unless the critic rules it out

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> Proposer:
        """The network of a folder's ``proposals.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged.
        """
        session, metadata = open_session(folder / FILE)
        try:
            return cls(session, int(metadata["size_px"]), float(metadata["limit"]), float(metadata["sure"]))
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
