"""Every number of the painter in one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from handwright.drawing.geometry.occluders import OccluderParams
from handwright.drawing.geometry.wrist_alignment import WristParams
from handwright.drawing.photo.finish import FinishParams
from handwright.drawing.skin.shading import ShadingParams


@dataclass(frozen=True, kw_only=True)
class DrawParams:
    """Numbers of ``draw_hand``, one field per algorithm. A part that is None is left out.

    Attributes:
        wrist: The drawn wrist moved onto the arm.
        shading: Colour of the drawn hand's surface.
        occluders: Things in front of the hand that stay.
        finish: Texture and grain of drawn skin.
        shadow: Whether the old hand's cast shadow is looked for and moved.
    """

    wrist: WristParams | None = field(default_factory=WristParams)
    shading: ShadingParams = field(default_factory=ShadingParams)
    occluders: OccluderParams | None = field(default_factory=OccluderParams)
    finish: FinishParams = field(default_factory=FinishParams)
    shadow: bool = True
