"""Rendered hands with a known defect: bones, copied fingers and surfaces that no sound hand has.

Reading order: ``malformed`` (the value, and five defects made on bones), ``bones`` and ``surface`` (the
operations), ``visibility`` (whether a bend shows), ``generators`` (every defect's generators and ``spoil``,
which builds one into a picture), ``finger_count`` (how many fingers such a hand has).
"""
