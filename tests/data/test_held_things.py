"""What T2H is given of a text whose hands meet or hold something."""

import pytest

from handwright.data.people.in_pose.hands_together import meeting_of
from handwright.data.people.in_pose.held_things import busy_text, held_things


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("an old lady sipping from a mug in her left hand", ("elderly woman", "cup", "left hand")),
        ("a painter with a brush in his right hand", ("a man", "holding", "right hand")),
        ("a boy holding a box with both hands", ("a boy", "box", "both hands")),
        ("a nun with folded hands, her eyes closed", ("a woman", "hands")),
        ("a person with a pen in the right hand and a cup in the left hand", ()),
        ("a woman with a cup in her right hand, waving with her left", ()),
        ("a woman with a cup in her right hand, her left hand behind her back", ("a woman", "cup", "right")),
        ("a man waving", ()),
    ],
)
def test_what_hands_do_is_told_in_words_of_captions(text: str, parts: tuple[str, ...]):
    caption = busy_text(text, meeting_of(text), held_things(text, 1))
    assert (caption is None) == (not parts)
    for part in parts:
        assert caption is not None
        assert part in caption
