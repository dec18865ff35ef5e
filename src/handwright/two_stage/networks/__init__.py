"""The networks of both stages and what they are trained for.

``hand_generator`` (stage I, §III-B), ``outpainter`` (stage II, §III-C), ``objective`` (what both minimise),
``pose_baselines`` (what they are held against), ``load`` (from a folder, onto a pipeline's device).
Everything here needs torch.
"""
