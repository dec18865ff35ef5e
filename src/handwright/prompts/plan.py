"""The plan of a prompt: what it fixes about hands, what it leaves open, wordings that leave nothing open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handwright.errors import UsageError
from handwright.hand.grammar import PoseWords, describe
from handwright.prompts.captions import WORDINGS
from handwright.prompts.expectation import Expectation, HandExpectation, OpenPoint
from handwright.prompts.parse import parse_prompt
from handwright.prompts.prompt_text import NEGATIVE_WORDS
from handwright.prompts.suggestions import fixed_of, proposed_pose, suggestions_for
from handwright.types import Side

QUESTIONS: Mapping[OpenPoint, str] = {
    "number": "how many hands", "side": "which hand", "direction": "which way it faces",
    "contact": "what it touches", "extension": "which fingers are stretched out",
}  # fmt: skip


@dataclass(frozen=True)
class OpenQuestion:
    """Something that a prompt leaves to chance."""

    point: OpenPoint  # What
    question: str  # The same in words
    suggestions: tuple[str, ...]  # Two or three wordings


@dataclass(frozen=True)
class HandPlan:
    """One hand of the picture."""

    title: str  # 'left hand', 'hand 2'
    fixed: Mapping[str, str]  # What the prompt states about it, in words, by point
    open: tuple[OpenQuestion, ...]  # What it leaves open
    pose: PoseWords | None  # A complete pose that agrees with the prompt; None for a hand out of sight


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a prompt decides about hands, before a picture is made.

    Attributes:
        expectation: By the prompt.
        fixed: What it states about the picture as a whole, in words.
        open: What it leaves open there.
        hands: One for each hand that is mentioned or proposed.
        prompts: The prompt completed, by wording; empty where no hand is to be in view.
        negative: Words to steer away from.
        warnings: What will not work as it is written.
    """

    expectation: Expectation
    fixed: Mapping[str, str]
    open: tuple[OpenQuestion, ...]
    hands: tuple[HandPlan, ...]
    prompts: Mapping[str, str]
    negative: str
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "prompt": self.expectation.prompt,
            "hands_least": self.expectation.least,
            "hands_most": self.expectation.most,
            "fixed": dict(self.fixed),
            "open": [_question_json(question) for question in self.open],
            "hands": [
                {
                    "title": hand.title,
                    "fixed": dict(hand.fixed),
                    "open": [_question_json(question) for question in hand.open],
                    "pose": str(hand.pose) if hand.pose else None,
                }
                for hand in self.hands
            ],
            "prompts": dict(self.prompts),
            "negative": self.negative,
            "warnings": list(self.warnings),
        }


def plan_prompt(prompt: str) -> Plan:
    """What a prompt fixes and leaves open about hands; the same for the same prompt.

    Raises:
        UsageError: The prompt is empty.
    """
    if not prompt.strip():
        raise UsageError("there is no prompt to plan", "the text is empty", "say what the picture shows")
    expected = parse_prompt(prompt)
    proposed = expected.hands or ((HandExpectation(),) if expected.people else ())
    sides = _sides(proposed, expected)
    poses = [
        None if hand.hidden else proposed_pose(hand, side, expected.meeting, first=k == 0)
        for k, (hand, side) in enumerate(zip(proposed, sides, strict=True))
    ]
    hands = _planned(proposed, poses, expected)
    number_open = "number" in expected.open and bool(proposed)
    return Plan(
        expectation=expected,
        fixed=_fixed(expected),
        open=(_question("number", HandExpectation(), None, expected),) if number_open else (),
        hands=tuple(hands),
        prompts=_prompts(prompt, poses),
        negative=_negative(expected),
        warnings=_warnings(expected),
    )


def _sides(hands: tuple[HandExpectation, ...], expected: Expectation) -> list[Side]:
    """Sides to propose: two open ones are a pair, a handshake is of two right hands, one is a right hand."""
    if len(hands) == 2 and expected.meeting not in ("handshake", "high five", "fist bump"):
        first, second = hands[0].side, hands[1].side
        return [
            first or ("right" if second == "left" else "left"),
            second or ("left" if first == "right" else "right"),
        ]
    return [hand.side or "right" for hand in hands]


def _planned(
    hands: tuple[HandExpectation, ...], poses: list[PoseWords | None], expected: Expectation
) -> list[HandPlan]:
    """A plan for every hand; hands with the same statements, sides aside, differ in their poses only."""
    planned: list[HandPlan] = []
    for k, (hand, pose) in enumerate(zip(hands, poses, strict=True)):
        title = f"{hand.side} hand" if hand.side else "the hand" if len(hands) == 1 else f"hand {k + 1}"
        several = hand.side is None and hands.count(hand) > 1
        questions = tuple(_question(point, hand, pose, expected, several) for point in hand.open)
        planned.append(HandPlan(title, fixed_of(hand), questions, pose))
    return planned


def _question(
    point: OpenPoint,
    hand: HandExpectation,
    pose: PoseWords | None,
    expected: Expectation,
    several: bool = False,
) -> OpenQuestion:
    return OpenQuestion(
        point, QUESTIONS[point], suggestions_for(point, hand, pose, expected, several=several)
    )


def _fixed(expected: Expectation) -> dict[str, str]:
    least, most = expected.least, expected.most
    fixed: dict[str, str] = {}
    if most == 0:
        fixed["number"] = "no hand is to be seen"
    elif least is not None:
        fixed["number"] = (
            f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        )
    if expected.meeting:
        fixed["meeting"] = expected.meeting
    if expected.people:
        fixed["people"] = str(expected.people)
    return fixed


def _prompts(prompt: str, poses: list[PoseWords | None]) -> dict[str, str]:
    """The prompt with every hand's pose behind it, before Midjourney's parameters."""
    shown = [pose for pose in poses if pose is not None]
    head, dashes, parameters = " ".join(prompt.split()).partition(" --")
    joiners = {"terse": ", ", "natural": ", the ", "technical": "; "}
    prompts: dict[str, str] = {}
    for wording in WORDINGS if shown else ():
        parts = [head.rstrip(" ,.;")]
        for k, pose in enumerate(shown):
            again = pose.side in [other.side for other in shown[:k]]
            joiner = joiners[wording].replace("the ", "another ") if again else joiners[wording]
            parts += [joiner, "another " if again and wording != "natural" else "", describe(pose, wording)]
        prompts[wording] = "".join([*parts, dashes, parameters])
    return prompts


def _negative(expected: Expectation) -> str:
    if expected.most == 0:
        return "hands, fingers"
    words = [word for word in NEGATIVE_WORDS if word != "cropped"] + ["fused fingers"]
    gloved = {hand.gloved for hand in expected.hands}
    words += ["gloves"] if gloved == {False} else []
    words += ["extra hands"] if expected.most is not None else []
    words += (
        ["holding something"] if any(h.contact and h.contact.kind == "none" for h in expected.hands) else []
    )
    return ", ".join(words)


def _warnings(expected: Expectation) -> tuple[str, ...]:
    warnings = [f"“{words}” asks for good hands and leaves their pose open." for words in expected.vague]
    if not expected.hands and expected.people and expected.most != 0:
        warnings.append("The prompt shows people and leaves their hands to chance.")
    if not expected.hands and not expected.people:
        warnings.append("The prompt mentions no hand and nobody who has one.")
    return tuple(warnings)


def _question_json(question: OpenQuestion) -> dict[str, Any]:
    return {"point": question.point, "question": question.question, "suggestions": list(question.suggestions)}
