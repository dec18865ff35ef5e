"""Room: head."""
