"""File formats of pictures: samples and metadata to bytes and back.

Reading order: ``encode`` (any format), ``png`` and ``tiff`` (written here), ``containers`` (PNG chunks and
JPEG segments), ``metadata`` (EXIF, XMP, text).
"""
