"""Heads: face, hair and headwear.

Reading order: ``appearance`` (what is drawn at random), ``face`` (paint and eyes), ``hair`` (scalp, ribbons
of hair, headwear).
"""
