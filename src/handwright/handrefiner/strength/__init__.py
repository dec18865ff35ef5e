"""Control strength (HandRefiner §3.2): a number, or one of three strategies by name, one module each.

``decide`` is the way in; ``names`` is all that the command line needs, and imports nothing.
"""
