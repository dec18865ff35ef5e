"""Prompts as people write them, less the syntax of the tools and words that only look like hands."""

import re

NEGATIVE_WORDS = (
    "long body", "lowres", "bad anatomy", "bad hands", "missing fingers", "extra digit", "fewer digits",
    "cropped", "worst quality", "low quality",
)  # fmt: skip
"""The usual negative words, as in the experiments of HandRefiner."""

_AFTER_PROMPT = re.compile(r"\n?\s*\b(?:negative prompt|steps:\s*\d).*", re.I | re.S)
_LIKE_HANDS = re.compile(
    r"\bhand[- ]?(?:made|drawn|painted|crafted|lettered|lettering|stitched|sewn|woven|carved|blown|written|"
    r"cream|soap|sanitizer|towels?|lotion|luggage|mirror|grenades?|saw|axe|truck|brake)\b|\bhand-(?:writing|"
    r"held|bags?|rails?|prints?)\b|\b(?:second|first|free|minute|hour|farm|deck|stage|factory|cow)[- "
    r"]?hands?\b|\bhandy\b|\bclock(?:'s)? hands?\b|\bhands? of (?:a|the|an) (?:\w+ )?(?:clock|watch)\b|\bon "
    r"the (?:one|other) hand,|\bby hand\b|\bhands[- ]free\b|\ball hands on deck\b|\bhands down\b(?= the)|"
    r"\b(?:right|left)[- ]hand(?:ed)? (?:side|corner|page|lane|drive|edge|third)\b|\bpalm (?:trees?|fronds?|"
    r"lea(?:f|ves)|beach|springs|oil|islands?|groves?|sunday|shadows?)\b|\b(?:date|coconut|fan|royal|"
    r"tropical) palms?\b|\bpalms (?:sway\w*|and sand|in the wind)|\bthumb ?nails?\b(?! polish)|\brule of "
    r"thumb\b|\bgreen thumb\b|\bthumb ?drives?\b|\b(?:fish|chicken|lady) ?fingers\b|\bfinger ?(?:foods?|"
    r"prints?|painting|boards?)\b|\bbutterfingers\b|\bstop signs?\b(?! with (?:\w+ )?hands?)|\bpraying "
    r"mantis\b|\bglove (?:box|compartment)\b|\b(?:point|points) of (?:view|interest)\b|\bpointing (?:arrow|"
    r"sign|dog)s?\b|\b(?:arrow|sign(?:post)?|compass|needle|weathervane)s? (?:that )?point(?:s|ing)\b|"
    r"\b(?:flags?|banners?|grass|wheat) waving\b|\bwaving (?:flags?|grass|wheat|fields?)\b|\b(?:tree|bridge|"
    r"wall|pillar|column|shelf|table|vase|bowl|box|basket|dam)s? hold(?:s|ing)\b"
)
_PEOPLE = (
    r"wom[ae]n|m[ae]n|girls?|boys?|person|lady|ladies|gentlem[ae]n|guys?|child|kids?|children|bab(?:y|ies)|"
    r"toddlers?|teenagers?|teens?|barista|chef|cook|waiter|waitress|doctor|nurse|surgeon|teacher|student|"
    r"pianist|guitarist|violinist|drummer|musician|dancer|ballerina|athlete|boxer|player|golfer|climber|"
    r"worker|farmer|gardener|painter|artist|potter|carpenter|mechanic|scientist|soldier|officer|policem[ae]n|"
    r"knight|queen|king|prince|princess|wizard|witch|monk|nun|priest|bride|groom|mother|father|mom|dad|mum|"
    r"grandmother|grandfather|grandma|grandpa|sister|brother|daughter|son|businessm[ae]n|businesswom[ae]n|"
    r"singer|model|astronaut|pilot|cowboy|samurai|ninja|magician|photographer|writer|reader|baker|tailor|"
    r"elder|sailor|judge|politician|warrior|hero|superhero|human(?! hands?)|figure"
)
_ONE = r"(?:a|an|one|the|single|another|her|his|my|portrait of)"
_MANY = (
    r"\b(?:crowd|audience|group|family|team|friends|people|band|several|many|choir|class|orchestra|army|"
    r"students|workers|players|children|kids|men|women|girls|boys|dancers|soldiers)\b"
)
_COUNTS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "both": 2,
}  # fmt: skip
_VAGUE = re.compile(
    r"\b(?:(?:natural|perfect|beautiful|pretty|detailed|highly detailed|realistic|good|correct|normal|well[- "
    r"]drawn|accurate|anatomically correct|elegant|proper)(?:,? and |,? )?)+(?:looking )?(?:human "
    r")?(?:hands?|fingers|hand anatomy)\b|\bfive fingers(?: per hand| on each hand)?(?! up| raised| "
    r"extended)\b|\bperfect anatomy\b"
)


def plain_text(prompt: str) -> str:
    """A prompt in lower case without the syntax of the tools.

    Taken off: attention weights of any bracket style, prompt editing (what comes last stays), ``BREAK`` and
    ``AND``, LoRA and embedding tags, Midjourney's parameters and ``::`` weights (``--no x`` becomes 'no x';
    what has a negative weight goes), underscores of tags, and all from 'Negative prompt:' or 'Steps:' on.
    """
    text = _AFTER_PROMPT.sub("", prompt)
    text = re.sub(r"<[^<>]*>|\bembedding:\S+|__\w+__", " ", text)
    text = re.sub(r"\b(?:BREAK|AND)\b", ",", text).lower()
    text = re.sub(
        r"--no\s+([^-]+)", lambda m: ", " + ", ".join(f"no {t.strip()}" for t in m[1].split(",")), text
    )
    text = re.sub(r"--\w+(?:\s+[\d.:]+\w*)?", " ", text)
    text = _weighed(text)
    text = re.sub(r"\[[^\[\]:|]*:([^\[\]:|]+):[\d.]+\]", r"\1", text)
    text = re.sub(r"\\([()\[\]])|:\s*-?\d*\.?\d+\s*(?=[)\]}])", " ", text)
    text = re.sub(r"[()\[\]{}|\"“”*]", " ", text).replace("_", " ").replace("’", "'")
    text = re.sub(r"(?<=[a-z])-(?=(?:raised|wearing|up close)\b)", " ", text)
    text = re.sub(r"\b(\d)(girl|boy)s?\b", lambda m: f"{m[1]} {m[2]}{'s' if m[1] != '1' else ''}", text)
    text = re.sub(r"\s*[\n;]\s*", "; ", text)
    return re.sub(r"\s*([,;.!?])[\s,]*", r"\1 ", " ".join(text.split())).strip(" ,;")


def _weighed(text: str) -> str:
    """A text without Midjourney's ``::`` weights, and without what weighs less than nothing."""
    parts = re.split(r"::\s*(-?[\d.]*)", text)
    kept = [
        part
        for part, weight in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if not weight.startswith("-")
    ]
    return ", ".join(kept)


def without_lookalikes(text: str) -> str:
    """A plain text without words that only look like hands ('handmade', 'palm trees', 'clock hands')."""
    return " ".join(_LIKE_HANDS.sub(" … ", text).split())


def people_in(text: str) -> int | None:
    """How many people a plain text speaks of; None where it speaks of none, or of more than it counts."""
    if re.search(r"\b(?:solo|alone)\b", text):
        return 1
    counted = 0
    for number, noun in re.findall(
        rf"\b({'|'.join(_COUNTS)}) (?:(?!between|of|from|with|by|and|to|"
        rf"fingers)\w+[ -]){{0,3}}?({_PEOPLE})\b",
        text,
    ):
        plural = re.search(r"s$|men$|ren$|ies$", noun)
        counted += _COUNTS[number] if plural else 0
        text = text.replace(noun, "…", 1) if plural else text
    if counted == 0 and re.search(
        r"\bcouple\b(?! of)|\btwins\b|\bduo\b|\beach other\b|\bhandshake\b|\bshaking hands\b", text
    ):
        return 2
    if counted == 0 and re.search(_MANY, text):
        return None
    singles = re.findall(rf"\b(?:{_ONE}|1) (?:[\w'-]+ ){{0,4}}?({_PEOPLE})\b(?!s|'s)", text)
    bare = re.findall(rf"(?:^|[,;.] )(?:[\w-]+ ){{0,2}}?({_PEOPLE})\b(?!s|'s)", text)
    singles = singles or bare[:1]
    return counted + len(singles) or None


def vague_words(text: str) -> tuple[str, ...]:
    """What asks for good hands and fixes nothing about them."""
    return tuple(dict.fromkeys(hit[0].strip() for hit in _VAGUE.finditer(text)))
