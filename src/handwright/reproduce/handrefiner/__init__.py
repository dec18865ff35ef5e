"""Room: handrefiner."""
