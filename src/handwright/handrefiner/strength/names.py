"""The words that ``--strength`` takes besides a number."""

STRATEGIES = ("auto", "fixed", "adaptive")
"""The first is the default."""
