"""Every number of the painter in one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from handwright.drawing.fill.background import BackgroundParams
from handwright.drawing.fill.patch_fill import FillParams
from handwright.drawing.geometry.layer_assignment import LayerParams
from handwright.drawing.geometry.occluders import OccluderParams
from handwright.drawing.geometry.surface import SurfaceParams
from handwright.drawing.geometry.working_resolution import WorkingResolutionParams
from handwright.drawing.photo.finish import FinishParams
from handwright.drawing.photo.sharpness import EdgeBlurParams
from handwright.drawing.skin.shading import ShadingParams


@dataclass(frozen=True, kw_only=True)
class DrawParams:
    """Numbers of ``draw_hand``, one field per algorithm. A part that is None is left out.

    Attributes:
        resolution: The size at which a hand is drawn.
        edge_blur: Blur of the picture's edges, which the drawn hand is given.
        surface: The visible surface of the mesh, its wrist moved onto the arm.
        shading: Colour of that surface.
        layers: Which layer owns which pixel.
        occluders: Things in front of the hand that stay.
        background: Where background may be copied from.
        fill: How it is copied.
        finish: Grain of drawn skin.
    """

    resolution: WorkingResolutionParams = field(default_factory=WorkingResolutionParams)
    edge_blur: EdgeBlurParams = field(default_factory=EdgeBlurParams)
    surface: SurfaceParams = field(default_factory=SurfaceParams)
    shading: ShadingParams = field(default_factory=ShadingParams)
    layers: LayerParams = field(default_factory=LayerParams)
    occluders: OccluderParams | None = field(default_factory=OccluderParams)
    background: BackgroundParams = field(default_factory=BackgroundParams)
    fill: FillParams = field(default_factory=FillParams)
    finish: FinishParams = field(default_factory=FinishParams)
