"""Painters: a picture with fitted hands in, a crop with those hands painted out (SPEC §1).

Reading order: ``contract`` (what a painter is given and returns), ``draw``, ``diffusing``, ``ahead`` (in
batches), ``own_painter`` (a user's).
"""

from __future__ import annotations

from collections.abc import Callable

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintNetwork
from handwright.options import DIFFUSING
from handwright.refine.painters.ahead import BatchingPainter
from handwright.refine.painters.contract import HandPainter, Painter, PaintJob, PaintResult
from handwright.refine.painters.draw import DrawPainter
from handwright.refine.settings import RefineSettings

__all__ = [
    "BatchingPainter",
    "DrawPainter",
    "HandPainter",
    "PaintJob",
    "PaintResult",
    "Painter",
    "open_painter",
]


def open_painter(
    settings: RefineSettings, network: Callable[[], InpaintNetwork], own: Painter | None = None
) -> Painter:
    """The painter that the settings name; its network is opened when it first paints.

    Args:
        settings: Of the refinement.
        network: Opens the network of the diffusing painters.
        own: The user's painter, where the settings name none of the package's.

    Raises:
        UsageError: The settings name a painter of the user's, and there is none.
    """
    if settings.painter == "draw":
        return DrawPainter()
    if settings.painter not in DIFFUSING:
        if own is None:
            raise UsageError(f"`painter` {settings.painter} is not open", "", "open the engine with it")
        return own
    from handwright.refine.painters.diffusing import DiffusePainter, HarmonisePainter

    diffusion = settings.diffusion or DiffusionSettings()
    kind = HarmonisePainter if settings.painter == "harmonise" else DiffusePainter
    painter = kind(diffusion, network, settings.keep_intermediates)
    return painter if diffusion.batch == 1 else BatchingPainter(painter, diffusion.batch)
