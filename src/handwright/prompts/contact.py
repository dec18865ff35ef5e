"""What a hand touches, wears or does by a clause of a prompt."""

import re
from typing import cast

from handwright.prompts.expectation import Contact, Grasp
from handwright.prompts.words import find, first_in, pattern


def meeting_in(clause: str) -> str:
    """How two hands meet, by the names of captions and of everyday speech; empty where they do not."""
    return first_in("meetings", clause)


def contact_in(clause: str) -> Contact | None:
    """What a hand touches by a clause; None where it is not stated."""
    if find("empty", clause):
        return Contact("none")
    for hit in pattern("held").finditer(clause):
        thing = _bare_noun(hit[1])
        if thing and not find("no_thing", hit[1]) and not find("no_thing", thing):
            return _of_body(thing, hit[1], clause) or Contact("object", thing)
    held = find("with_in_hand", clause) or find("in_hand", clause)
    if held and not re.search(r"\bhands?\b|hidden", held[1]):
        return Contact("object", _bare_noun(held[1]))
    if touched := find("touched", clause):
        thing = _bare_noun(touched[1])
        placed = re.search(r"(?:on|against|around|touching) " + re.escape(touched[1]), clause)
        return _of_body(thing, touched[1], clause) or (
            Contact("object", thing) if placed and not find("not_solid", thing) else None
        )
    if resting := find("resting", clause):
        return Contact("self", resting[1])
    if re.search(r"\btyping\b", clause):
        return Contact("object", "keyboard")
    if find("writing", clause):
        return Contact("object", "pen")
    return None


def gloved_in(text: str) -> bool | None:
    """True where a text has gloved hands, False where it has bare ones, None where it states neither."""
    if find("bare", text):
        return False
    return True if find("gloved", re.sub(r"\b(?:no|without|not)\b[^,;.]*", "", text)) else None


def hidden_in(clause: str) -> bool:
    """Whether hands are out of sight by a clause."""
    return find("hidden", clause) is not None


def grasp_in(clause: str) -> Grasp | None:
    """The state of the hand that a clause names."""
    return cast("Grasp", first_in("grasps", clause)) or None


def without_negations(clause: str) -> str:
    """A clause without what it negates ('no extra fingers', 'not pointing')."""
    return re.sub(
        r"\b(?:no|without|not|never|isn't|aren't|don't|doesn't)\b.*?(?=$|[,;.]| but )", " ", clause
    ).strip()


def _bare_noun(words: str) -> str:
    return pattern("before_a_noun").sub("", words.strip()).strip()


def _of_body(thing: str, words: str, clause: str) -> Contact | None:
    """A contact with the own body or somebody else's, where the thing is a part of one."""
    whose = re.match(r"(her|his|their|my|your)\b", words)
    owner = re.search(r"\b(her|his|their|my) (?:\w+ )?hand", clause)
    part = find("part_of_body", thing)
    if find("somebody", words) and (part or re.search(r"'s\b", words)):
        return Contact("person", thing)
    if whose and owner and whose[1] != owner[1]:
        return Contact("person", thing)
    if part and len(thing.split()) <= 2:
        unclear = (
            whose is None
            and "own" not in words.split()
            and re.search(r"(?:shoulders?|arms?|back|knees?|legs?)$", thing)
        )
        return Contact("body" if unclear else "self", thing.removeprefix("own "))
    return None
