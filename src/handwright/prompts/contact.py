"""What a hand touches, wears or does by a clause of a prompt."""

import re

from handwright.prompts.expectation import Contact, Grasp

_OWN = (
    r"hips?|chin|cheeks?|face|head|hair|forehead|mouth|lips|nose|ears?|neck|chest|heart|stomach|belly|waist|"
    r"knees?|lap|thighs?|legs?|elbows?|arms?|shoulders?|back|temples?|eyes?|breast|throat|beard|lips?"
)
_WHOSE = r"(?:her |his |the |their |my |own |its |our )*"
_END = (
    r"(?=[,;.…]|$| (?:in|on|with|while|and|at|near|by|to|over|under|against|for|from|between|as|who|that|up|"
    r"above|before|behind|inside|into|onto|during|next|close|is|are|toward|towards|outside|through|beside|"
    r"gently|tightly|around|of her|of his|her hand|his hand|their hand)\b)"
)
_THING = rf"([\w'-]+(?: [\w'-]+){{0,4}}?){_END}"
_HOLD = (
    r"(?:holding|holds|hold|gripping|grips|grasping|grasps|clutching|clutches|carrying|carries|cradling|"
    r"squeezing|wielding|lifting|wrapped around|wrapping around|cupping|touching|touches|catching|throwing|"
    r"picking up|playing with|using|waving(?= a | an | the )|playing(?= \w)|pouring|typing on|texting on|"
    r"knitting|sewing|kneading|chopping|slicing|peeling|stirring|strumming|pressing|turning|opening|tying|"
    r"adjusting|fixing|buttoning|combing|wiping|tearing|polishing|shuffling|petting|stroking|feeding|eating|"
    r"drinking|sipping|lighting|pulling|pushing|raising(?= a | an )|pinching(?= a | an ))"
)
_HANDS = r"(?:hands?|fingers?|each other|fist|fists|palms?|arms)"
_NO_THING = re.compile(
    rf"^(?:{_WHOSE}(?:left|right|other|both|two|clasped|raised)? ?{_HANDS}\b|(?:index|middle|ring|little|"
    rf"thumb|up|out|still|breath|it|them|that|pose|"
    r"position|open|himself|herself|games?|cards with|around|outside|together|all|one|two|three|four|five|"
    r"\d)\b)"
)
_MEETINGS: tuple[tuple[str, str], ...] = (
    (
        r"(?:hands?|palms?|fingers?|fingertips) (?:\w+ )?(?:pressed |placed |held |put )?together in prayer|"
        r"praying hands|hands in prayer|prayer (?:hands|pose|position|gesture)|\bnamaste\b|palms (?:pressed "
        r")?together|hands pressed together|prayer emoji",
        "palms together",
    ),
    (r"fingertips (?:pressed |touching |held )?together|steepl(?:ed|ing) (?:\w+ )?(?:hands|"
        r"fingers)", "fingertips together"),
    (
        r"clasp(?:ed|ing) (?:\w+ )?hands|hands? (?:are )?(?:clasped|folded|interlocked|interlaced|"
        r"intertwined|joined)|(?:interlaced|interlocked|intertwined|interlacing) (?:hands|fingers)|fingers "
        r"(?:interlaced|interlocked|intertwined|laced)|folded hands|clasping hands|\bclasped\b",
        "clasped",
    ),
    (r"shak(?:ing|es?) hands|handshakes?|hand shake", "handshake"),
    (r"hold(?:ing|s)? (?:\w+ )?hands?\b(?! (?:up|out|open|high|over|above|in front))|hand in hand|"
        r"holding each other'?s? hands?", "holding hands"),
    (r"high[ -]fiv(?:e|es|ing)", "high five"),
    (r"fist[ -]?bump\w*|bumping fists", "fist bump"),
    (r"\bclapp?(?:ing|s)\b|applaud\w*|hands clapping", "clapping"),
    (r"(?:hand|finger) hearts?\b|hearts? (?:shape |sign |gesture )?(?:with|made (?:of|with|"
        r"by)) (?:\w+ )?(?:hands|fingers)|heart[ -]shaped? hands|heart hands|"
        r"(?:forming|making) (?:a|the) heart\b", "heart"),
    (r"hands? (?:\w+ )?crossing\b|hands crossed|crossed hands|\bcrossing$", "crossing"),
    (r"one on the other|hands stacked|one hand on top of the other", "one on the other"),
    (r"side by side$", "side by side"),
)  # fmt: skip
_TOUCHING_MEETINGS = ("crossing", "side by side")
_GLOVED = r"\b(?:gloves?|gloved|mittens?|gauntlets?)\b"
_BARE = (
    r"\b(?:no|without|not wearing|taking off|removed|minus) (?:\w+ ){0,2}?(?:gloves?|mittens?)\b|"
    r"\bungloved\b|\bgloveless\b|\bbare[- ]hand(?:s|ed)?\b|\bbare (?:left |right )?hands?\b"
)
_EMPTY = (
    r"\bempty[- ]hand(?:s|ed)?\b|\bempty (?:left |right )?hands?\b|\b(?:not holding|holding) (?:anything|"
    r"nothing)\b|\bnothing in (?:\w+ )?hands?\b|\bno objects? in (?:\w+ )?hands?\b|\bnot touching anything\b"
)
_HIDDEN = (
    r"\bno (?:visible |human )?hands?\b(?! gestures?| movement)|\bwithout (?:visible |any |showing )?(?:\w+ "
    r")?hands?\b(?= |$|[,;.])|\bhands? (?:are |is )?(?:not (?:visible|shown|seen|in frame)|out of (?:\w+ "
    r")?(?:frame|view|shot|sight|picture)|hidden|cropped out|invisible|tucked away|(?:\w+ )?(?:behind|held "
    r"behind) (?:\w+ )?backs?|(?:deep |tucked |stuffed |shoved )?(?:in|into|inside) (?:\w+ )?(?:\w+ "
    r")?pockets?)\b|\bhidden hands?\b|\bhands? (?:behind|in) (?:\w+ ){0,2}?(?:backs?|pockets?)\b"
)
_STATES: tuple[tuple[str, Grasp], ...] = (
    (r"\bfists?\b|clenched", "fist"),
    (r"\bgripping|\bgrips\b|\bgrasping|\bgrasps\b|\bclutching|\bclutches|\bpower grip|wrapped around|"
        r"\bwielding", "power grasp"),
    (r"\bpinch\w*", "pinch"),
    (r"\b(?:held )?flat\b(?! lay)|\bsalut\w+", "flat"),
    (r"\bopen (?:left |right )?(?:hands?|palms?)\b|\bhands? (?:held |wide )*open\b(?! a| the)|"
        r"outstretched (?:hands?|palms?)|\bwav(?:ing|es)\b(?! (?:a|an|the|his|her) )|fingers (?:spread|"
        r"splayed)|high[ -]fiv", "open"),
    (r"\bhook(?:ed|ing)\b|\bclaw(?:ed|-like)? hands?\b", "hook"),
    (r"\brelaxed (?:hands?|fingers)\b|\bhands? (?:hanging |held )?relaxed\b|\blimp hands?\b", "relaxed"),
)  # fmt: skip


def meeting_in(clause: str) -> str:
    """How two hands meet, by the names of captions and of everyday speech; empty where they do not."""
    return next((name for pattern, name in _MEETINGS if re.search(pattern, clause)), "")


def hands_touch(meeting: str) -> bool:
    """Whether hands that meet like this touch each other."""
    return bool(meeting) and meeting not in _TOUCHING_MEETINGS


def contact_in(clause: str) -> Contact | None:
    """What a hand touches by a clause; None where it is not stated."""
    if re.search(_EMPTY, clause):
        return Contact("none")
    for hit in re.finditer(rf"\b{_HOLD} {_THING}", clause):
        thing = _bare_noun(hit[1])
        if thing and not _NO_THING.match(hit[1]) and not _NO_THING.match(thing):
            return _of_body(thing, hit[1], clause) or Contact("object", thing)
    held = re.search(rf"\bwith (?:a|an|the|his|her|some) {_THING} in (?:\w+ ){{0,2}}?hands?\b", clause)
    held = held or re.search(r"(?:^|, )(?:a |an |the )?((?:\w+ ){0,2}?\w+) in (?:\w+ ){0,2}?hands?$", clause)
    if held and not re.search(r"\bhands?\b|hidden", held[1]):
        return Contact("object", _bare_noun(held[1]))
    if touched := re.search(
        rf"\b(?:hands?|fingers?|palms?|fists?|finger(?:tips?)?) (?:\w+ ){{0,2}}?(?:on|against|to|over|in|"
        rf"under|touching|around|"
        rf"through) ({_WHOSE}(?:own )?(?:[\w'-]+ ){{0,3}}?[\w'-]+){_END}",
        clause,
    ):
        thing = _bare_noun(touched[1])
        placed = re.search(r"(?:on|against|around|touching) " + re.escape(touched[1]), clause)
        return _of_body(thing, touched[1], clause) or (
            Contact("object", thing) if placed and _solid(thing) else None
        )
    on_hand = rf"(?:on|in) {_WHOSE}(?:\w+ )?(?:hands?|fists?|palms?)"
    if resting := re.search(rf"\b(chin|head|cheek|face) (?:resting |propped )?{on_hand}", clause):
        return Contact("self", resting[1])
    if re.search(r"\btyping\b", clause):
        return Contact("object", "keyboard")
    if re.search(r"\bwriting (?:a|an|her|his|in|with|notes|down|letters?)\b", clause):
        return Contact("object", "pen")
    return None


def gloved_in(text: str) -> bool | None:
    """True where a text has gloved hands, False where it has bare ones, None where it states neither."""
    if re.search(_BARE, text):
        return False
    return True if re.search(_GLOVED, re.sub(r"\b(?:no|without|not)\b[^,;.]*", "", text)) else None


def hidden_in(clause: str) -> bool:
    """Whether hands are out of sight by a clause."""
    return re.search(_HIDDEN, clause) is not None


def grasp_in(clause: str) -> Grasp | None:
    """The state of the hand that a clause names."""
    return next((grasp for pattern, grasp in _STATES if re.search(pattern, clause)), None)


def without_negations(clause: str) -> str:
    """A clause without what it negates ('no extra fingers', 'not pointing')."""
    return re.sub(
        r"\b(?:no|without|not|never|isn't|aren't|don't|doesn't)\b.*?(?=$|[,;.]| but )", " ", clause
    ).strip()


def _bare_noun(words: str) -> str:
    return re.sub(rf"^(?:{_WHOSE}|a |an |some |two |both |one )+", "", words.strip()).strip()


def _of_body(thing: str, words: str, clause: str) -> Contact | None:
    """A contact with the own body or somebody else's, where the thing is a part of one."""
    whose, owner = (
        re.match(r"(her|his|their|my|your)\b", words),
        re.search(r"\b(her|his|their|my) (?:\w+ )?hand", clause),
    )
    other = re.search(
        r"(?:each other|another|friend|partner|child|baby|wife|husband|someone|somebody|woman|man|mother|"
        r"father)",
        words,
    )
    part = re.search(rf"(?:^|\b)(?:{_OWN})$", thing)
    if other and (part or re.search(r"'s\b", words)):
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


def _solid(thing: str) -> bool:
    return not re.search(
        r"^(?:white|black|blurr\w+|plain|dark|grey|gray|left|right|side|background|beach|street|rain|snow|"
        r"air|sky|distance|prayer|frame|front|focus|motion|detail|style|camera|viewer|other)\b",
        thing,
    )
