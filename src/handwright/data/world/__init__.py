"""A small physically based renderer in NumPy, OpenCV and numba: meshes and lights in, a picture out.

Reading order:

- ``stage``: meshes of one material each, joined and rasterised into visible points.
- ``material``: what surfaces are made of; ``skin_atlas``: wrinkles, creases and veins of skin;
  ``_surface``: what each visible point looks like unlit.
- ``light``: lamps and surroundings; ``_shading``: the light that reaches each visible point.
- ``picture``: all of it together, with the light that scatters below the skin.
- ``places``: backgrounds, painted by ``scenery`` and ``backdrops``; ``floor``: the ground someone stands on.
- ``lens``: what a camera and a file format do to linear light.
"""
