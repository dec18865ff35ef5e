"""Room: the measures. Each is named with what it was measured with, and comes with N and an interval."""
