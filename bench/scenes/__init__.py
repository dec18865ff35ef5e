"""Rendered pictures of hands with exact truth and known defects, for measuring (and, later, for training)."""

from .defects import DEFECTS, Defect
from .scene import MONK_SKIN_TONES, Scene, render_scene

__all__ = ["DEFECTS", "MONK_SKIN_TONES", "Defect", "Scene", "render_scene"]
