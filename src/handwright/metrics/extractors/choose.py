"""From what a user writes after ``--extractor`` to an extractor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from handwright.errors import UsageError
from handwright.metrics.extractors.features import FeatureExtractor

EXTRACTORS = (
    "hw-v2",
    "referee-v1",
    "hw:DIR",
    "clip-hw-v1",
    "inception:FILE[@64|192|768|2048]",
    "clip:DIR or clip:OWNER/NAME",
    "rand-v1",
)
"""What may be written."""


def open_extractor(text: str) -> FeatureExtractor:
    """The extractor of that name; torch is imported only for those that need it.

    Args:
        text: 'hw-v2' (ours, embedded), 'referee-v1' (of hand crops: what the second critic sees),
            'clip-hw-v1' (ours, which also reads captions),
            'hw:DIR' (a folder that ``handwright train features`` made),
            'inception:FILE' with an optional '@LAYER' (FID's Inception-v3 of 2015, FILE local or
            OWNER/NAME/FILE on the hub), 'clip:DIR' or 'clip:OWNER/NAME', or 'rand-v1' (fixed random filters,
            no weights).

    Raises:
        UsageError: There is none of that name.
        MissingModelError: Its weights are missing or not what they should be.
        MissingPackageError: torch or transformers is not installed.
    """
    name, _, argument = text.partition(":")
    opened = _OPENERS.get((name, bool(argument)))
    if opened is None:
        raise UsageError(f"--extractor {text} is none", "", f"choose one of: {'; '.join(EXTRACTORS)}")
    return opened(argument)


def _embedded(folder: str) -> FeatureExtractor:
    from handwright.metrics.extractors.embedded import FOLDER, EmbeddedExtractor

    return EmbeddedExtractor(Path(folder) if folder else FOLDER)


def _referee(_: str) -> FeatureExtractor:
    from handwright.metrics.extractors.referee import RefereeExtractor

    return RefereeExtractor()


def _random(_: str) -> FeatureExtractor:
    from handwright.metrics.extractors.random_filters import RandomFilters

    return RandomFilters()


def _small_clip(_: str) -> FeatureExtractor:
    from handwright.metrics.extractors.clip import FOLDER, ClipExtractor

    return ClipExtractor(FOLDER, "clip-hw-v1")


def _inception(argument: str) -> FeatureExtractor:
    from handwright.metrics.extractors.inception import InceptionExtractor

    file, _, layer = argument.partition("@")
    return InceptionExtractor(file, layer or "2048")


def _clip(argument: str) -> FeatureExtractor:
    from handwright.metrics.extractors.clip import ClipExtractor

    return ClipExtractor(argument)


_OPENERS: dict[tuple[str, bool], Callable[[str], FeatureExtractor]] = {
    ("hw-v2", False): _embedded,
    ("referee-v1", False): _referee,
    ("clip-hw-v1", False): _small_clip,
    ("hw", True): _embedded,
    ("rand-v1", False): _random,
    ("inception", True): _inception,
    ("clip", True): _clip,
}
