"""Painters by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.inpainter import Inpainter
from handwright.handrefiner.inpainters import Inpainters
from handwright.handrefiner.painters import DrawPainter, Painter
from handwright.handrefiner.settings import DIFFUSING, PAINTERS, RefineSettings


def open_painter(settings: RefineSettings, inpainters: Inpainters) -> Painter:
    """The painter that the settings name; models are opened when it first paints.

    Raises:
        UsageError: There is none of that name.
    """
    network: partial[Inpainter] = partial(inpainters, settings.diffusion or DiffusionSettings())
    return painter_of(settings, network)


def painter_of(settings: RefineSettings, network: Callable[[], Inpainter] | None = None) -> Painter:
    """The painter that the settings name, on a network of one's own.

    Args:
        settings: They name it.
        network: Called when a hand is diffused; of no use to 'draw'.

    Raises:
        UsageError: There is none of that name, or it needs a network.
    """
    if settings.painter == "draw":
        return DrawPainter()
    if settings.painter not in DIFFUSING or network is None:
        raise UsageError(
            f"there is no painter {settings.painter!r}", "", f"choose one of: {', '.join(PAINTERS)}"
        )
    from handwright.handrefiner.diffusing import DiffusePainter, HarmonisePainter

    diffusion = settings.diffusion or DiffusionSettings()
    kind = HarmonisePainter if settings.painter == "harmonise" else DiffusePainter
    return kind(diffusion, network, settings.keep_intermediates)
