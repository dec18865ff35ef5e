"""A vision-language model as critic, through the chat interface that vLLM, llama.cpp and Ollama serve.

    export VLM_URL=http://127.0.0.1:8000/v1 VLM_MODEL=Qwen2.5-VL-7B-Instruct
    handwright review photos/ --critic plug_ins.vlm_judge:VlmJudge

Crops of the hands are sent to that address. A model's own probability is a guess: label some of your pictures
and look where it errs before you trust it.
"""

import base64
import json
import os
import re
import urllib.request

import numpy as np

from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS
from handwright.image import encode_image
from handwright.review.critic import CriticPrediction, OrientedSquare
from handwright.review.critic.upright_crops import crop_transform, upright_crop
from handwright.types import Image

CROP_PX, CONTEXT = 448, 1.6  # Side of a crop, in pixels and in hand sizes
SECONDS = 120
NAMES = [str(defect) for defect in (*COUNT_DEFECTS, *SHAPE_DEFECTS)]
QUESTION = (
    "The crop shows one hand, fingers up. Is it the hand of a real person, with five fingers of usual shape, "
    "or is it malformed? Count the fingers first. Answer with JSON alone: "
    '{"malformed": probability from 0 to 1, "defects": {name: probability}, "reason": "one short sentence"}. '
    f"Names of defects: {', '.join(NAMES)}."
)


class VlmJudge:
    """Asks a vision-language model about every hand."""

    version = "1"

    def __init__(self) -> None:
        self.url = os.environ.get("VLM_URL", "http://127.0.0.1:8000/v1").rstrip("/")
        self.model = os.environ["VLM_MODEL"]
        self.key = os.environ.get("VLM_KEY", "")

    def judge(self, pixels: np.ndarray, regions: list[OrientedSquare]) -> list[CriticPrediction]:
        """One prediction for each hand of a picture."""
        return [self._one(pixels, region) for region in regions]

    def _one(self, pixels: np.ndarray, region: OrientedSquare) -> CriticPrediction:
        crop = upright_crop(pixels, crop_transform(region, CROP_PX, CONTEXT), CROP_PX)
        answer = self._ask(QUESTION, encode_image(Image(crop), "PNG")[0])
        braces = re.search(r"\{.*\}", answer, re.DOTALL)
        if braces is None:
            raise ValueError(f"the model did not answer with JSON: {answer[:80]!r}")
        found = json.loads(braces[0])
        defects = {name: float(p) for name, p in found.get("defects", {}).items() if name in NAMES}
        return CriticPrediction(
            malformed=float(found["malformed"]), defects=defects, reason=str(found.get("reason", ""))
        )

    def _ask(self, question: str, png: bytes) -> str:
        picture = "data:image/png;base64," + base64.b64encode(png).decode()
        content = [
            {"type": "text", "text": question},
            {"type": "image_url", "image_url": {"url": picture}},
        ]
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
            "seed": 0,
        }
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        request = urllib.request.Request(
            f"{self.url}/chat/completions", json.dumps(body).encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return json.load(response)["choices"][0]["message"]["content"]
