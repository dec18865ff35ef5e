"""Room: the product's loop that repairs the hands of one picture.

Reading order: ``engine`` (what stays loaded), ``pipeline`` (find, analyse, attempt, paste, review),
``hand_task`` and ``scene`` (what is known of a hand, and of hands together), ``attempt``, ``candidates`` and
``painting`` (paint and judge),
``acceptance`` (may a candidate replace the original), ``pose_hypotheses`` and ``detached`` (what is tried
when none may), ``painters``, ``compositing``, ``redetection``, ``review_before_after``, ``settings``,
``result``; ``exchange`` (depth, masks and squares for programs that paint themselves).
"""
