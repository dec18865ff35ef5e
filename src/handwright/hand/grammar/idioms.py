"""Common expressions for poses besides the grammar's own phrases: patterns of free text, as data."""

from handwright.hand.grammar.words import Bend, Direction

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

_SYMBOL = r"(?! (?:necklace|pendant|shirt|t-shirt|tattoo|earrings?|symbol|poster|graffiti|sticker|patch))"
_SIGN = r"(?:hand )?(?:signs?|gestures?|poses?|hands?)"

NAME_PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"thumbs?[ -]ups?\b|thumbs? (?:\w+ )?up(?:wards?)?\b|thumb raised|raised thumb", ("like",)),
    (r"thumbs?[ -]down\b|thumbs? (?:\w+ )?down(?:wards?)?\b", ("dislike",)),
    (r"vulcan (?:salute|sign|greeting)|live long and prosper|spock (?:hand )?(?:sign|salute)", ("vulcan",)),
    (r"scout(?:'?s)? (?:sign|salute|honou?r)", ("scout",)),
    (
        rf"(?:peace|victory|\bv) {_SIGN}{_SYMBOL}|\bv-sign\b|v for victory|(?:^|, |double )v(?=$|,)",
        ("peace", "peace_inverted"),
    ),
    (rf"\b(?:ok|okay|a-ok) {_SIGN}", ("ok",)),
    (
        rf"devil(?:'s)? horns|(?:rock(?: on| and roll)?|horns|metal) {_SIGN}|sign of the horns|metal horns",
        ("rock", "love"),
    ),
    (rf"call[ -]me {_SIGN}|\bshaka\b|hang[ -]loose", ("call",)),
    (r"i[ -]love[ -]you (?:hand )?sign|\bily sign", ("love",)),
    (r"finger[ -]?guns?\b", ("finger gun",)),
    (
        r"shush(?:ing)?\b|finger (?:\w+ )?(?:on|to|over|against) (?:\w+ )?lips|silence gesture|"
        r"one finger for silence",
        ("mute",),
    ),
    (r"fingers crossed|cross(?:ed|ing) (?:\w+ )?fingers", ("letter R",)),
    (rf"stop (?:gesture|hand)|halt {_SIGN}|stop sign with (?:\w+ )?hands?", ("stop", "palm")),
    (r"\bsalut(?:es?|ing)\b", ("salute", "flat", "stop")),
    (r"clenched (?:hands?|fists?)|\bfists?\b|balled hands?", ("fist", "adducted thumb grasp")),
    (
        r"(?:open|outstretched|extended) palms?\b|open (?:left |right )?hands?\b|hands? (?:is |are )?(?:wide "
        r")?open\b(?! a| the)|high[ -]fiv(?:e|es|ing)\b",
        ("palm", "spread", "flat"),
    ),
    (r"fingers (?:are )?(?:spread|splayed|fanned)|(?:spread|splayed) fingers", ("spread",)),
    (r"\b(?:hand|hands) (?:held )?flat\b|\bflat (?:hands?|palms?)\b", ("flat",)),
    (
        r"(?<!fingers )(?<!fingertips )(?<!toes )\bpoint(?:ing|s) (?=(?:with|at|to|toward|towards|up|"
        r"upwards?|down|downwards?|left|right|out|into|across|away|directly|straight|forwards?|a|his|her|"
        r"their|its)\b)|(?<!fingers )\bpointing$|pointing (?:\w+ )?finger|finger[ -]pointing",
        ("pointing", "one", "finger gun"),
    ),
    (r"pinch(?:es|ing)?\b|\bpinch (?:grip|grasp)", ("palmar pinch grasp", "tip pinch grasp", "ok")),
    (r"writing tripod (?:grip|grasp)", ("writing tripod grasp",)),
    (r"tripod (?:grip|grasp)", ("tripod grasp", "writing tripod grasp")),
)
"""Patterns and the names that they may mean, the likeliest first; the first pattern that fits counts."""

RAISED_NAMES: dict[int, tuple[str, ...]] = {
    0: ("fist",), 1: ("one", "mute", "pointing"), 2: ("peace", "two_up", "peace_inverted", "two_up_inverted"),
    3: ("three", "three2", "scout"), 4: ("four",), 5: ("palm", "spread"),
}  # fmt: skip
"""Poses of one hand that show so many fingers."""

BENT: tuple[tuple[str, Bend], ...] = (
    ("extended|straight|outstretched|stretched out|sticking out|raised", "extended"),
    ("folded at the knuckle", "folded"),
    ("gently bent|slightly bent|gently curved|slightly curled", "bent"),
    ("hooked", "hooked"),
    ("curled into the palm|curled|tucked in|folded in", "curled"),
)
"""How a finger is bent, in common words; 'bent' alone only means that it is not extended."""

_AT = r"(?:facing|to|towards?|turned to|turned towards?|at|faces)(?: the| our| your)? "
_VIEWER = r"(?:camera|viewer|lens|us|you|spectator|front)\b"
_PALM = r"palms?(?: of (?:\w+ ){1,2}hands?)? (?:is |are |held |turned )?"

PALM_PATTERNS: tuple[tuple[str, Direction], ...] = (
    (rf"{_PALM}{_AT}{_VIEWER}|{_PALM}(?:facing )?(?:forwards?|outwards?|out)\b|palm visible", "camera"),
    (
        rf"backs? of (?:\w+ ){{1,2}}?hands? {_AT}?(?:the )?{_VIEWER}|its back to the camera|"
        rf"{_PALM}(?:facing )?(?:away|inwards?|backwards?)\b|back of (?:the|his|her|a|their|my) hands?\b",
        "away",
    ),
    (rf"{_PALM}(?:facing )?(?:up|upwards?)\b|upturned palms?", "up"),
    (rf"{_PALM}(?:facing )?(?:down|downwards?)\b", "down"),
    (rf"{_PALM}facing (?:the )?left\b", "left"),
    (rf"{_PALM}facing (?:the )?right\b", "right"),
)
"""Where the palm faces."""

POINTING_PATTERNS: tuple[tuple[str, Direction], ...] = (
    (r"away from (?:the )?camera|into the distance|away from (?:the )?viewer", "away"),
    (rf"(?:at|to|towards?|into) (?:the )?{_VIEWER}", "camera"),
    (r"(?:up|upwards?|skywards?)\b|(?:at|to|towards?) the (?:sky|ceiling|stars|moon|sun|heavens)", "up"),
    (r"(?:down|downwards?)\b|(?:at|to|towards?) the (?:ground|floor)", "down"),
    (r"(?:to |to the |towards? the )?left\b(?! hand)", "left"),
    (r"(?:to |to the |towards? the )?right\b(?! hand)", "right"),
)
"""Where fingers point, behind 'pointing' and at most an adverb."""
