"""Room: posture."""
