"""The engine that settings name, of all that make a picture from a pose or a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handwright.errors import need

if TYPE_CHECKING:
    from handwright.two_stage.engine import Engine
    from handwright.two_stage.settings import TwoStageSettings


def open_engine(settings: TwoStageSettings) -> Engine:
    """The engine that the settings name; its networks are loaded, where it has any.

    Raises:
        MissingPackageError: The body that it draws is not installed.
        DiffusionError: Its libraries are not installed, or its model is missing or damaged, or cannot do what
            the settings ask of it.
        UsageError: The device is not here.
    """
    if settings.via != "two-stage":
        need("torch", "diffusers", "transformers", extra="diffusion")
        from handwright.workflow.generate.text_engine import TextEngine

        return TextEngine.load(settings)
    if settings.engine == "render":
        from handwright.two_stage.render_engine import RenderEngine

        return RenderEngine()
    from handwright.handrefiner.network_loader import check_installed

    check_installed()
    from handwright.two_stage.diffusion_engine import DiffusionEngine

    return DiffusionEngine.load(settings)
