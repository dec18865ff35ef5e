"""Training with all pictures in a GPU's memory: no step waits for the CPU."""
