"""Bodies: from one picture to each person's 133 points and mask.

Reading order: ``body_pose`` (the value), ``network`` (MediaPipe's pose network, with masks and depth),
``face`` (the 68 face points from the nine that the pose network has), ``estimate`` (all of it, hands too),
``pose_file`` (the same value from OpenPose's and COCO-WholeBody's files), ``pose_of_hands`` (and from files
of hands), ``pose_hands`` (regular hands of its points), ``person_of_hands`` (a body around hands alone).
"""
