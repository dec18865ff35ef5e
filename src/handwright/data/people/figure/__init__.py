"""Room: figure."""
