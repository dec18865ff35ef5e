"""Hands that have come off their arm: where the gap is (``gap``) and two ways to close it."""
