"""A body with two hands, in SMPL-H's numbers: what text-to-hand models draw and pictures are made from.

Reading order: ``skeleton`` (joints and their order), ``parameters`` (the value ``BodyParameters``, JSON both
ways), ``free_body`` (our licence-free body: joints, both hands, 133 points, skin), ``limits`` (of its
joints), ``smplh`` (the user's own SMPL-H file in place of the free body).
"""

from handwright.body.free_body import PosedBody, load_body, mean_parameters, pose_body, skin_of, wholebody_of
from handwright.body.limits import Excess, excess_of, within_limits
from handwright.body.parameters import BodyParameters, parameters_of_json, read_parameters
from handwright.body.skeleton import JOINTS

__all__ = [
    "JOINTS",
    "BodyParameters",
    "Excess",
    "PosedBody",
    "excess_of",
    "load_body",
    "mean_parameters",
    "parameters_of_json",
    "pose_body",
    "read_parameters",
    "skin_of",
    "wholebody_of",
    "within_limits",
]  # fmt: skip
