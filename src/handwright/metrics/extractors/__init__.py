"""Feature extractors, and the names by which they are asked for."""

from __future__ import annotations

from handwright.metrics.extractors.choose import EXTRACTORS, open_extractor

__all__ = ["EXTRACTORS", "open_extractor"]
