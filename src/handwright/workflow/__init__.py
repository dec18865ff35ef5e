"""Room: workflow."""
