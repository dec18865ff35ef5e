"""The networks of both stages and what they are trained for.

``finger_heatmaps`` and ``hand_generator`` (stage I, §III-B), ``outpainter`` (stage II, §III-C), ``objective``
(what both minimise), ``pose_baselines`` (what they are held against), ``load`` (from a folder, onto a
pipeline's device).
Everything here but the heatmaps needs torch.
"""
