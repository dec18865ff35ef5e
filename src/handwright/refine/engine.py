"""What stays loaded between pictures: the models that find, fit, judge and paint hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from handwright.handrefiner.network_loader import NetworkLoader
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.fit.own_fitter import OwnFitter
from handwright.plug_ins import PlugIn, name_of
from handwright.refine.painters import Painter
from handwright.refine.painters.own_painter import OwnPainter
from handwright.review.checks.broken_hold import BrokenHolds
from handwright.review.critic.appearance import Appearance
from handwright.review.critic.comparison import Comparison
from handwright.review.critic.prediction import Critic
from handwright.review.judge import Judge
from handwright.review.proposals.network import Proposer


@dataclass(frozen=True)
class Engine:
    """What stays loaded between pictures."""

    landmarker: Landmarker  # Detects hands and their landmarks
    # Opens diffusion models on first use and keeps them
    inpainters: NetworkLoader = field(default_factory=NetworkLoader)
    critic: Critic | None = None  # Predicts the defects of a hand; None: geometry alone judges
    proposer: Proposer | None = None  # Finds hands that the landmarker overlooks, or None
    comparison: Comparison | None = None  # Tells whether a candidate looks worse; None: nothing does
    on_stage: Callable[[str], None] = lambda _: None  # Called with the name of every stage as it begins
    appearance: Appearance | None = None  # Judges how a hand looks; None: nothing does
    holds: BrokenHolds | None = None  # Fails holds that no hand shows; None: nothing does
    fitter: OwnFitter | None = None  # The user's mesh fitter; None: the package's
    painter: Painter | None = None  # The user's painter, for settings that name it
    # What of all this is the user's own, by kind: names or objects
    plug_ins: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def judge(self) -> Judge:
        """Who reviews the hands."""
        return Judge(self.landmarker, self.critic, self.proposer, self.appearance, self.fitter, self.holds)

    @property
    def judges(self) -> tuple[str, ...]:
        """What the review rests on, in users' words."""
        if "critic" in self.plug_ins:
            return ("geometry", name_of(self.plug_ins["critic"]))
        return ("geometry",) if self.critic is None else ("geometry", "network")

    def with_plug_ins(self, given: Mapping[str, Any]) -> Engine:
        """The engine with the user's own models in place of its own; those that it has stay loaded.

        Args:
            given: Names or objects by kind (``handwright.plug_ins``).

        Raises:
            PlugInError: One cannot be imported or made, or lacks its method.
        """
        if dict(given) == dict(self.plug_ins):
            return self
        judge = self.judge.with_plug_ins(given)
        painter = OwnPainter(PlugIn("painter", given["painter"])) if "painter" in given else self.painter
        return replace(
            self,
            landmarker=judge.landmarker,
            critic=judge.critic,
            fitter=judge.fitter,
            painter=painter,
            plug_ins=dict(given),
        )
