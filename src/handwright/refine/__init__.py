"""Room: the product's loop that repairs the hands of one picture.

Reading order: ``pipeline`` (find, analyse, attempt, paste, review), ``hand_task`` and ``scene`` (what is known of
a hand, and of hands together), ``attempt`` and ``candidates`` (paint and judge), ``acceptance`` (may a candidate
replace the original), ``painters``, ``compositing``, ``result``.
"""
