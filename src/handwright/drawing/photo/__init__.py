"""What a camera adds to a surface, measured in the photograph and given to what is drawn.

- ``sharpness``: blur of edges; ``grain``: sensor noise.
- ``finish``: grain put onto the drawn hand.
"""
