"""A small physically minded renderer in NumPy, OpenCV and numba: meshes and light in, linear light out.

- ``stage``: meshes of one material each, joined and rasterised into seen points.
- ``material``: what surfaces are made of; ``_surface``: what each seen point looks like unlit.
- ``light``: lamps and surroundings; ``_light``: what reaches each seen point.
- ``picture``: all of it together, with light that wanders below the skin.
- ``lens``: what a camera and a file do to linear light.
"""
