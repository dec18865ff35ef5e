"""``text_to_hand``: T2H and its text encoder, by flow matching on a person's tokens (HanDiffuser §3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from jaxtyping import UInt8
from torch import Tensor

from handwright.body.free_body import wholebody_of
from handwright.body.parameters import BodyParameters
from handwright.data.synthesise import tiled
from handwright.diffusion.loading.libraries import CLIPTextModel, CLIPTokenizer, quiet
from handwright.hand.grammar import describe, parse_pose_text
from handwright.handiffuser.hand_words import agreement_of
from handwright.handiffuser.objective import TextToHandLoss
from handwright.handiffuser.text_to_hand import TextToHandModel
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.training.settings import TrainSettings
from handwright.training.streams.text_poses import TextPose, TextPoseStream

_RANDOM_STREAM = 23  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_MEASURED = 32  # Held-out people of each wording that are drawn at every checkpoint
SHEET_PX = 256  # Side of the pictures of people at checkpoints

PROMPT_SHEET = (
    "a photo of a young woman with tan skin, the right hand making a peace sign, palm facing the camera",
    "a picture of an elderly man, the left hand giving a thumbs-up",
    "portrait of a child, the right hand clenched in a fist",
    "photo of the left hand of a person pointing, fingers pointing up",
    "a man waving, right hand with all fingers extended, palm facing the camera, fingers pointing up",
    "left hand, thumb extended out, index curled, middle curled, ring curled, pinky curled, palm right, "
    "fingers left",
    "a woman, the right hand making the OK sign",
    "a young man, the left hand with four fingers extended, palm facing away",
    "drawing, a woman, right hand, index and middle extended and left hand, all fingers extended",
    "a picture of a middle-aged woman, wearing a red shirt, in a garden",
)
"""Drawn at every checkpoint, all with the same seed."""


@dataclass(frozen=True, kw_only=True)
class TextToHandParams:
    """How noise is drawn, and how people are drawn at checkpoints."""

    noise_levels: int = 4  # Noise levels a text is read for
    # Of logit t before the sigmoid: mean and standard deviation (Esser et al. 2024, §3.1). A text counts from
    # t = .5 on, most from .7 to 1 (bench/text_to_hand_levels.py); with 0 and 1 one sample in 70 lies above .9
    noise_mean: float = 1.0
    noise_spread: float = 1.5
    steps: int = 10  # Of the sampler at checkpoints, as of the pipeline itself
    guidance: float = 1.5  # Classifier-free guidance there, likewise


class TextToHandRecipe:
    """``text_to_hand``; see :class:`handwright.training.loop.Recipe`.

    Args:
        denoiser: T2H; the stream's statistics become its own where it has none.
        text_encoder: Trained with it.
        tokenizer: Of the texts.
        stream: Texts and people.
        params: Noise levels and samples.
    """

    def __init__(
        self,
        denoiser: TextToHandModel,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        stream: TextPoseStream,
        params: TextToHandParams,
    ) -> None:
        self.stream, self.params, self.tokenizer = stream, params, tokenizer
        if float(denoiser.spread.std()) == 0:
            mean, spread = stream.statistics()
            denoiser.mean.copy_(torch.from_numpy(mean))
            denoiser.spread.copy_(torch.from_numpy(spread))
        self.text_encoder, self.denoiser = text_encoder, denoiser
        self.trained = TextToHandLoss(text_encoder, denoiser).requires_grad_(True)
        rng = np.random.default_rng(_RANDOM_STREAM)
        chosen = rng.permutation(len(stream.held_out))[:_MEASURED]
        self.measured = [stream.held_out[k] for k in chosen]

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass, texts of one wording."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        wording = self.stream.wording(rng)
        people = [self.stream.draw(rng) for _ in range(settings.train_batch_size)]
        left_out = rng.random(len(people)) < settings.proportion_empty_prompts
        texts = [
            "" if out else self.stream.text(who, wording, rng)
            for who, out in zip(people, left_out, strict=True)
        ]
        read = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        tokens = torch.from_numpy(np.array([who.tokens for who in people], np.float32))
        logits = rng.normal(
            self.params.noise_mean, self.params.noise_spread, (len(people), self.params.noise_levels)
        )
        times = torch.from_numpy((1 / (1 + np.exp(-logits))).astype(np.float32))
        noise = rng.standard_normal((*times.shape, *tokens.shape[1:]), np.float32)
        return {
            "tokens": tokens,
            "ids": read.input_ids,
            "mask": read.attention_mask.bool(),
            "times": times,
            "noise": torch.from_numpy(noise),
        }

    def pipeline(self) -> TextToHandPipeline:
        """T2H as it is."""
        schedule = FlowMatchEulerDiscreteScheduler()
        return TextToHandPipeline(self.text_encoder, self.tokenizer, self.denoiser, schedule)

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """The people of the prompt sheet as skeletons, five a row."""
        drawn = self.pipeline()(
            list(PROMPT_SHEET),
            num_inference_steps=self.params.steps,
            guidance_scale=self.params.guidance,
            generator=torch.Generator("cpu").manual_seed(0),
        ).parameters
        return tiled([person_picture(person) for person in drawn], 5)

    def measures(self) -> dict[str, float]:
        """Shares of held-out compositions that are drawn as the text states, by wording."""
        found: dict[str, float] = {}
        for wording in ("natural", "technical"):
            texts = [_raised_alone(person, wording) for person in self.measured]
            stated = [parse_pose_text(describe(person.hands[0], wording)) for person in self.measured]
            drawn = self.pipeline()(
                texts,
                num_inference_steps=self.params.steps,
                guidance_scale=self.params.guidance,
                generator=torch.Generator("cpu").manual_seed(0),
            )
            read = [agreement_of(who, (pose,)) for who, pose in zip(drawn.parameters, stated, strict=True)]
            found[f"{wording}_whole"] = float(np.mean([one.whole for one in read]))
            found[f"{wording}_fingers"] = float(np.mean([one.fingers for one in read]))
            found[f"{wording}_directions"] = float(np.mean([one.directions for one in read]))
            found[f"{wording}_beyond"] = float(np.mean(drawn.beyond_limits))
        return found

    def save(self, folder: Path) -> None:
        """Write the pipeline."""
        with quiet():
            self.pipeline().save_pretrained(folder, safe_serialization=True)


def person_picture(person: BodyParameters) -> UInt8[np.ndarray, "h w 3"]:
    """The skeleton of a person who is framed for ``SHEET_PX``."""
    points = wholebody_of(person)
    pose = BodyPose(points, np.ones(len(points)))  # what lies outside is cut off
    return skeleton_picture(pose, SHEET_PX, SHEET_PX)


def _raised_alone(person: TextPose, wording: str) -> str:
    """A text of the raised hand, fixed for a person."""
    rng = np.random.default_rng(0)
    return TextPose(person.tokens, person.hands[:1], person.scene).text(wording, rng)
