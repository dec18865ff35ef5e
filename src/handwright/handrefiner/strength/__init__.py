"""Control strength (HandRefiner §3.2): a number, or one of three strategies by name, one module each."""

from handwright.handrefiner.strength.adaptive import STRENGTHS, adaptive
from handwright.handrefiner.strength.auto import NEAR, auto, schedule
from handwright.handrefiner.strength.decide import STRATEGIES, decide, resolved
from handwright.handrefiner.strength.fixed import fixed
from handwright.handrefiner.strength.trial import Decision, Trial

__all__ = [
    "NEAR",
    "STRATEGIES",
    "STRENGTHS",
    "Decision",
    "Trial",
    "adaptive",
    "auto",
    "decide",
    "fixed",
    "resolved",
    "schedule",
]
