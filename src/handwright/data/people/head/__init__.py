"""Heads: face, hair and headwear.

Reading order: ``appearance`` (what is drawn at random), ``face`` (paint and eyes), ``scalp`` (where hair
grows), ``hair`` (ribbons of hair, headwear).
"""
