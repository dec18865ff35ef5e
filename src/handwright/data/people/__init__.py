"""Pictures of people who show their hands, with exact truth.

Reading order: ``figure`` (the body), ``posture`` (how it stands), ``head``, ``clothing``; ``body`` (all of
it as meshes), ``setup`` (everything that is decided before the picture is made), ``sample``
(the picture with its truth, COCO-WholeBody's 133 keypoints included; the truth as JSON).
"""

from handwright.data.people.sample import PersonPicture, render_person

__all__ = ["PersonPicture", "render_person"]
