"""Where the fitted hand lies in the crop, and which layer of the final picture owns which pixel.

- ``working_resolution``: the size at which a hand is drawn.
- ``surface``: the visible surface of the mesh at each sub-pixel.
- ``wrist_alignment``: the mesh's wrist moved onto the arm.
- ``layer_assignment``: drawn hand, kept photograph or filled background.
- ``occluders``: things in front of the hand that must stay.
"""
