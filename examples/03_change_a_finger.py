"""Fit the hands of a picture, straighten an index finger, and have that pose painted.

python examples/03_change_a_finger.py photo.png out
"""

import sys
from dataclasses import replace
from pathlib import Path

import handwright
from handwright.hand.anatomy import DOF_NAMES
from handwright.hand.kinematics import dofs_of_pose, pose_of_dofs

picture, out = sys.argv[1], Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)

found = handwright.hands(picture).hands
if not found:
    sys.exit("no hand was found: give another picture")
hand = found[0].fit.hand
angles = dofs_of_pose(hand.pose, hand.palm_arch)  # 24 anatomical angles in radians
for k, name in enumerate(DOF_NAMES):
    if name.startswith("index") and "flexion" in name:
        angles[k] = 0.0
pose, palm_arch = pose_of_dofs(angles)

straight = replace(hand, pose=pose, palm_arch=palm_arch)
repair = handwright.refine(picture, hand=1, hand_pose=straight)
print(repair.hands[0].action, repair.hands[0].reason)
repair.after.save(out / "index_straight.png")
