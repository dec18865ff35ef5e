"""Paintings, each kept, and the strategies that choose among them: what two rows share is painted once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintNetwork
from handwright.handrefiner.strength import Strength, choose_strength
from handwright.refine.settings import RefineSettings
from handwright.reproduce.painted import crop_of, paint_subject
from handwright.reproduce.store import Crop, Record, Store
from handwright.reproduce.subjects import Subject
from handwright.review.judge import Judge


@dataclass(frozen=True)
class Way:
    """How a hand is painted, but for the strength."""

    painter: str  # Painter
    # Model, ControlNet, guidance and the like; its strength is what a row asks for
    diffusion: DiffusionSettings
    bare: bool = False  # With no outline given away (``painted.paint_subject``)

    def group(self, usual: DiffusionSettings) -> str:
        """Of its units: what sets it apart from the study's usual settings, in a file name."""
        own, parts = self.diffusion, [self.painter]
        if own.controlnet != usual.controlnet:
            parts.append(Path(str(own.controlnet)).name)
        if own.guidance != usual.guidance:
            parts.append(f"w{own.guidance:g}")
        if own.synthetic_negative != usual.synthetic_negative:
            parts.append("plain")
        return "-".join([*parts, "bare"] if self.bare else parts)


@dataclass(frozen=True, eq=False)
class _Trial:
    """A painting that is kept, as strategies see it."""

    name: str
    record: Record

    @property
    def strength(self) -> Strength | None:
        stored: Any = self.record["strength"]
        return tuple(stored) if isinstance(stored, list) else stored

    @property
    def error(self) -> float:
        return float(self.record["error"])


@dataclass(frozen=True, eq=False)
class Trials:
    """Paints and decides.

    A strategy's time is that of all its paintings together; each is timed alone, once its network has painted
    before, and all of one picture one after the other.
    """

    store: Store  # Where paintings are kept
    usual: DiffusionSettings  # The study's own settings
    seed: int  # Of every painting
    network: Callable[[DiffusionSettings], InpaintNetwork]  # Opens the network of some settings
    judge: Judge  # Detects the hand again
    _warm: set[str] = field(default_factory=set[str])

    def decided(self, subject: Subject, way: Way) -> tuple[Record, Crop]:
        """What a strategy, or a given strength, makes of a hand."""
        tried: list[_Trial] = []

        def sample(strength: Strength | str | None) -> _Trial:
            tried.append(self.trial(subject, way, strength))
            return tried[-1]

        picked = choose_strength(way.diffusion.strength, sample).picked
        record = {
            **picked.record,
            "seconds": sum(one.record["seconds"] for one in tried),
            "paintings": len(tried),
            "tried": [[one.strength, one.error] for one in tried],
        }
        return record, self.store.crop(way.group(self.usual), picked.name)

    def trial(self, subject: Subject, way: Way, strength: Strength | str | None) -> _Trial:
        """One painting, made unless it is there."""
        network, group = self.network(way.diffusion), way.group(self.usual)
        wanted = network.fixed_strength if strength == "fixed" else strength
        name = f"{subject.name}/{wanted if isinstance(wanted, str) else f'{wanted:g}'}"
        settings = RefineSettings(painter=way.painter, diffusion=replace(way.diffusion, strength=wanted))

        def paint() -> tuple[Record, Crop]:
            record, pixels = paint_subject(subject, settings, self.seed, network, self.judge, bare=way.bare)
            return record, crop_of(pixels, subject)

        if not self.store.has(group, name) and group not in self._warm:
            paint()  # loads and compiles, so that no painting's time tells of it
            self._warm.add(group)
        return _Trial(name, self.store.unit(group, name, paint))
