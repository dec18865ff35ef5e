"""Prompts as people write them, and what each says of hands: written by hand, in many styles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """What is said of one hand, in short; empty or None where nothing is."""

    side: str = ""
    pose: str = ""
    extended: str = "?????"
    raised: int | None = None
    palm: str = ""
    points: str = ""
    grasp: str = ""
    contact: str = ""
    gloved: bool | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Expected:
    """How many hands at least and at most, and what is said of each."""

    number: tuple[int | None, int | None]
    hands: tuple[Said, ...]
    meeting: str = ""


PROMPTS: dict[str, Expected] = {
    "a woman waving with her left hand": Expected((1, 2), (Said(side="left", grasp="open"),)),
    "a pianist stretching the fingers of both hands": Expected(
        (2, 2), (Said(side="left", grasp="open"), Said(side="right", grasp="open"))
    ),
    "a girl spreads all fingers of her left hand": Expected((1, 2), (Said(side="left", grasp="open"),)),
    "two hands holding a mug": Expected((2, 2), (Said(contact="object mug"),) * 2),
    "peace sign": Expected((1, None), (Said(pose="peace", extended="01100"),)),
    "thumbs up": Expected((1, None), (Said(pose="like", extended="10000"),)),
    "close-up of a fist": Expected((1, 1), (Said(pose="fist", extended="?0000", grasp="fist"),)),
    "hands typing on a laptop": Expected((2, None), (Said(contact="object laptop"),) * 2),
    "a boy counting to four on his right hand": Expected(
        (1, 2), (Said(side="right", pose="four", extended="01111", raised=4),)
    ),
    "a farmer showing the back of his left hand": Expected((1, 2), (Said(side="left", palm="away"),)),
    "a woman showing the palm of her right hand": Expected((1, 2), (Said(side="right", palm="camera"),)),
    "a woman saying stop with her right hand": Expected(
        (1, 2), (Said(side="right", pose="stop", extended="?1111"),)
    ),
    "a speaker gesturing with both hands on a stage": Expected(
        (2, 2), (Said(side="left"), Said(side="right"))
    ),
    "a boy holding up a book with two hands": Expected((2, 2), (Said(contact="object book"),) * 2),
    "a woman holding up a peace sign with her left hand": Expected(
        (1, 2), (Said(side="left", pose="peace", extended="01100"),)
    ),
    "holding up three fingers": Expected((1, None), (Said(pose="three", extended="?11?0", raised=3),)),
    "couple holding hands": Expected((2, 4), (Said(contact="hand"),) * 2, meeting="holding hands"),
    "man pointing at the camera": Expected(
        (1, 2), (Said(pose="pointing", extended="?1000", points="camera", grasp="point"),)
    ),
    "praying": Expected((2, None), (Said(contact="hand"),) * 2, meeting="palms together"),
    "OK sign": Expected((1, None), (Said(pose="ok", extended="?0111"),)),
    "barista pouring coffee": Expected((1, 2), (Said(contact="object coffee"),)),
    "no hands visible": Expected((0, 0), (Said(hidden=True),) * 2),
    "a man standing with hands in pockets": Expected((0, 0), (Said(hidden=True),) * 2),
    "woman, winter coat, without gloves, holding a cup": Expected(
        (1, 2), (Said(contact="object cup", gloved=False),)
    ),
    "(hand:1.2), <lora:better_hands:0.8>, BREAK, peace_sign, masterpiece": Expected(
        (1, None), (Said(pose="peace", extended="01100"),)
    ),
    "natural hands holding a cup": Expected((2, None), (Said(contact="object cup"),) * 2),
    "portrait of a woman": Expected((None, None), ()),
    "a mountain lake at dawn": Expected((None, None), ()),
    "palm trees on a beach": Expected((None, None), ()),
    "handmade pottery, vintage clock hands": Expected((None, None), ()),
    "a girl with one hand on her hip and the other holding a drink": Expected(
        (2, 2), (Said(contact="self hip"), Said(contact="object drink"))
    ),
    "a man pointing up with his right index finger, left hand in pocket": Expected(
        (1, 1),
        (
            Said(side="right", pose="pointing", extended="?1000", points="up", grasp="point"),
            Said(side="left", hidden=True),
        ),
    ),
    "1girl, solo, double_v, smile": Expected((2, 2), (Said(pose="peace", extended="01100"),) * 2),
    "1boy, thumbs_up, hand_on_own_hip": Expected(
        (2, 2), (Said(pose="like", extended="10000"), Said(contact="self hip"))
    ),
    "boxer with boxing gloves": Expected((None, None), (Said(gloved=True),)),
    "a robot hand reaching for a human hand": Expected((2, 2), (Said(),) * 2),
    "two men shaking hands": Expected((2, 4), (Said(contact="hand"),) * 2, meeting="handshake"),
    "praying hands, black and white": Expected(
        (2, None), (Said(contact="hand"),) * 2, meeting="palms together"
    ),
    "child holding up two fingers": Expected((1, 2), (Said(pose="peace", extended="01100", raised=2),)),
    "a right hand, palm up, index finger extended": Expected(
        (1, 1), (Said(side="right", extended="?1???", palm="up"),)
    ),
    "empty hands, palms facing up": Expected((2, None), (Said(palm="up", contact="none"),) * 2),
    "a chef chopping onions": Expected((1, 2), (Said(contact="object onions"),)),
    "person holding a phone in their left hand and a coffee in their right hand": Expected(
        (2, 2), (Said(side="left", contact="object phone"), Said(side="right", contact="object coffee"))
    ),
    "crowd of people clapping": Expected((2, None), (Said(contact="hand"),) * 2, meeting="clapping"),
    "hand heart": Expected((2, None), (Said(contact="hand"),) * 2, meeting="heart"),
    "a girl making a finger heart with her right hand": Expected(
        (1, 2), (Said(side="right", pose="tip pinch grasp", extended="00000", grasp="pinch"),)
    ),
    "an idol making finger hearts with both hands": Expected(
        (2, 2),
        (
            Said(side="left", pose="tip pinch grasp", extended="00000", grasp="pinch"),
            Said(side="right", pose="tip pinch grasp", extended="00000", grasp="pinch"),
        ),
    ),
    "a heart made with fingers": Expected((2, None), (Said(contact="hand"),) * 2, meeting="heart"),
    "fingers crossed behind her back": Expected((1, None), (Said(pose="letter R", extended="01100"),)),
    "she rests her chin on her hand": Expected((1, None), (Said(contact="self chin"),)),
    "hands behind his back": Expected((0, 0), (Said(hidden=True),) * 2),
    "both hands raised, palms facing the camera": Expected(
        (2, 2), (Said(side="left", palm="camera"), Said(side="right", palm="camera"))
    ),
    "portrait of an old man, hands clasped on the table": Expected(
        (2, 2), (Said(contact="hand"),) * 2, meeting="clasped"
    ),
    "a waiter carrying a tray on one hand": Expected((1, 2), (Said(contact="object tray"),)),
    "a woman pinching a needle between thumb and index finger": Expected(
        (1, 2), (Said(pose="palmar pinch grasp", extended="?0???", grasp="pinch", contact="object needle"),)
    ),
    "no gloves, bare hands kneading dough": Expected(
        (2, None), (Said(contact="object dough", gloved=False),) * 2
    ),
    "detailed hands, five fingers, perfect anatomy": Expected((2, None), (Said(),) * 2),
    "man with a clenched left fist and an open right hand": Expected(
        (2, 2),
        (
            Said(side="left", pose="fist", extended="?0000", grasp="fist"),
            Said(side="right", pose="palm", extended="?1111", grasp="open"),
        ),
    ),
    "ASL letter R": Expected((1, None), (Said(pose="letter R", extended="01100"),)),
    "giving the middle finger": Expected((1, None), (Said(extended="?0100"),)),
    "finger on her lips, shushing": Expected(
        (1, None), (Said(pose="mute", extended="01000", contact="self lips"),)
    ),
    "stop sign on a road": Expected((None, None), ()),
    "hand making a stop gesture": Expected((1, None), (Said(pose="stop", extended="?1111"),)),
    "a pianist playing piano": Expected((1, 2), (Said(contact="object piano"),)),
    "playing guitar": Expected((1, None), (Said(contact="object guitar"),)),
    "group of friends giving thumbs up": Expected((1, None), (Said(pose="like", extended="10000"),)),
    "an astronaut saluting": Expected((1, 2), (Said(pose="salute", extended="?1111", grasp="flat"),)),
    "three hands reaching for a slice of pizza": Expected((3, 3), (Said(),) * 3),
    "selfie of a woman making a peace sign with her right hand": Expected(
        (1, 2), (Said(side="right", pose="peace", extended="01100"),)
    ),
    "a hand pointing left": Expected(
        (1, 1), (Said(pose="pointing", extended="?1000", points="left", grasp="point"),)
    ),
    "a photo of hands, top view, --ar 3:4 --no gloves, rings": Expected((2, None), (Said(gloved=False),) * 2),
    "a cat::2 woman waving::1 hands::-0.5": Expected((1, 2), (Said(grasp="open"),)),
    "an arrow pointing up": Expected((None, None), ()),
    "back of her hand to the camera, red nails": Expected((1, None), (Said(palm="away"),)),
    "spread fingers, left hand, palm toward viewer": Expected(
        (1, None), (Said(side="left", pose="spread", extended="11111", palm="camera"),)
    ),
    "rock on sign at a concert": Expected((1, None), (Said(pose="rock", extended="?1001"),)),
    "high five between two kids": Expected(
        (2, 4), (Said(pose="palm", extended="?1111", grasp="open", contact="hand"),) * 2, meeting="high five"
    ),
    "hand holding a pen, writing tripod grasp": Expected(
        (1, None), (Said(pose="writing tripod grasp", extended="00000", contact="object pen"),)
    ),
    "hand not holding anything": Expected((1, None), (Said(contact="none"),)),
    "girl not pointing at anything": Expected((None, None), ()),
    "a couple hugging, her hand on his shoulder": Expected((1, 4), (Said(contact="person shoulder"),)),
    "man in a suit adjusting his tie with both hands": Expected(
        (2, 2), (Said(side="left", contact="object tie"), Said(side="right", contact="object tie"))
    ),
    "a doctor in blue latex gloves holding a syringe": Expected(
        (1, 2), (Said(contact="object syringe", gloved=True),)
    ),
    "woman with a cup of tea in her hands": Expected((2, 2), (Said(contact="object cup of tea"),) * 2),
    "elderly hands knitting a red scarf": Expected((2, None), (Said(contact="object red scarf"),) * 2),
    "young man giving two thumbs up": Expected((2, 2), (Said(pose="like", extended="10000"),) * 2),
    "close-up photo of a hand touching a wet window": Expected((1, 1), (Said(contact="object wet window"),)),
    "a little girl pointing at the stars": Expected(
        (1, 2), (Said(pose="pointing", extended="?1000", points="up", grasp="point"),)
    ),
    "a man with his arms crossed": Expected((None, None), ()),
    "mother holding her baby's hand": Expected((1, 2), (Said(contact="person baby's hand"),)),
    "hand resting on a wooden table, palm down": Expected(
        (1, None), (Said(palm="down", contact="object wooden table"),)
    ),
    "boy showing the rock sign with both hands": Expected(
        (2, 2),
        (Said(side="left", pose="rock", extended="?1001"), Said(side="right", pose="rock", extended="?1001")),
    ),
    "a wizard holding a staff in his right hand": Expected(
        (1, 2), (Said(side="right", contact="object staff"),)
    ),
    "a woman with her hands on her hips": Expected((2, 2), (Said(contact="self hips"),) * 2),
    "two hands forming a heart": Expected((2, 2), (Said(contact="hand"),) * 2, meeting="heart"),
    "hands cupping water": Expected((2, None), (Said(contact="object water"),) * 2),
    "a basketball player gripping the ball": Expected(
        (1, 2), (Said(grasp="power grasp", contact="object ball"),)
    ),
    "a violinist playing violin, close-up": Expected((1, 2), (Said(contact="object violin"),)),
    "the back of a left hand, palm away from the viewer": Expected((1, 1), (Said(side="left", palm="away"),)),
    "index and middle finger extended, other fingers curled into the palm": Expected(
        (1, None), (Said(extended="?1100"),)
    ),
    "thumb and index finger touching, other fingers extended": Expected((1, None), (Said(extended="??111"),)),
    "fist raised in protest": Expected((1, None), (Said(pose="fist", extended="?0000", grasp="fist"),)),
    "1girl, v, smile, beach": Expected((1, 2), (Said(pose="peace", extended="01100"),)),
    "female hand with red nails holding a lipstick, white background": Expected(
        (1, None), (Said(contact="object lipstick"),)
    ),
    "person wearing a sweater, hands out of frame": Expected((0, 0), (Said(hidden=True),) * 2),
    "an open palm facing the viewer with fingers spread": Expected(
        (1, 1), (Said(pose="palm", extended="?1111", palm="camera", grasp="open"),)
    ),
    "a nurse with both palms raised towards the camera": Expected(
        (2, 2),
        (
            Said(side="left", pose="palm", extended="?1111", palm="camera"),
            Said(side="right", pose="palm", extended="?1111", palm="camera"),
        ),
    ),
    "a monk, his right palm raised up": Expected(
        (1, 2), (Said(side="right", pose="palm", extended="?1111"),)
    ),
}
