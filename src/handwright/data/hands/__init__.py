"""Pictures of hands with exact truth.

- ``person``, ``dress``, ``poses``, ``things``, ``hold``: who, what they wear, which pose, what they hold.
- ``arrange``: how hands are turned, meet and are framed; ``body``: all of it as meshes.
- ``defects``, ``flaws``: what can be wrong with them, and its labels.
- ``setup``: everything that is decided before the picture is made; ``sample``: the picture with its truth.
"""

from handwright.data.hands.sample import HandPicture, HandTruth, render_defects, render_hands

__all__ = ["HandPicture", "HandTruth", "render_defects", "render_hands"]
