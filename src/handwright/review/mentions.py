"""Which hands a prompt speaks of, and which of its clauses speak of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from handwright.hand.grammar import understand
from handwright.review.said_contact import contact_in, grasp_in, hidden_in, meeting_in, without_negations
from handwright.types import Side

_NUMBERS = {
    "two": 2,
    "2": 2,
    "three": 3,
    "3": 3,
    "four": 4,
    "4": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
    "ten": 10,
}
_HANDS = r"(?:hands|fists|palms)\b"
_SIDED = re.compile(
    r"\b(left|right) (?:gloved |bare |raised |open |clenched )?(?:hand|fist|palm|thumb|index finger)\b"
    r"|\b(?:with|in|on|using|and) (?:the|her|his|their|my|its) (left|right)(?= *$| one\b| holding\b| holds\b)"
    r"|\bthe (left|right)(?: one)? (?=holding|pointing|waving|raised|resting|open|clenched|in a fist|on)"
)
_OTHER = re.compile(
    r"\b(?:the|her|his|their|my) other(?: hand| one)?\b(?! (?:side|person|woman|man|people))|\bother hand\b"
)
_COUNTED = re.compile(
    rf"\b({'|'.join(_NUMBERS)}) (?:\w+ ){{0,3}}?(?:{_HANDS}|thumbs up)|\b(both) (?:\w+ )?{_HANDS}|\b(pair) of (?:\w+ )?{_HANDS}"
)
_PLURAL = re.compile(rf"\b{_HANDS}|\bdouble (?:v|thumbs up|peace sign)\b")
_EACH = re.compile(r"\b(?:a|an|another|one) (?:\w+ ){0,2}?hand\b")
_SINGLE = re.compile(r"\b(?:hand|fist|palm)\b")
_EXACTLY_ONE = re.compile(
    r"\b(?:a|an|one|single|lone) (?:[\w'-]+ ){0,4}?(?:hand|fist|palm)\b|\b(?:close|closeup|macro)[ -]?(?:up|shot)? (?:\w+ )*of (?:\w+ ){0,4}?(?:hand|fist)\b"
)
_SPLIT = re.compile(
    r"[,;.!?] |\s(?:and|while|as)\s+(?=(?:is |are )?\w+ing\b|(?:the |her |his |their |a |one |my |its )?(?:left|right|other)\b|"
    r"one hand|another hand|a (?:peace|thumbs|fist|ok)|(?:thumbs|peace|ok|fist)|"
    r"(?:an? |the |his |her )?(?:\w+ ){1,4}?(?:in|with|on) (?:\w+ )?(?:left|right|other)\b|"
    r"(?:an? |the |his |her )?\w+ (?:left|right) (?:hand|fist)\b)"
)


@dataclass
class Mention:
    """One hand, or several alike, and what is said of it.

    Attributes:
        number: How many hands.
        exact: No more of them than that.
        both: All hands of someone, one left and one right.
        side: Which hand.
        named: The word 'hand' is there; else only what it does.
        clauses: What is said.
    """

    number: int = 1
    exact: bool = False
    both: bool = False
    side: Side | None = None
    named: bool = False
    clauses: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """All that is said of it."""
        return ", ".join(self.clauses)


def mentions_in(text: str) -> tuple[Mention, ...]:
    """The hands that a plain text speaks of, in order; clauses that name no hand go to the one named last.

    Args:
        text: As ``prompt_text.of_hands`` returns it.
    """
    found: list[Mention] = []
    before: list[str] = []
    for clause in clauses_of(text):
        new = _mention(clause, found)
        here = _home(new, found, clause)
        if here is not None:
            here.clauses.append(clause)
            here.side = here.side or (new.side if new is not None else None)
            here.exact |= new is not None and new.exact and not found[:-1]
        elif new is not None:
            new.clauses = [*before, clause] if not found else [clause]
            found.append(new)
            before = []
        elif found:
            found[-1].clauses.append(clause)
        else:
            before.append(clause)
    return tuple(found)


def clauses_of(text: str) -> Sequence[str]:
    """The parts of a text that may speak of different hands."""
    return [clause.strip() for clause in _SPLIT.split(text + " ") if clause and clause.strip()]


def _mention(clause: str, found: Sequence[Mention]) -> Mention | None:
    """The hand or hands that a clause names, or implies by what it does."""
    said = clause if hidden_in(clause) else without_negations(clause)
    if meeting_in(said) and not _SIDED.search(said):
        return _counted(said) if _COUNTED.search(said) else Mention(2)
    if sided := _SIDED.search(said):
        return Mention(
            side=cast("Side", next(group for group in sided.groups() if group)), exact=_exact(said)
        )
    if found and _OTHER.search(said):
        last = found[-1].side
        return Mention(side=None if last is None else "left" if last == "right" else "right")
    if _COUNTED.search(said):
        return _counted(said)
    if _PLURAL.search(said):
        return Mention(2)
    if len(_EACH.findall(said)) > 1:
        return Mention(len(_EACH.findall(said)), exact=True)
    if _SINGLE.search(said):
        return Mention(exact=_exact(said), named=True)
    pose = understand(said)
    implied = (
        pose.says_extension or bool(pose.names) or grasp_in(said) is not None or contact_in(said) is not None
    )
    if re.search(r"\bpraying\b|\bin prayer\b", said):
        return Mention(2)
    return Mention() if implied else None


def _counted(said: str) -> Mention:
    hit = _COUNTED.search(said)
    number, both, _ = hit.groups() if hit else (None, None, None)
    return Mention(_NUMBERS.get(number or "", 2), exact=True, both=both is not None)


def _exact(said: str) -> bool:
    return _EXACTLY_ONE.search(said) is not None


def _home(new: Mention | None, found: Sequence[Mention], clause: str) -> Mention | None:
    """The hand spoken of before that a clause goes on about; None for one that is new."""
    if new is None or not found:
        return None
    last = found[-1]
    if new.side is not None:
        same = [mention for mention in found if mention.side == new.side]
        bare = re.fullmatch(r"(?:the |her |his |with (?:the|her|his) )?(?:left|right) hand", clause)
        return same[0] if same else last if bare and last.side is None and last.number == 1 else None
    if new.number > 1:
        return next((mention for mention in found if mention.number > 1), None)
    if re.search(r"\b(?:another|one|other) hand\b|\bthe other\b", clause):
        return None
    names, before = understand(clause).names, understand(last.text).names
    if names and before:
        return last if set(names) & set(before) else None
    return None if before and not last.named and last.side is None and contact_in(clause) else last
