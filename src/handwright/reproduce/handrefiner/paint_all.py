"""The paintings of a study, picture by picture; what is in the store already is not made again.

Each is kept, with the strategies that choose among them: what two rows share is painted once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintNetwork
from handwright.handrefiner.network_loader import NetworkLoader
from handwright.handrefiner.strength import Strength, choose_strength
from handwright.metrics.crops import hand_crop
from handwright.options import DIFFUSING
from handwright.refine.pipeline import Engine
from handwright.refine.settings import RefineSettings
from handwright.reproduce.handrefiner.rows import Row, boxed_rows, phase_settings, strategy_rows, table_rows
from handwright.reproduce.handrefiner.study import GRID, JUDGED_FROM, REFERENCE_FROM, TABLE_FROM, Study
from handwright.reproduce.painted import judge_subject, paint_subject, untouched
from handwright.reproduce.store import Crop, Record, Store
from handwright.reproduce.subjects import (
    REAL,
    TO_REPAINT,
    Picture,
    Subject,
    largest_hand,
    of_folder,
    read_subject,
    rendered,
)


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


TABLE, BOXED, HARMONISE, JUDGED, REFERENCE = "table", "boxed", "of-harmonise", "judged", "reference"
"""Groups of units, beside those of single paintings (``Bench.trial``)."""

UNTOUCHED, NONE = "untouched", "none"  # Names of units: the picture as it is; a picture without a hand

Make = Callable[[Subject], tuple[Record, Crop]]
Work = Callable[[Subject], object]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Pictures, each repainted by every row that can be measured."""

    painter: str  # Painter
    rows: tuple[Row, ...]  # Treatments
    count: int  # How many pictures
    bare: bool = False  # With no outline given away


@dataclass(frozen=True)
class Phase:
    """Paintings with every strength of the phase figure."""

    group: str  # Of their units, which are named picture/strength
    names: tuple[str, ...]  # Of the pictures with a hand


@dataclass(frozen=True, eq=False)
class Bench:
    """What all paintings share: paints and decides.

    A strategy's time is that of all its paintings together; each is timed alone, once its network has painted
    before, and all of one picture one after the other.
    """

    study: Study  # What to do
    store: Store  # Where it is kept
    engine: Engine  # Detector and judge
    _opened: dict[str | None, NetworkLoader] = field(default_factory=dict[str | None, NetworkLoader])
    _warm: set[str] = field(default_factory=set[str])

    def network(self, diffusion: DiffusionSettings) -> InpaintNetwork:
        """The network of some settings; those of several ControlNets stay open side by side."""
        opener = NetworkLoader(self.engine.inpainters.open_network)
        return self._opened.setdefault(diffusion.controlnet, opener)(diffusion)

    def rows(self) -> tuple[Row, ...]:
        """The rows of Table 3."""
        network, study = self.network(self.study.diffusion), self.study
        return table_rows(study.diffusion, network.guidance, network.fixed_strength, study.variants)

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
        return record, self.store.crop(way.group(self.study.diffusion), picked.name)

    def trial(self, subject: Subject, way: Way, strength: Strength | str | None) -> _Trial:
        """One painting, made unless it is there."""
        network, group = self.network(way.diffusion), way.group(self.study.diffusion)
        wanted = network.fixed_strength if strength == "fixed" else strength
        name = f"{subject.name}/{wanted if isinstance(wanted, str) else f'{wanted:g}'}"
        settings = RefineSettings(painter=way.painter, diffusion=replace(way.diffusion, strength=wanted))

        def paint() -> tuple[Record, Crop]:
            record, pixels = paint_subject(
                subject, settings, self.study.seed, network, self.engine.judge, bare=way.bare
            )
            return record, hand_crop(pixels, subject.box)

        if not self.store.has(group, name) and group not in self._warm:
            paint()  # loads and compiles, so that no painting's time tells of it
            self._warm.add(group)
        return _Trial(name, self.store.unit(group, name, paint))

    def tables(self) -> dict[str, Table]:
        """The tables by the group of their units.

        Table 3, from pure noise; its ControlNets where neither mask nor colours give the hand's outline away;
        the strategies with the painter that sets out from the drawn hand.
        """
        rows, scale = self.rows(), self.study.scale
        strategies = strategy_rows(self.study.diffusion)
        return {
            TABLE: Table(painter="diffuse", rows=rows, count=scale.table),
            BOXED: Table(painter="diffuse", rows=boxed_rows(rows), count=scale.boxed, bare=True),
            HARMONISE: Table(painter="harmonise", rows=strategies, count=scale.harmonise),
        }

    def table(self, group: str = TABLE) -> tuple[str, ...]:
        """Paint a table; names of the pictures with a hand."""
        table = self.tables()[group]
        makes: dict[str, Make] = {UNTOUCHED: self._untouched}
        for row in table.rows:
            if not row.missing:
                makes[row.name] = partial(self.decided, way=Way(table.painter, row.settings, table.bare))
        pictures = self._pictures(TO_REPAINT, TABLE_FROM, table.count)
        return self._each(group, pictures, {name: self._kept(group, name, m) for name, m in makes.items()})

    def phases(self) -> dict[str, Phase]:
        """Pictures with every strength of the phase figure.

        Both painters by depth; 'diffuse' with no outline given away by mask or colours; other ControlNets.
        """
        depth = self.study.diffusion
        found = {painter: self._phase(Way(painter, depth)) for painter in DIFFUSING[::-1]}
        found["diffuse, bare"] = self._phase(Way("diffuse", depth, bare=True))
        for kind, settings in phase_settings(depth, self.study.variants).items():
            found[f"diffuse, {kind}"] = self._phase(Way("diffuse", settings))
        return found

    def _phase(self, way: Way) -> Phase:
        group, strengths = way.group(self.study.diffusion), self.study.scale.strengths
        makes = {f"{s:g}": partial(self.trial, way=way, strength=s) for s in strengths}
        pictures = self._pictures(TO_REPAINT, TABLE_FROM, self.study.scale.phase)
        return Phase(group, self._each(group, pictures, makes))

    def judged(self) -> tuple[str, ...]:
        """Pictures of their own with every strength above 0, scored by the judge of ``refine``."""
        makes = {f"{s:g}": self._kept(JUDGED, f"{s:g}", partial(self._judged, strength=s)) for s in GRID[1:]}
        untouched = {UNTOUCHED: self._kept(JUDGED, UNTOUCHED, self._untouched)}
        pictures = self._pictures(REAL, JUDGED_FROM, self.study.scale.judged)
        return self._each(JUDGED, pictures, untouched | makes)

    def reference(self) -> tuple[str, ...]:
        """Crops of the hands of other pictures, nothing painted."""
        names: list[str] = []
        for picture in self._pictures(REAL, REFERENCE_FROM, self.study.scale.reference, after_judged=True):
            if self.store.unit(REFERENCE, picture.name, lambda p=picture: self._largest_hand(p))["hand"]:
                names.append(picture.name)
        return tuple(names)

    def _kept(self, group: str, name: str, make: Make) -> Work:
        """A treatment whose result is kept."""

        def work(subject: Subject) -> None:
            self.store.unit(group, f"{subject.name}/{name}", lambda: make(subject))

        return work

    def _judged(self, subject: Subject, strength: float) -> tuple[Record, Crop]:
        diffusion = replace(self.study.diffusion, strength=strength)
        settings = RefineSettings(painter="diffuse", diffusion=diffusion)
        network = self.network(diffusion)
        record, pixels = judge_subject(subject, settings, self.study.seed, network, self.engine.judge)
        return record, hand_crop(pixels, subject.box)

    def _untouched(self, subject: Subject) -> tuple[Record, Crop]:
        record, pixels = untouched(subject, self.engine.judge)
        return record, hand_crop(pixels, subject.box)

    def _largest_hand(self, picture: Picture) -> tuple[Record, Crop | None]:
        seen = largest_hand(picture, self.engine.landmarker)
        return (
            ({"hand": False}, None)
            if seen is None
            else ({"hand": True}, hand_crop(seen[0], seen[1].bbox_xyxy_px))
        )

    def _each(self, group: str, pictures: Sequence[Picture], works: Mapping[str, Work]) -> tuple[str, ...]:
        """Do what is missing of every picture; names of those that show a hand."""
        names: list[str] = []
        for number, picture in enumerate(pictures):
            self.study.progress(f"painting: {group}", number, len(pictures))
            if self._one(group, picture, works):
                names.append(picture.name)
        return tuple(names)

    def _one(self, group: str, picture: Picture, works: Mapping[str, Work]) -> bool:
        if self.store.has(group, f"{picture.name}/{NONE}"):
            return False
        missing = [name for name in works if not self.store.has(group, f"{picture.name}/{name}")]
        if not missing:
            return True
        subject = read_subject(picture, self.engine.landmarker)
        if subject is None:
            self.store.unit(group, f"{picture.name}/{NONE}", lambda: ({}, None))
            return False
        for name in missing:
            works[name](subject)
        return True

    def _pictures(
        self, part: str, first_seed: int, count: int, *, after_judged: bool = False
    ) -> Sequence[Picture]:
        """Rendered ones from that seed on, or those of the user's folder."""
        scale = self.study.scale
        if self.study.data is None:
            return tuple(rendered(first_seed, count, scale.size_px))
        start = scale.judged if after_judged else 0
        return of_folder(self.study.data, part)[start : start + count]
