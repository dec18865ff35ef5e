"""Defects on real photographs: fingers copied, erased, merged and bent along their landmarks.

Reading order: ``photo_hands`` (detect, fit, segment), ``fingers`` (chains and thickness), ``hand_crop``
(the crop and its masks), ``maps`` (resampling), ``canvas`` (erase, cut out, paste), ``moves`` (fingers
along new chains); ``counts``, ``joins``, ``bends``, ``fans``, ``whole`` (the edits), ``edits`` (their
table), ``sample`` (an edited photograph with its truth), ``record`` (the truth as JSON).
"""

from handwright.data.photo_edits.record import record_of
from handwright.data.photo_edits.sample import EditedPhoto, edit_photo

__all__ = ["EditedPhoto", "edit_photo", "record_of"]
