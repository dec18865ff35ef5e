"""Room: apps."""
