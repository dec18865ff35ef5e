"""handwright: find, fit, redraw and check human hands in generated pictures.

Functions take a picture as a file's name, bytes, a Pillow image or a NumPy array, or a list of these:

    refine      mend the hands of a picture
    hands       find and fit them; nothing is repainted
    review      go through the checklist of every hand
    evaluate    measure pictures against real ones
    generate    what a prompt leaves open about hands
    synth       render pictures of hands with exact truth

``HandRefiner`` keeps its models loaded for many pictures; ``HandRefinerPipeline`` is HandRefiner on a stock
diffusers pipeline, ``TwoStagePipeline`` makes a person in a given pose, ``HanDiffuserPipeline`` one by a text
and the numbers of their hands; ``load_image`` and ``save_image`` read and write files unharmed.

>>> import handwright
>>> repair = handwright.refine("photo.png")  # doctest: +SKIP
>>> repair.after.save("refined.png")  # doctest: +SKIP
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
    from handwright.handiffuser.pipeline import HanDiffuserPipeline
    from handwright.image import load_image, save_image
    from handwright.two_stage.pipeline import TwoStagePipeline
    from handwright.workflow.api import generate, hands, refine, review, synth
    from handwright.workflow.evaluation import evaluate
    from handwright.workflow.hand_refiner import HandRefiner

__version__ = "0.1.0"
__all__ = [
    "HanDiffuserPipeline", "HandRefiner", "HandRefinerPipeline", "TwoStagePipeline", "evaluate", "generate",
    "hands", "load_image", "refine", "review", "save_image", "synth",
]  # fmt: skip

_HOMES = {
    "HanDiffuserPipeline": "handwright.handiffuser.pipeline",
    "HandRefiner": "handwright.workflow.hand_refiner",
    "HandRefinerPipeline": "handwright.diffusion.refiner_pipeline",
    "TwoStagePipeline": "handwright.two_stage.pipeline",
    "evaluate": "handwright.workflow.evaluation",
    "load_image": "handwright.image",
    "save_image": "handwright.image",
}


class _Package(ModuleType):
    """The package, in which a function stays what its name means when a room of that name is imported.

    ``import handwright.review.judge`` would otherwise bind ``handwright.review`` to the room. Rooms are
    reached by import as ever.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    """Import a function when it is first used, so that ``import handwright`` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'handwright' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "handwright.workflow.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion and ``help``."""
    return [*__all__, "__version__"]
