"""Defects on real photographs: fingers copied, erased, merged and bent along their landmarks.

Reading order: ``photo_hands`` (detect, fit, segment; chains and thickness of fingers), ``hand_crop`` (the
crop and its masks), ``canvas`` (resample, erase, cut out, paste), ``moves`` (fingers along new chains);
``counts``, ``joins``, ``bends``, ``fans``, ``whole`` (the edits), ``sample`` (their table; a photograph with
its truth); the truth as JSON.
"""

from handwright.data.photo_edits.sample import EditedPhoto, edit_photo, record_of

__all__ = ["EditedPhoto", "edit_photo", "record_of"]
