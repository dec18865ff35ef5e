"""The colour of the drawn hand's skin, lit and toned like the hand that it replaces.

- ``atlas``: the baked skin: albedo and nails, looked up by texture coordinates.
- ``illumination``: the picture's light, fitted to the old hand.
- ``creases``: dark lines where skin touches skin.
- ``tone``: from brightness to colour, and matching of colour statistics.
- ``shading``: all of these put together.
"""
