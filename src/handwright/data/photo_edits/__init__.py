"""Defects on real photographs: fingers copied, erased, merged and bent along their landmarks."""

from handwright.data.photo_edits.record import record_of
from handwright.data.photo_edits.sample import SurgeryPicture, operate

__all__ = ["SurgeryPicture", "operate", "record_of"]
