"""A small physically based renderer in NumPy, OpenCV and numba: meshes and lights in, a picture out.

Reading order:

- ``stage``: materials, wrinkles and veins of skin; meshes of one material each, joined and rasterised.
- ``_surface``: what each visible point looks like unlit.
- ``light``: lamps and surroundings; ``_shading``: the light that reaches each visible point.
- ``picture``: all of it together, with the light that scatters below the skin, through lens and file format.
- ``places``: backgrounds, painted by ``scenery`` and ``backdrops``, and the floor someone stands on.
"""
