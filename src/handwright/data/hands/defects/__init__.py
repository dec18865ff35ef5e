"""Rendered hands with a known defect: bones, copied fingers and surfaces that no sound hand has.

Reading order: ``malformed`` (the values, and what can be done to bones), ``counts`` (extra, missing, two
thumbs), ``joins`` (fused, split), ``bends`` (overbent, sideways, too long, too short), ``surface`` (melted,
detached), ``visibility`` (whether a bend shows), ``generators`` (the table of all, and ``add_defect``,
which builds one into a picture), ``finger_count`` (how many fingers such a hand has).
"""
