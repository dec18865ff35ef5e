"""The body of a person: MakeHuman's mesh (CC0), shaped, posed and given our own hands.

Reading order: ``makehuman`` (the files), ``build`` (one person's shape), ``skeleton`` (pose and skinning),
``landmarks`` (vertices at keypoints), ``mesh_cutting`` (cut, refine, smooth), ``hand_graft`` (our hand on
the arm).
"""
