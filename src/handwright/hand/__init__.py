"""What a hand is: its anatomy, rig, motion, surface and files. Import the module that you need.

Reading order:

- ``anatomy``: names, orders (MANO's joints, MediaPipe's landmarks), joint limits.
- ``rig``: the rest hand that ships with the package, its shape space, rotations, masks; ``dense``: finer.
- ``kinematics``: ``mesh_of``, ``hand_landmarks_m``, ``pose_of_dofs``, ``mirror_hand_x``, ``dofs_of_pose``.
- ``raster``, ``depth``: z-buffer, depth control image, part ids.
- ``skeleton``, ``skin_colour``: a hand in the picture without a mesh, and its skin.
- ``files``: hands as JSON, meshes as OBJ and GLB, MANO parameters both ways.
- ``grammar``: pose ↔ words, named poses, both directions.
"""
