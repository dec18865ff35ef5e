"""`handwright setup`: everything that the first picture would otherwise wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np


def prepare(model: Path | None = None, say: Callable[[str], None] = lambda _: None) -> None:
    """Fetch the perception model and compile the kernels into their cache.

    Args:
        model: A hand_landmarker.task of the user's own.
        say: Told in a line what is done.

    Raises:
        MissingModelError: No source delivered the model.
    """
    from handwright.handrefiner.pipeline import open_engine, refine_picture
    from handwright.handrefiner.settings import RefineSettings
    from handwright.perception.models import ensure_models
    from handwright.types import Image

    models = ensure_models(model_path=model, say=say)
    say(f"hand model: {models.hand_landmarker}")
    start = perf_counter()
    with open_engine(models.hand_landmarker) as engine:
        refine_picture(Image(np.full((256, 256, 3), 128, np.uint8)), RefineSettings(), engine)
    say(f"kernels: ready ({perf_counter() - start:.1f} s)")
