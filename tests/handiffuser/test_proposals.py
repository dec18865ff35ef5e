"""People for a text: best first, fingers that no draw has right come from the grammar."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from handwright.body import excess_of
from handwright.errors import DiffusionError, UsageError
from handwright.handiffuser.hand_words import hands_in_words
from handwright.handiffuser.proposals import propose_people, stated_hands
from handwright.handiffuser.text_to_hand_pipeline import open_text_to_hand
from handwright.prompts.parse import parse_prompt
from tests.handiffuser.test_text_to_hand import small_pipeline

PROMPTS = (
    "a woman making a peace sign with her right hand",
    "an old man giving a thumbs-up with his left hand",
    "the right hand of a child clenched in a fist",
    "a woman with her left hand behind her back, her right hand making a peace sign",
)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_stated_fingers_are_right_even_where_the_model_knows_nothing(prompt: str) -> None:
    """Random weights draw no such hand; the grammar mends it, within limits, on the side that is named."""
    pipeline = small_pipeline()
    drawn = propose_people(prompt, pipeline, draws=2, generator=torch.Generator().manual_seed(0))
    (stated,) = stated_hands(parse_prompt(prompt))
    assert stated.side is not None
    words = hands_in_words(drawn[0].parameters)[stated.side]
    assert replace(stated, palm=None, points=None).fits(words)
    assert drawn[0].agreement.fingers == 1
    assert drawn[0].mended == (stated.side,)
    assert drawn[0].named == {stated.side}
    assert excess_of(drawn[0].parameters).fingers_rad < 1e-3


def test_without_mending_the_model_speaks_for_itself() -> None:
    """Best first; as many as asked for."""
    drawn = propose_people(
        PROMPTS[0], small_pipeline(), count=3, draws=2, mend=False, generator=torch.Generator().manual_seed(1)
    )
    assert len(drawn) == 3
    assert not any(proposal.mended for proposal in drawn)
    worth = [(p.agreement.whole, p.agreement.fingers) for p in drawn]
    assert worth == sorted(worth, reverse=True)


def test_a_text_without_hands_leaves_all_open() -> None:
    """Anybody will do; an empty text is refused only where nothing can be drawn."""
    drawn = propose_people("a man in a garden", small_pipeline(), draws=1, generator=torch.Generator())
    assert drawn[0].agreement.hands == 0
    assert drawn[0].agreement.all_right
    with pytest.raises(UsageError):
        propose_people("a hand", small_pipeline(), count=0)


def test_a_folder_without_a_model_gets_one_line(tmp_path: object) -> None:
    """Missing or damaged."""
    with pytest.raises(DiffusionError, match="no T2H"):
        open_text_to_hand(tmp_path)  # pyright: ignore[reportArgumentType]


def test_damaged_weights_get_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file that is cut off."""
    folder = tmp_path_factory.mktemp("damaged")
    small_pipeline().save_pretrained(folder)
    weights = folder / "denoiser" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(DiffusionError, match="could not be loaded"):
        open_text_to_hand(folder)


def test_a_caption_reaches_the_model_in_place_of_the_text() -> None:
    """And a text that states nothing of hands as who is seen in it."""
    got: list[str] = []
    for caption in ("a photo of a man clapping", None):
        propose_people(
            "a man in a garden",
            _listening(got),
            draws=1,
            generator=torch.Generator().manual_seed(0),
            caption=caption,
        )
    assert got == ["a photo of a man clapping", "photo; a man"]


def test_what_is_stated_of_fingers_reaches_the_model_in_full() -> None:
    """All fingers are planned, in technical words; the user's own words, which T2H may not know, stay out."""
    got: list[str] = []
    propose_people(PROMPTS[0], _listening(got), draws=1, generator=torch.Generator().manual_seed(0))
    assert got[0].startswith("photo; right hand, thumb")
    assert "pinky curled" in got[0]
    assert got[0].endswith("; a woman")
    assert "peace" not in got[0]


def _listening(got: list[str]) -> Any:
    """T2H that notes what it is got for."""
    pipeline = small_pipeline()

    def draw(prompt: str, **options: Any) -> Any:
        got.append(prompt)
        return pipeline(prompt, **options)

    return draw
