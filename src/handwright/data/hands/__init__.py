"""Pictures of one or two hands, dressed, holding something or malformed, with exact truth.

Reading order: ``person``, ``objects``, ``hold`` (who, what they wear and hold, in which pose), ``arrange``
(how hands are turned, meet and are framed), ``parts`` and ``body`` (all of it as meshes), ``defects`` and
``thing_flaws`` (what can be wrong with a hand and with a thing), ``setup`` (all that is decided before the
picture is made), ``sample`` (the picture with its truth), ``broken_holds`` (things that are cut by fingers,
float or have grown into the hand), ``record`` (the truth as JSON).
"""

from handwright.data.hands.broken_holds import render_holds
from handwright.data.hands.sample import HandPicture, HandTruth, render_defects, render_hands, render_one_hand

__all__ = ["HandPicture", "HandTruth", "render_defects", "render_hands", "render_holds", "render_one_hand"]
