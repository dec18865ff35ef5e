"""Room: defects."""
