"""The prompt that a generator wrote into a picture is that of the diffusing painters."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as PILImage
from PIL.PngImagePlugin import PngInfo

from handwright.image import decode_image
from handwright.types import Image
from handwright.workflow.run.load import own_prompt


def picture(prompt: str | None) -> Image:
    info, file = PngInfo(), BytesIO()
    if prompt is not None:
        info.add_text("parameters", f"{prompt}\nNegative prompt: blurry\nSteps: 20, Seed: 5")
    PILImage.fromarray(np.zeros((8, 8, 3), np.uint8)).save(file, "PNG", pnginfo=info)
    return decode_image(file.getvalue())


def test_a_diffusing_painter_takes_it_without_the_tools_syntax() -> None:
    image = picture("A (woman:1.2) waving, <lora:hands:0.8>")
    assert own_prompt({"painter": "diffuse"}, image) == {"prompt": "a woman waving"}


def test_a_prompt_that_is_given_goes_before_it_and_drawing_needs_none() -> None:
    image = picture("a woman waving")
    assert own_prompt({"painter": "diffuse", "prompt": "a fist"}, image) == {}
    assert own_prompt({"painter": "draw"}, image) == {}
    assert own_prompt({}, image) == {}


def test_without_one_the_default_stays() -> None:
    assert own_prompt({"painter": "harmonise"}, picture(None)) == {}
    assert own_prompt({"painter": "harmonise"}, picture("")) == {}
