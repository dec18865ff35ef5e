"""The body of a person: MakeHuman's mesh (CC0), shaped, posed and given our own hands.

Reading order: ``makehuman`` (the files), ``mesh_cutting`` (vertices at keypoints, pose and skinning; cut,
refine, smooth), ``hand_graft`` (one person's shape, and our hand on the arm).
"""
