"""Distances between points of two meshes, compiled."""
# pyright: reportMissingParameterType=false

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def nearest_distance(points, others):
    """Distance of each of points [N, 3] from the nearest of others [M, 3], float64 [N]."""
    found = np.empty(len(points))
    for i in range(len(points)):
        least = np.inf
        for j in range(len(others)):
            x = points[i, 0] - others[j, 0]
            y = points[i, 1] - others[j, 1]
            z = points[i, 2] - others[j, 2]
            squared = x * x + y * y + z * z
            if squared < least:
                least = squared
        found[i] = np.sqrt(least)
    return found
