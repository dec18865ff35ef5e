"""Pose ↔ words, both directions, in one place: captions, prompts and named poses all use it.

- ``words``: the value ``PoseWords``, its technical text and the reader of that text; words ↔ wrist rotation.
- ``angles``, ``contact``: words ↔ the 24 anatomical angles.
- ``named``: counting, HaGRID's gestures, fingerspelling-like shapes, the grasp taxonomy.
- ``phrases``: natural wordings of a pose; ``text_parser``: from a free text to the pose that it describes
  (``words.StatedPose``). ``tables`` reads what all of these know by heart from ``tables.toml``.
"""

from handwright.hand.grammar.angles import angles_of, bent_by_deg, words_of, words_of_hand
from handwright.hand.grammar.named import NAMED, THUMB_POINTS, counting, names_of
from handwright.hand.grammar.phrases import describe
from handwright.hand.grammar.text_parser import StatedPose, parse_pose_text
from handwright.hand.grammar.words import ORIENTATIONS, PoseWords, orientation_of, parse_pose_words, wrist_of

__all__ = [
    "NAMED", "ORIENTATIONS", "THUMB_POINTS", "PoseWords", "StatedPose", "angles_of", "bent_by_deg",
    "counting", "describe", "names_of", "orientation_of", "parse_pose_text", "parse_pose_words",
    "words_of", "words_of_hand", "wrist_of",
]  # fmt: skip
