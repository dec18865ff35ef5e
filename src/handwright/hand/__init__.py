"""What a hand is: its anatomy, rig, motion, surface and files.

Nothing is loaded here; import the module you need:

- ``anatomy``: names, orders (MANO's joints, MediaPipe's landmarks), joint limits.
- ``rig``: the rest hand that ships with the package, its shape space, rotations; ``dense``: the same, finer.
- ``kinematics``: ``mesh_of``, ``hand_landmarks_m``, ``pose_of_dofs``, ``mirror_hand_x``.
- ``dofs``: the anatomical angles of a pose.
- ``pose_torch``: the same motion, differentiable; needs torch and is imported by no other module.
- ``grammar``: pose ↔ words, named poses, both directions.
- ``raster``, ``depth``: z-buffer, depth control image, part ids; ``skeleton``: stick-figure masks.
- ``files``: hands as JSON and npz, editable by hand; ``export``: OBJ and GLB; ``mano``: MANO both ways.
"""
