"""Room: image."""
