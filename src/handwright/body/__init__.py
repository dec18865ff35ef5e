"""A body with two hands, in SMPL-H's numbers: what text-to-hand models draw and pictures are made from.

Reading order: ``skeleton`` (joints and their order), ``parameters`` (the value ``BodyParameters``, JSON both
ways), ``geometry`` (what a body model makes of them), ``free_body`` (our licence-free body: joints, both
hands, 133 points, skin), ``limits`` (of its joints), ``framing`` (a lens that has what matters in the
picture), ``smplh`` (the user's own SMPL-H file in place of the free body), ``preview`` (a picture of either).
"""

from handwright.body.free_body import (
    PosedBody,
    geometry_of,
    load_body,
    mean_parameters,
    pose_body,
    skin_of,
    wholebody_of,
)
from handwright.body.geometry import BodyGeometry, BodyModel
from handwright.body.limits import Excess, excess_of, within_limits
from handwright.body.parameters import BodyParameters, parameters_of_json, read_parameters
from handwright.body.skeleton import JOINTS
from handwright.body.smplh import pose_smplh, read_smplh

__all__ = [
    "JOINTS",
    "BodyGeometry",
    "BodyModel",
    "BodyParameters",
    "Excess",
    "PosedBody",
    "excess_of",
    "geometry_of",
    "load_body",
    "mean_parameters",
    "parameters_of_json",
    "pose_body",
    "pose_smplh",
    "read_parameters",
    "read_smplh",
    "skin_of",
    "wholebody_of",
    "within_limits",
]  # fmt: skip
