"""Rendered hands with a known defect: bones, copied fingers and surfaces that no sound hand has.

Reading order: ``malformed`` (the values, what can be done to bones, how many fingers are left), ``fingers``
(extra, missing, fused, split, bent, too long or short), ``surface`` (melted, detached), ``generators`` (the
table of all, and ``add_defect``, which builds one into a picture).
"""
