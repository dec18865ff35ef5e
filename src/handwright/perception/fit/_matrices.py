# pyright: basic
"""Small products inside kernels: numba's own ``@`` calls BLAS through SciPy, which the core has not."""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True)
def apply(matrix, vector):
    """[3, 3] · [3] → [3]."""
    out = np.empty(3)
    for i in range(3):
        out[i] = matrix[i, 0] * vector[0] + matrix[i, 1] * vector[1] + matrix[i, 2] * vector[2]
    return out


@nb.njit(cache=True)
def product(left, right):
    """[3, 3] · [3, n] → [3, n]."""
    out = np.empty((3, right.shape[1]))
    for i in range(3):
        for j in range(right.shape[1]):
            out[i, j] = left[i, 0] * right[0, j] + left[i, 1] * right[1, j] + left[i, 2] * right[2, j]
    return out
