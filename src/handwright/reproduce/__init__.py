"""Published results measured again: one folder a paper, on tools that all of them share.

Reading order: ``subjects`` (pictures with one hand), ``painted`` (a subject repainted and judged), ``store``
(what was painted, on disk), ``measure`` (its figures), ``sheets`` (how they are shown), the same of people
(``people_cases``, ``people_bench``, ``people_measure``), then ``handrefiner/``, ``two_stage/`` and
``handiffuser/``.
"""

from handwright.reproduce.handiffuser import HanDiffuserStudy, reproduce_handiffuser
from handwright.reproduce.handrefiner import (
    SCALES,
    Scale,
    Study,
    reproduce_handrefiner,
    reproduce_photo_tables,
)
from handwright.reproduce.two_stage import TwoStageStudy, reproduce_two_stage

__all__ = [
    "SCALES",
    "HanDiffuserStudy",
    "Scale",
    "Study",
    "TwoStageStudy",
    "reproduce_handiffuser",
    "reproduce_handrefiner",
    "reproduce_photo_tables",
    "reproduce_two_stage",
]
