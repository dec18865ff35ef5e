"""The paintings of a study, picture by picture; what is in the store already is not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.inpainter import Inpainter, Inpainters
from handwright.handrefiner.pipeline import Engine
from handwright.handrefiner.settings import DIFFUSING, RefineSettings
from handwright.metrics.crops import hand_crop
from handwright.perception.find import find_hands
from handwright.workflow.reproduce.painted import crop_of, judge_subject, paint_subject, untouched
from handwright.workflow.reproduce.rows import Row, phase_settings, strategy_rows, table_rows
from handwright.workflow.reproduce.store import Crop, Record, Store
from handwright.workflow.reproduce.study import GRID, JUDGED_FROM, REFERENCE_FROM, TABLE_FROM, Study
from handwright.workflow.reproduce.subjects import (
    MADE,
    REAL,
    Picture,
    Subject,
    of_folder,
    read_subject,
    rendered,
)

TABLE, HARMONISE, JUDGED, REFERENCE = "table", "harmonise", "judged", "reference"
"""Groups of units; those of the phase figure begin with ``PHASE``."""

PHASE = "phase"

UNTOUCHED, NONE = "untouched", "none"
"""Names of units: the picture as it is; a picture without a hand."""

TOLD = 10
"""Pictures between two lines of progress."""

Make = Callable[[Subject], tuple[Record, Crop | None]]


@dataclass(frozen=True)
class Phase:
    """Paintings with every strength of the grid.

    Attributes:
        group: Of their units.
        names: Of the pictures with a hand.
    """

    group: str
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bench:
    """What all paintings share.

    Attributes:
        study: What to do.
        store: Where it is kept.
        engine: Eyes and judge.
    """

    study: Study
    store: Store
    engine: Engine
    _opened: dict[str | None, Inpainters] = field(default_factory=dict[str | None, Inpainters])
    _warm: set[str] = field(default_factory=set[str])

    def network(self, diffusion: DiffusionSettings) -> Inpainter:
        """The network of some settings; those of several ControlNets stay open side by side."""
        opener = Inpainters(self.engine.inpainters.open_inpainter)
        return self._opened.setdefault(diffusion.controlnet, opener)(diffusion)

    def rows(self) -> tuple[Row, ...]:
        """The rows of Table 3."""
        network, study = self.network(self.study.diffusion), self.study
        return table_rows(study.diffusion, network.guidance, network.fixed_strength, study.variants)

    def table(self) -> tuple[str, ...]:
        """Every picture by every row of Table 3, from pure noise; names of those with a hand."""
        return self._treated(TABLE, "diffuse", self.rows())

    def harmonised(self) -> tuple[str, ...]:
        """The strategies with the painter that sets out from the drawn hand."""
        return self._treated(HARMONISE, "harmonise", strategy_rows(self.study.diffusion))

    def phases(self) -> dict[str, Phase]:
        """Pictures with every strength of the grid.

        Both painters by depth; 'diffuse' with no outline given away by mask or colours; other controls.
        """
        depth = self.study.diffusion
        found = {painter: self._phase(painter, painter, depth) for painter in DIFFUSING[::-1]}
        found["diffuse, bare"] = self._phase("diffuse, bare", "diffuse", depth, bare=True)
        for kind, settings in phase_settings(depth, self.study.variants).items():
            found[f"diffuse, {kind}"] = self._phase(f"diffuse, {kind}", "diffuse", settings)
        return found

    def _phase(self, label: str, painter: str, settings: DiffusionSettings, *, bare: bool = False) -> Phase:
        group = f"{PHASE}-{label.replace(', ', '-')}"
        makes = {f"{s:g}": self._by(painter, replace(settings, strength=s), bare=bare) for s in GRID}
        pictures = self._pictures(MADE, TABLE_FROM, self.study.scale.phase)
        return Phase(group, self._each(group, pictures, makes))

    def judged(self) -> tuple[str, ...]:
        """Pictures of their own with every strength above 0, scored by the judge of ``refine``."""
        makes = {
            f"{s:g}": self._by("diffuse", replace(self.study.diffusion, strength=s), judged=True)
            for s in GRID[1:]
        }
        pictures = self._pictures(REAL, JUDGED_FROM, self.study.scale.judged)
        return self._each(JUDGED, pictures, {UNTOUCHED: self._untouched, **makes})

    def reference(self) -> tuple[str, ...]:
        """Crops of the hands of other pictures, nothing painted."""
        names: list[str] = []
        for picture in self._pictures(REAL, REFERENCE_FROM, self.study.scale.reference, after_judged=True):
            if self.store.unit(REFERENCE, picture.name, lambda p=picture: self._seen(p))["hand"]:
                names.append(picture.name)
        return tuple(names)

    def _treated(self, group: str, painter: str, rows: Sequence[Row]) -> tuple[str, ...]:
        makes = {row.name: self._by(painter, row.settings) for row in rows if not row.missing}
        pictures = self._pictures(MADE, TABLE_FROM, self.study.scale.table)
        return self._each(group, pictures, {UNTOUCHED: self._untouched, **makes})

    def _by(
        self, painter: str, diffusion: DiffusionSettings, *, judged: bool = False, bare: bool = False
    ) -> Make:
        settings = RefineSettings(painter=painter, diffusion=diffusion)
        work = judge_subject if judged else partial(paint_subject, bare=bare)

        def make(subject: Subject) -> tuple[Record, Crop]:
            network = self.network(diffusion)
            record, pixels = work(subject, settings, self.study.seed, network, self.engine.judge)
            return record, crop_of(pixels, subject)

        return make

    def _untouched(self, subject: Subject) -> tuple[Record, Crop]:
        record, pixels = untouched(subject, self.engine.judge)
        return record, crop_of(pixels, subject)

    def _seen(self, picture: Picture) -> tuple[Record, Crop | None]:
        pixels = picture.read()
        found = find_hands(pixels, landmarker=self.engine.landmarker)
        if not found:
            return {"hand": False}, None
        largest = max(found, key=lambda hand: hand.size_px)
        return {"hand": True}, hand_crop(pixels, largest.bbox_xyxy_px)

    def _each(self, group: str, pictures: Iterable[Picture], makes: dict[str, Make]) -> tuple[str, ...]:
        """Make what is missing of every picture; names of those that show a hand."""
        names: list[str] = []
        for number, picture in enumerate(pictures, start=1):
            if self._one(group, picture, makes):
                names.append(picture.name)
            if number % TOLD == 0:
                self.study.say(f"{group}: {number} pictures, {len(names)} with a hand")
        return tuple(names)

    def _one(self, group: str, picture: Picture, makes: dict[str, Make]) -> bool:
        if self.store.has(group, f"{picture.name}/{NONE}"):
            return False
        missing = [name for name in makes if not self.store.has(group, f"{picture.name}/{name}")]
        if not missing:
            return True
        subject = read_subject(picture, self.engine.landmarker)
        if subject is None:
            self.store.unit(group, f"{picture.name}/{NONE}", lambda: ({}, None))
            return False
        if group not in self._warm:
            makes[missing[-1]](subject)  # loads and compiles, so that no unit's time tells of it
            self._warm.add(group)
        for name in missing:
            self.store.unit(group, f"{picture.name}/{name}", lambda name=name: makes[name](subject))
        return True

    def _pictures(
        self, part: str, first_seed: int, count: int, *, after_judged: bool = False
    ) -> Iterable[Picture]:
        """Rendered ones from that seed on, or those of the user's folder."""
        scale = self.study.scale
        if self.study.data is None:
            return rendered(first_seed, count, scale.size_px)
        start = scale.judged if after_judged else 0
        return of_folder(self.study.data, part)[start : start + count]
