"""Painters by name."""

from __future__ import annotations

from functools import partial

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.inpainter import Inpainter, Inpainters
from handwright.handrefiner.painters import DrawPainter, Painter
from handwright.handrefiner.settings import DIFFUSING, PAINTERS, RefineSettings


def open_painter(settings: RefineSettings, inpainters: Inpainters) -> Painter:
    """The painter that the settings name; models are opened when it first paints.

    Raises:
        UsageError: There is none of that name.
    """
    if settings.painter == "draw":
        return DrawPainter()
    if settings.painter not in DIFFUSING:
        raise UsageError(
            f"there is no painter {settings.painter!r}", "", f"choose one of: {', '.join(PAINTERS)}"
        )
    from handwright.handrefiner.diffusing import DiffusePainter, HarmonisePainter

    diffusion = settings.diffusion or DiffusionSettings()
    kind = HarmonisePainter if settings.painter == "harmonise" else DiffusePainter
    network: partial[Inpainter] = partial(inpainters, diffusion)
    return kind(diffusion, network, settings.keep_intermediates)
