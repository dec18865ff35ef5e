"""Pose ↔ words, both directions, in one place: captions, prompts and named poses all use it.

- ``words``: the value ``PoseWords``, its technical text and the reader of that text.
- ``angles``, ``contact``: words ↔ the 24 anatomical angles; ``orientation``: words ↔ wrist rotation.
- ``named``: counting, HaGRID's gestures, fingerspelling-like shapes, the grasp taxonomy.
- ``phrases``: natural wordings of a pose; ``text_parser``, ``finger_parser``, ``idioms``: from a free text to
  the pose that it describes (``stated_pose``).
"""

from handwright.hand.grammar.angles import angles_of, words_of
from handwright.hand.grammar.named import NAMED, counting, names_of
from handwright.hand.grammar.orientation import ORIENTATIONS, orientation_of, wrist_of
from handwright.hand.grammar.phrases import describe
from handwright.hand.grammar.text_parser import StatedPose, parse_pose_text
from handwright.hand.grammar.words import PoseWords, parse_pose_words

__all__ = [
    "NAMED",
    "ORIENTATIONS",
    "PoseWords",
    "StatedPose",
    "angles_of",
    "counting",
    "describe",
    "names_of",
    "orientation_of",
    "parse_pose_text",
    "parse_pose_words",
    "words_of",
    "wrist_of",
]
