"""Distances between sets of features: `frechet` (FID), `kernel` (KID) and `clip` (CLIPSIM)."""

from handwright.metrics.distances.clip import clip_similarity
from handwright.metrics.distances.frechet import frechet_distance
from handwright.metrics.distances.kernel import kernel_distance, kernel_distance_difference

__all__ = ["clip_similarity", "frechet_distance", "kernel_distance", "kernel_distance_difference"]
