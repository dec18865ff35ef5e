"""Defects on real photographs: fingers copied, erased, merged and bent along their landmarks."""

from handwright.data.surgery.record import record_of
from handwright.data.surgery.sample import SurgeryPicture, operate

__all__ = ["SurgeryPicture", "operate", "record_of"]
