"""What to measure: names, what they need, and what is taken when nothing is named."""

from __future__ import annotations

from dataclasses import dataclass

from handwright.errors import UsageError

WHOLE = ("kid", "fid")  # Measured when no name is given

HANDS = ("kid-h", "fid-h", "det", "mpjpe", "pck")  # Measured in addition for hands

FOREGROUND = ("kid-fg", "fid-fg")  # Measured besides when masks are given

PEOPLE = ("dap", "mpjpe-body")  # Of people that are labelled on both sides

POSES = ("pose-fid", "diversity")  # Of poses of hands that are labelled on both sides

METRICS = (*WHOLE, *HANDS, *FOREGROUND, "clipsim", *PEOPLE, *POSES)  # The name of every measure of pictures


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    # Names of :data:`METRICS`; empty: what fits the other settings and the number of pictures
    metrics: tuple[str, ...] = ()
    hands: bool = False  # Also look for hands and measure them
    foreground: bool = False  # Also measure pictures without their background
    seed: int = 0  # Of every bootstrap

    def __post_init__(self) -> None:
        unknown = [metric for metric in self.metrics if metric not in METRICS]
        if unknown:
            raise UsageError(f"there is no metric {unknown[0]}", "", f"choose among {', '.join(METRICS)}")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Metrics to take, each once."""
        given = self.metrics or WHOLE
        besides = (*(FOREGROUND if self.foreground else ()), *(HANDS if self.hands else ()))
        return tuple(dict.fromkeys([*given, *besides]))

    def needs(self, *metrics: str) -> bool:
        """Whether any of these is to be taken."""
        return not set(metrics).isdisjoint(self.chosen)

    @property
    def needs_extractor(self) -> bool:
        """Whether any of them compares features."""
        return self.needs(*WHOLE, "kid-h", "fid-h", *FOREGROUND, "clipsim")

    @property
    def needs_finder(self) -> bool:
        """Whether any of them needs hands to be detected."""
        return self.needs(*HANDS)

    @property
    def needs_pairs(self) -> bool:
        """Whether any of them compares the hands of pictures of one name."""
        return self.needs("mpjpe", "pck")
