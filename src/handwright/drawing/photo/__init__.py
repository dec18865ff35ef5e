"""What a camera adds to a surface, measured in the photograph and given to what is drawn.

- ``sharpness``: blur of edges; ``texture``: fine skin texture by bands; ``grain``: sensor noise.
- ``finish``: texture and grain put onto the drawn hand.
"""
