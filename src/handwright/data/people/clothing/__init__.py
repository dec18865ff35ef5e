"""Room: clothing."""
