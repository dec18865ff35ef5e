"""Shapes of arrays that go by a name in this room; jaxtyping's letters say what each axis counts."""

import numpy as np
from jaxtyping import Float, Int

Vector = Float[np.ndarray, "3"]
Vector2 = Float[np.ndarray, "2"]
Matrix = Float[np.ndarray, "3 3"]
Points = Float[np.ndarray, "v 3"]
Faces = Int[np.ndarray, "f 3"]
CornerUV = Float[np.ndarray, "f 3 2"]
"""A mesh: vertices in metres, triangles, and the texture coordinates of each triangle's corners, 0 … 1."""

PerVertex = Float[np.ndarray, " v"]
Angles = Float[np.ndarray, "24"]
"""Of a hand's joints, radians, in the order of ``anatomy.DOF_NAMES``."""

Landmarks = Float[np.ndarray, "21 2"]
"""In pixels, MediaPipe's order, pixel centres at + 0.5."""

Linear = Float[np.ndarray, "h w 3"]
"""A picture in linear light."""

Share = Float[np.ndarray, "w w"]
Colours = Float[np.ndarray, "w w 3"]
"""Of a square crop: how much of each pixel belongs to something, 0 … 1; sRGB, 0 … 255."""
