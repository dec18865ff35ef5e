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
    """Numbers of ``draw_hand``, one field per algorithm. A part that is None is left out."""

    # The size at which a hand is drawn
    resolution: WorkingResolutionParams = field(default_factory=WorkingResolutionParams)
    # Blur of the picture's edges, which the drawn hand is given
    edge_blur: EdgeBlurParams = field(default_factory=EdgeBlurParams)
    # The visible surface of the mesh, its wrist moved onto the arm
    surface: SurfaceParams = field(default_factory=SurfaceParams)
    shading: ShadingParams = field(default_factory=ShadingParams)  # Colour of that surface
    layers: LayerParams = field(default_factory=LayerParams)  # Which layer owns which pixel
    # Things in front of the hand that stay
    occluders: OccluderParams | None = field(default_factory=OccluderParams)
    # Where background may be copied from
    background: BackgroundParams = field(default_factory=BackgroundParams)
    fill: FillParams = field(default_factory=FillParams)  # How it is copied
    finish: FinishParams = field(default_factory=FinishParams)  # Grain of drawn skin
