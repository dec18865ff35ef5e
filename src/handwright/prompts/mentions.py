"""Which hands a prompt mentions, and which of its clauses are about each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from handwright.hand.grammar import parse_pose_text
from handwright.prompts.contact import contact_in, grasp_in, hidden_in, meeting_in, without_negations
from handwright.prompts.words import find, pattern
from handwright.types import Side

_NUMBERS = {
    "two": 2, "2": 2, "three": 3, "3": 3, "four": 4, "4": 4, "five": 5, "six": 6, "eight": 8, "ten": 10,
}  # fmt: skip


@dataclass
class Mention:
    """One hand, or several alike, with the clauses about it."""

    number: int = 1  # How many hands
    exact: bool = False  # No more of them than that
    both: bool = False  # All hands of someone, one left and one right
    side: Side | None = None  # Which hand
    named: bool = False  # The word 'hand' is there; else only what it does
    clauses: list[str] = field(default_factory=list[str])  # The clauses about it

    @property
    def text(self) -> str:
        """All clauses about it."""
        return ", ".join(self.clauses)


def mentions_in(text: str) -> tuple[Mention, ...]:
    """The hands that a plain text mentions, in order; clauses that name no hand go to the one named last."""
    found: list[Mention] = []
    current: Mention | None = None
    before: list[str] = []
    for clause in clauses_of(text):
        new = _mention(clause, current)
        here = current if new is None else _continued(new, found, current, clause)
        if here is None and new is None:
            before.append(clause)
            continue
        if here is None and new is not None:
            new.clauses, before = before, []
            found.append(new)
            here = new
        elif here is not None and new is not None:
            here.side = here.side or new.side
            here.exact |= new.exact and len(found) == 1
        if here is not None:
            here.clauses.append(clause)
        current = here
    return _merged(found)


def clauses_of(text: str) -> Sequence[str]:
    """The parts of a text that may be about different hands."""
    return [clause.strip() for clause in pattern("clause_end").split(text + " ") if clause and clause.strip()]


def _mention(clause: str, current: Mention | None) -> Mention | None:
    """The hand or hands that a clause names, or implies by what it does."""
    affirmed = clause if hidden_in(clause) else without_negations(clause)
    if meeting_in(affirmed) and not find("sided", affirmed):
        return _counted(affirmed) if find("counted", affirmed) else Mention(2)
    if sided := find("sided", affirmed):
        return Mention(
            side=cast("Side", next(group for group in sided.groups() if group)), exact=_exact(affirmed)
        )
    if current is not None and find("other", affirmed):
        last = current.side
        return Mention(side=None if last is None else "left" if last == "right" else "right")
    if find("counted", affirmed):
        return _counted(affirmed)
    if find("plural", affirmed):
        return Mention(2)
    if len(pattern("each").findall(affirmed)) > 1:
        return Mention(len(pattern("each").findall(affirmed)), exact=True)
    if find("single", affirmed):
        return Mention(exact=_exact(affirmed), named=True)
    pose = parse_pose_text(affirmed)
    implied = (
        pose.states_extension
        or bool(pose.names)
        or grasp_in(affirmed) is not None
        or contact_in(affirmed) is not None
    )
    return Mention() if implied else None


def _counted(affirmed: str) -> Mention:
    hit = find("counted", affirmed)
    number, both, _ = hit.groups() if hit else (None, None, None)
    return Mention(_NUMBERS.get(number or "", 2), exact=True, both=both is not None)


def _exact(affirmed: str) -> bool:
    return find("exactly_one", affirmed) is not None


def _continued(
    new: Mention, found: Sequence[Mention], current: Mention | None, clause: str
) -> Mention | None:
    """The hand mentioned before that a clause is about; None for a new one."""
    if current is None or re.search(
        r"\b(?:another|second|other) (?:left |right )?hand\b|\bthe other\b", clause
    ):
        return None
    if new.side is not None:
        same = [mention for mention in found if mention.side == new.side]
        bare = re.fullmatch(r"(?:the |her |his |with (?:the|her|his) )?(?:left|right) hand", clause)
        alone = current.side is None and current.number == 1 and len(found) == 1
        return same[0] if same else current if bare and alone else None
    if new.number > 1:
        return next((mention for mention in found if mention.number > 1), None)
    if re.search(r"\bone hand\b", clause):
        return None
    names, before = parse_pose_text(clause).names, parse_pose_text(current.text).names
    if names and before:
        return current if set(names) & set(before) else None
    return None if before and not current.named and current.side is None and contact_in(clause) else current


def _merged(found: Sequence[Mention]) -> tuple[Mention, ...]:
    """Mentions with and without a side are one where the second only adds to the first."""
    kept = list(found)
    for mention in found:
        if mention.number > 1 or mention.side is not None:
            continue
        later = [m for m in kept[kept.index(mention) + 1 :] if m.side is not None and _adds_to(mention, m)]
        if later:
            later[0].clauses[:0] = mention.clauses
            kept.remove(mention)
    return tuple(kept)


def _adds_to(first: Mention, second: Mention) -> bool:
    """Whether a later mention is about the same hand: their shapes agree, or the first has none."""
    one, other = (parse_pose_text(without_negations(mention.text)) for mention in (first, second))
    if (
        hidden_in(first.text)
        or hidden_in(second.text)
        or (contact_in(first.text) and contact_in(second.text))
    ):
        return False
    if one.states_extension:
        pairs = zip((*one.extended, *one.fingers), (*other.extended, *other.fingers), strict=True)
        return other.states_extension and all(a is None or b is None or a == b for a, b in pairs)
    if grasp_in(first.text) is not None:
        return other.states_extension
    alike = one.palm is not None and one.palm == other.palm
    return other.states_extension and (alike or True not in other.extended[1:])
