"""handwright: find, fit, redraw and check human hands in generated pictures.

>>> import handwright
>>> repair = handwright.refine("photo.png")  # doctest: +SKIP
>>> handwright.save_image(repair.after, "refined.png")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwright.image import load_image, save_image
    from handwright.workflow.api import hands, refine
    from handwright.workflow.evaluation import evaluate

__version__ = "0.1.0"
__all__ = ["__version__", "evaluate", "hands", "load_image", "refine", "save_image"]

_HOME = {
    "evaluate": "handwright.workflow.evaluation",
    "hands": "handwright.workflow.api",
    "load_image": "handwright.image",
    "refine": "handwright.workflow.api",
    "save_image": "handwright.image",
}


def __getattr__(name: str) -> object:
    """Import a function when it is first asked for, so that ``import handwright`` costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'handwright' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
