"""Painting a fitted hand into a photograph without a network.

Read ``painter`` first: ``draw_hand`` calls the other folders in the order in which they are listed here.

- ``geometry``: what the fitted mesh covers, where its wrist meets the arm, and which layer owns which pixel.
- ``skin``: the colour of every visible surface point: baked skin, the picture's light, the old hand's tone.
- ``fill``: background for the pixels that the old hand covered and the new one does not.
- ``photo``: what the camera adds: sharpness, fine texture and grain.
"""
