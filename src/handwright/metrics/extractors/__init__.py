"""Feature extractors, and the names under which ``open_extractor`` opens them."""

from handwright.metrics.extractors.choose import EXTRACTORS, open_extractor

__all__ = ["EXTRACTORS", "open_extractor"]
