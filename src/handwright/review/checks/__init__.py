"""The checks by geometry: a fitted hand, its segmented skin and the person's arms against the checklist.

Read ``hand_measurements`` (what is measured of one hand), ``assessability`` (whether it can be judged at
all), then the four checks ``finger_count``, ``joint_bending``, ``left_right`` and ``grasp``.
"""
