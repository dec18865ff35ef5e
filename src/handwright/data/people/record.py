"""The truth of a picture of someone as plain numbers, for JSON; and what there is to say about it."""

from typing import Any

import numpy as np

from handwright.data.captions import RENDERED, Scene
from handwright.data.hands.record import hand_record, record_head
from handwright.data.people.sample import PersonPicture
from handwright.data.world.places import KINDS

_AGE_WORDS = {"child": "", "young": "young ", "middle-aged": "middle-aged ", "elderly": "elderly "}


def scene_of(picture: PersonPicture) -> Scene:
    """What a caption can say about a picture."""
    setup = picture.setup
    someone = setup.someone
    noun = f"{_AGE_WORDS[someone.person.age]}{setup.build.noun}"
    garments = someone.outfit.words
    shown = garments if setup.framing == "full" else garments[:1]
    hair = someone.hair
    nails = [f"{someone.person.nails} nail polish"] if someone.person.nails else []
    place = KINDS.get(setup.place.name)
    return Scene(
        hands=tuple(truth.words for truth in picture.hands),
        domain=RENDERED,
        skin=someone.person.words + ("" if hair.worn else f" and {hair.words}"),
        wears=(*shown, *([hair.words] if hair.worn else []), *nails),
        setting=place.words if place else "",
        light=setup.light.name,
        subject=f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}",
    )


def record_of(picture: PersonPicture, seed: int, index: int) -> dict[str, Any]:
    """Everything known of a picture, JSON-ready; as ``hands.record``, with the person's points."""
    setup, scene = picture.setup, scene_of(picture)
    hands = [
        {**hand_record(truth), "doing": held.doing}
        for truth in picture.hands
        for held in setup.someone.stance.hands
        if held.side == truth.hand.side
    ]
    person = {
        "wholebody": np.round(picture.person.wholebody, 3).tolist(),
        "bbox_xyxy_px": list(picture.person.bbox_xyxy_px),
        "sex": "female" if setup.build.feminine > 0.5 else "male",
        "hair": setup.someone.hair.style,
        "framing": setup.framing,
    }
    return {
        **record_head(scene, "people", seed, index, picture.pixels),
        "hands": hands,
        "people": [person],
        "meeting": None,
        "thing": None,
        "skin_tone": setup.someone.person.tone,
        "age": setup.someone.person.age,
        "place": setup.place.name,
        "light": setup.light.name,
        "motion_blur": setup.shot.motion_px > 1,
        "defocused": setup.shot.defocus_px > 0.5,
        "defects": [],
    }
