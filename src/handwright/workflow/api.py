"""The two functions of a notebook: a picture in, a repair out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handwright.refine.result import Repair
from handwright.refine.settings import RefineSettings, refine_settings
from handwright.types import Image

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine

Picture = str | Path | np.ndarray | Image


def refine(picture: Picture, *, engine: Engine | None = None, **settings: Any) -> Repair:  # noqa: ANN401
    """Mend the hands of a picture.

    Args:
        picture: A file, uint8 [H, W, 3] sRGB, or an ``Image``.
        engine: An open engine to use again and again (``refine.pipeline.open_engine``); default: one
            for this call.
        **settings: Fields of ``RefineSettings``, such as ``seed=7`` or ``boxes=((10, 20, 200, 220),)``, and
            of ``DiffusionSettings``, such as ``painter="diffuse", prompt="a waving hand", strength=0.7``.

    Returns:
        The picture before and after (``repair.after.pixels``), and per hand what was done and why.

    Raises:
        HandwrightError: The picture cannot be read, a setting makes no sense, or a model is missing.
    """
    from handwright.refine.pipeline import refine_picture

    return _with_engine(refine_picture, _as_image(picture), refine_settings(settings), engine)


def hands(picture: Picture, *, engine: Engine | None = None, **settings: Any) -> Repair:  # noqa: ANN401
    """Find and fit the hands of a picture; nothing is repainted.

    Args:
        picture: As for ``refine``.
        engine: As for ``refine``.
        **settings: As for ``refine``.

    Returns:
        Per hand the observation, the fit, the mask and the depth; ``action`` is 'skipped'.

    Raises:
        HandwrightError: The picture cannot be read or a setting makes no sense.
    """
    from handwright.refine.pipeline import inspect_picture

    return _with_engine(inspect_picture, _as_image(picture), refine_settings(settings), engine)


def _with_engine(
    work: Callable[[Image, RefineSettings, Engine], Repair],
    image: Image,
    settings: RefineSettings,
    engine: Engine | None,
) -> Repair:
    from handwright.refine.pipeline import open_engine

    if engine is not None:
        return work(image, settings, engine)
    with open_engine() as opened:
        return work(image, settings, opened)


def _as_image(picture: Picture) -> Image:
    from handwright.image import load_image

    if isinstance(picture, Image):
        return picture
    return Image(picture) if isinstance(picture, np.ndarray) else load_image(picture)
