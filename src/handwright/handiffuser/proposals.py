"""People that fit a text: T2H's draws, the best of them by what our rules read in the text."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from handwright.body.free_body import pose_body, with_fingers
from handwright.body.parameters import BodyParameters
from handwright.hand.grammar import StatedPose, angles_of
from handwright.handiffuser.hand_words import Agreement, agreement_of, hands_in_words
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline
from handwright.prompts.captions import Scene, technical_caption
from handwright.prompts.expectation import Expectation, HandExpectation
from handwright.prompts.plan import Plan, plan_prompt
from handwright.prompts.subject import subject_of
from handwright.types import Side

DRAWS = 8
"""People that are drawn for a text; the best is kept. More cost 21 tokens each; chosen by eye."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """One person for a text."""

    parameters: BodyParameters  # Within anatomical limits
    agreement: Agreement  # With what the rules read in the text
    mended: tuple[Side, ...]  # Hands whose fingers no draw had right: they come from the grammar
    plan: Plan  # Of the text

    @property
    def named(self) -> frozenset[Side]:
        """Hands that the text speaks of by their side."""
        stated = stated_hands(self.plan.expectation)
        return frozenset(pose.side for pose in stated if pose.side is not None)


def propose_people(
    prompt: str,
    pipeline: TextToHandPipeline,
    *,
    count: int = 1,
    draws: int = DRAWS,
    mend: bool = True,
    generator: torch.Generator | None = None,
    size_px: tuple[int, int] = (256, 256),
    caption: str | None = None,
) -> list[Proposal]:
    """Draw people as a text describes them.

    Args:
        prompt: The text.
        pipeline: T2H.
        count: People to return, at least 1.
        draws: People drawn for each of them.
        mend: Fingers that the text states and no draw has right are set to the grammar's typical angles.
        generator: Of the noise.
        size_px: Width and height of the picture that they are framed for.
        caption: What T2H gets; None: ``caption_of`` the text's plan.

    Returns:
        The people, the one that agrees best with the text first.

    Raises:
        UsageError: The prompt is empty, or a number is out of range.
    """
    plan = plan_prompt(prompt)
    stated = stated_hands(plan.expectation)
    drawn = pipeline(
        caption_of(plan) if caption is None else caption,
        num_samples_per_prompt=count * draws,
        generator=generator,
        size_px=size_px,
    ).parameters
    rated = [(agreement_of(person, stated), person) for person in drawn]
    rated.sort(key=lambda pair: -worth(pair[0]))
    found: list[Proposal] = []
    for agreement, person in rated[:count]:
        mended: tuple[Side, ...] = ()
        if mend and agreement.fingers < agreement.hands:
            person, mended = with_stated_fingers(person, plan)
            agreement = agreement_of(person, stated)
        found.append(Proposal(person, agreement, mended, plan))
    return found


def caption_of(plan: Plan) -> str:
    """A text as T2H learnt texts: who is seen and how all planned fingers are, where the text states any.

    Users' own words are left out: those that T2H does not know make it lift arms and bring hands together. Of
    32 people for each of the 34 texts of one hand in bench/data/prompts_50.txt, 91 % have all right that is
    stated of the hand, and the other arm hangs; 89 and 83 % with the natural and the terse wording, 70 % with
    the technical one behind the user's own words (seeds 1 and 2).
    """
    poses = [hand.pose for hand in plan.hands if hand.pose is not None]
    hands = tuple(poses) if stated_hands(plan.expectation) else ()
    scene = Scene(hands, "photo", subject=subject_of(plan.expectation.prompt))
    return technical_caption(scene)


def stated_hands(expected: Expectation) -> tuple[StatedPose, ...]:
    """What a text states of each hand that it mentions and that is not out of sight."""
    return tuple(_with_grasp(hand) for hand in expected.hands if not hand.hidden)


def _with_grasp(hand: HandExpectation) -> StatedPose:
    """A hand's pose; of a hand that is open by the text, and no more (a wave), fingers are stretched."""
    if hand.grasp in ("open", "flat") and not hand.pose.states_extension:
        return replace(hand.pose, fingers=("extended",) * 4)
    return hand.pose


def with_stated_fingers(parameters: BodyParameters, plan: Plan) -> tuple[BodyParameters, tuple[Side, ...]]:
    """The person, with fingers of the grammar where the text of a plan states others than they have.

    What is stated of a hand without a side holds for the higher one.

    Returns:
        The person and the sides that were changed.
    """
    hands, words = pose_body(parameters).hands, hands_in_words(parameters)
    dofs_rad, taken = dict[Side, Float[np.ndarray, "24"]](), set[Side]()
    expected = zip(plan.hands, plan.expectation.hands, strict=False)
    higher_first: list[Side] = sorted(hands, key=lambda side: hands[side].translation_m[1])  # y is down
    shown = [planned for planned, hand in expected if not hand.hidden]  # as ``stated_hands`` has them
    for pose, planned in zip(stated_hands(plan.expectation), shown, strict=False):
        free: list[Side] = [one for one in higher_first if one not in taken] or higher_first
        side: Side = free[0] if pose.side is None else pose.side
        taken.add(side)
        if (
            planned.pose is None
            or side in dofs_rad
            or replace(pose, palm=None, points=None).fits(words[side])
        ):
            continue
        dofs_rad[side] = np.asarray(angles_of(planned.pose))
    return with_fingers(parameters, dofs_rad), tuple(dofs_rad)


def worth(agreement: Agreement) -> float:
    """What people are chosen by: hands that are right as a whole, then fingers, then directions."""
    return agreement.whole + 0.1 * agreement.fingers + 0.01 * agreement.directions
