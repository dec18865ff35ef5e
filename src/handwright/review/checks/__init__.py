"""The checks by geometry: a fitted hand, its segmented skin and the person's arms against the checklist.

Read ``assessability`` (whether a hand can be judged at all), then the four checks ``finger_count``,
``joint_bending``, ``left_right`` and ``grasp``; what they measure is ``perception.analysis.HandAnalysis``.
"""

from handwright.review.checks.assessability import reasons_not_assessable
from handwright.review.checks.finger_count import count_fingers
from handwright.review.checks.grasp import check_grasp
from handwright.review.checks.joint_bending import check_joints
from handwright.review.checks.left_right import check_side

__all__ = ["check_grasp", "check_joints", "check_side", "count_fingers", "reasons_not_assessable"]
