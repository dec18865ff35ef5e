"""The tables and figures of HandRefiner (arXiv:2311.17957) with this package's painters and weights.

Reading order: ``study`` (what is measured), ``rows`` (the settings compared), ``paint_all`` (the paintings),
``before_after``, ``results`` (all figures; strengths chosen by eye), ``page``, ``run`` (with its plots).
Tables 1 and 2, which need photographs: ``photographs``, ``generated``, ``photo_tables``, ``photo_page``.
"""

from handwright.reproduce.handrefiner.photo_tables import reproduce_photo_tables
from handwright.reproduce.handrefiner.run import reproduce_handrefiner
from handwright.reproduce.handrefiner.study import SCALES, Scale, Study

__all__ = ["SCALES", "Scale", "Study", "reproduce_handrefiner", "reproduce_photo_tables"]
