"""Rendered pictures of one hand with exact truth and known defects, for measuring; same seed, same bytes."""

from handwright.data.hands.defects.malformed import DEFECTS, Defect
from handwright.data.scenes.scene import MONK_SKIN_TONES, Scene, render_scene

__all__ = ["DEFECTS", "MONK_SKIN_TONES", "Defect", "Scene", "render_scene"]
