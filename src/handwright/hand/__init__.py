"""Room: hand."""
