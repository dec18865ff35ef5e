"""What a prompt expects of hands, so that a picture can be checked: only what it states."""

from dataclasses import dataclass, field
from typing import Literal

from handwright.hand.grammar import StatedPose
from handwright.types import Side

Grasp = Literal["open", "flat", "fist", "point", "pinch", "power grasp", "hook", "relaxed"]
"""State of a hand. Open: fingers stretched, apart or together; flat: together and straight; point: the index
finger alone; pinch: thumb against fingertips; power grasp: closed around a thing; hook: fingers hooked."""

ContactKind = Literal["object", "hand", "self", "person", "body", "none"]
"""What a hand touches: a thing, another hand, the own body, somebody else, either of these, nothing."""

OpenPoint = Literal["number", "side", "direction", "contact", "extension"]
"""What a prompt can leave open; number belongs to the picture, the others to each hand."""

OPEN_POINTS: tuple[OpenPoint, ...] = ("number", "side", "direction", "contact", "extension")


@dataclass(frozen=True)
class Contact:
    """What a hand touches."""

    kind: ContactKind  # What kind of thing; 'none' where expressly nothing
    # What, in the prompt's words without article ('cup of coffee', 'chin'); empty where unnamed
    thing: str = ""


@dataclass(frozen=True)
class HandExpectation:
    """What a prompt states about one hand; None where it states nothing."""

    # Its side, fingers, named poses, palm and pointing direction (``hand.grammar.StatedPose``)
    pose: StatedPose = field(default_factory=StatedPose)
    grasp: Grasp | None = None  # Its state
    contact: Contact | None = None  # What it touches
    gloved: bool | None = None  # Whether it wears a glove
    hidden: bool = False  # It is stated to be out of sight (in a pocket, behind the back)

    @property
    def side(self) -> Side | None:
        """Which hand of its person."""
        return self.pose.side

    @property
    def open(self) -> tuple[OpenPoint, ...]:
        """What is left open, of side, direction, contact and extension; nothing of a hidden hand."""
        if self.hidden:
            return ()
        stated: dict[OpenPoint, bool] = {
            "side": self.side is not None,
            "direction": self.pose.palm is not None or self.pose.points is not None,
            "contact": self.contact is not None,
            "extension": self.pose.states_extension or self.grasp is not None,
        }
        return tuple(point for point, fixed in stated.items() if not fixed)


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a prompt states about the hands of a picture."""

    prompt: str  # As it was given
    least: int | None = None  # At least so many hands are in view; None where the prompt mentions none
    most: int | None = None  # At most so many; None where nothing bounds them
    # One for each hand that is mentioned ('two hands' are two alike); other hands are not excluded
    hands: tuple[HandExpectation, ...] = ()
    meeting: str = ""  # How two hands meet ('clasped', 'holding hands', …); empty where they do not
    people: int | None = None  # How many people are mentioned; None where that is not stated or not countable
    vague: tuple[str, ...] = ()  # Words that ask for good hands and fix nothing ('natural hands')

    @property
    def open(self) -> tuple[OpenPoint, ...]:
        """All that is left open by the picture or any of its hands, in ``OPEN_POINTS``' order."""
        if self.most == 0:
            return ()
        points = {point for hand in self.hands or (HandExpectation(),) for point in hand.open}
        if self.least is None or self.least != self.most:
            points.add("number")
        return tuple(point for point in OPEN_POINTS if point in points)
