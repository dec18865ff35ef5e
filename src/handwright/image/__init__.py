"""What a picture is: reading, editing and writing files so that nothing outside a mask changes.

Reading order: ``load`` and ``save`` (files), ``modes`` (kinds of samples), ``facts``
(metadata), ``edits`` and ``compositing`` (new pixels), ``atomic_write``, ``formats`` (PNG, TIFF and the
others).
"""

from handwright.image.atomic_write import remove_parts, write_atomically, write_png
from handwright.image.compositing import feather, feathered_blend, match_colour_ramp
from handwright.image.edits import patch_png, with_edits, with_patch
from handwright.image.facts import FileFacts, facts_of
from handwright.image.formats.encode import SUFFIXES, encode_image
from handwright.image.load import decode_image, load_image
from handwright.image.save import check_output, format_for, save_image, save_unchanged

__all__ = [
    "SUFFIXES", "FileFacts", "check_output", "decode_image", "encode_image", "facts_of", "feather",
    "feathered_blend", "format_for", "load_image", "match_colour_ramp", "patch_png",
    "remove_parts", "save_image", "save_unchanged", "with_edits", "with_patch", "write_atomically",
    "write_png",
]  # fmt: skip
