"""The checks by geometry: a fitted hand, its segmented skin and the person's arms against the checklist.

Read ``assessability`` (whether a hand can be judged at all), then the four checks ``finger_count``,
``joint_bending``, ``left_right`` and ``grasp``; what they measure is ``perception.analysis.HandAnalysis``.
"""
