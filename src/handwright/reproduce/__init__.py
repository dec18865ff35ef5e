"""Published tables re-run: ``handwright reproduce``."""

from __future__ import annotations

from handwright.reproduce.handrefiner.run import reproduce_handrefiner
from handwright.reproduce.handrefiner.study import SCALES, Scale, Study

__all__ = ["SCALES", "Scale", "Study", "reproduce_handrefiner"]
