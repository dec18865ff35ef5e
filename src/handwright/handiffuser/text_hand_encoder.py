"""The Text+Hand encoder (HanDiffuser §3.2): text and hands in one space, as any pipeline's ``prompt_embeds``.

Hands come in three streams, each of which can be left out: where joints are in the picture, how they turn,
and where the skin is. Every stream has six tokens a hand: palm and wrist, then the five fingers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.modeling_utils import ModelMixin
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from handwright.body.free_body import pose_body
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import SIDES
from handwright.errors import InvalidValueError
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.kinematics import hand_landmarks_px, skin_of
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.handiffuser.tokens import sixd_of
from handwright.types import Hand, Side

Stream = Literal["joints", "rotations", "vertices"]
STREAMS: tuple[Stream, ...] = ("joints", "rotations", "vertices")

PARTS = 6  # Palm and wrist, thumb … little finger
VERTICES = 16  # Of each part
WIDTHS: dict[Stream, int] = {"joints": 10, "rotations": 18, "vertices": 3 * VERTICES}
"""Numbers of a part in each stream."""

_HAND_M = 0.1  # Metres that a vertex' number 1 is about


@dataclass(frozen=True, eq=False)
class HandFeatures:
    """Both hands of people as numbers, left hand first."""

    joints: Float[Tensor, "n 2 6 10"]  # Five points a part over half the picture's side, 0 its middle
    rotations: Float[Tensor, "n 2 6 18"]  # Three joints a part, 6-D; the wrist's against the camera
    vertices: Float[Tensor, "n 2 6 48"]  # Sixteen a part, about the wrist, in tenths of a metre
    present: Bool[Tensor, "n 2"]  # Whether a hand is in the picture

    def where(self, shown: Bool[Tensor, "n"]) -> HandFeatures:
        """The same, without the hands of everybody who is not ``shown``."""
        return replace(self, present=self.present & shown[:, None])

    def to(self, device: torch.device, dtype: torch.dtype) -> HandFeatures:
        """The same elsewhere."""
        return HandFeatures(
            self.joints.to(device, dtype),
            self.rotations.to(device, dtype),
            self.vertices.to(device, dtype),
            self.present.to(device),
        )


def hand_features(people: Sequence[BodyParameters]) -> HandFeatures:
    """The numbers of people's hands, each person in a picture of ``size_px``.

    Raises:
        InvalidValueError: There is nobody.
    """
    return features_of([pose_body(person).hands for person in people], [person.size_px for person in people])


def features_of(people: Sequence[Mapping[Side, Hand]], sizes_px: Sequence[tuple[int, int]]) -> HandFeatures:
    """The numbers of hands that are known without a body.

    Args:
        people: The hands of each person; one that is missing is not in the picture.
        sizes_px: Width and height of each person's picture, to which the hands' cameras belong.

    Raises:
        InvalidValueError: There is nobody.
    """
    if not people:
        raise InvalidValueError("there is nobody whose hands could be encoded", "", "give one person or more")
    joints, rotations, vertices = (np.zeros((len(people), 2, PARTS, WIDTHS[name])) for name in STREAMS)
    present = np.zeros((len(people), 2), np.bool_)
    for row, (hands, size) in enumerate(zip(people, sizes_px, strict=True)):
        for column, side in enumerate(SIDES):
            if side in hands:
                at = row, column
                joints[at], rotations[at], vertices[at], present[at] = _numbers(hands[side], size)
    streams = {"joints": joints, "rotations": rotations, "vertices": vertices}
    return HandFeatures(
        **{name: torch.from_numpy(values.astype(np.float32)) for name, values in streams.items()},
        present=torch.from_numpy(present),
    )


_POINTS = np.array([[0, 1, 5, 9, 17], *([0, *range(1 + 4 * finger, 5 + 4 * finger)] for finger in range(5))])
"""Landmarks of each part: the wrist and the bases of four fingers; the wrist and a finger's four."""


def _numbers(hand: Hand, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Joints [6, 10], rotations [6, 18], vertices [6, 48] of one hand, and whether it is in the picture."""
    pixels = hand_landmarks_px(hand)
    place = (pixels - np.array(size_px) / 2) / (max(size_px) / 2)
    turns = sixd_of(axis_angle_matrix(hand.pose))
    palm = np.concatenate([sixd_of(axis_angle_matrix(hand.wrist)), np.zeros(12)])
    rotations = np.array([palm, *(turns[[bone - 1 for bone in chain]].ravel() for chain in FINGER_BONES)])
    skin = (skin_of(hand)[part_vertices()] - hand.translation_m) / _HAND_M
    inside = ((pixels >= 0) & (pixels < size_px)).all(1).any()
    return place[_POINTS].reshape(PARTS, -1), rotations, skin.reshape(PARTS, -1), bool(inside)


@lru_cache(maxsize=1)
def part_vertices() -> Int[np.ndarray, "6 16"]:
    """Sixteen vertices of the rig's skin for each part, spread evenly over its numbers."""
    part = load_rig().part_ids
    groups = [np.flatnonzero(~np.isin(part, [b for chain in FINGER_BONES for b in chain]))]
    groups += [np.flatnonzero(np.isin(part, chain)) for chain in FINGER_BONES]
    return np.array([group[np.linspace(0, len(group) - 1, VERTICES).astype(int)] for group in groups])


class TextHandEncoder(ModelMixin, ConfigMixin):
    """Text features and hands → ``prompt_embeds``: the text's tokens, then the hands'.

    A fresh encoder leaves the text's tokens as they are: it is trained on from a model that reads text alone.

    Args:
        text_width: Channels of the text features, which the result has, too.
        channels: Width of the joint attention.
        heads: Attention heads.
        layers: Blocks of joint attention; 0: hand tokens are only appended ('concatenation' in ablations).
        streams: Streams that are read; none: the text features are the result, 'text alone' in ablations.
        text: Whether the text is read; False: hand tokens alone are the result, 'hands alone' in ablations.
        frequencies: Sines and cosines of joints' places that are read beside them, of periods from the
            picture's side down to 2^(1 − ``frequencies``) of it, as GLIGEN reads boxes (Li et al. 2023,
            §4.1).
    """

    @register_to_config
    def __init__(
        self,
        text_width: int = 768,
        channels: int = 256,
        heads: int = 8,
        layers: int = 2,
        streams: Sequence[str] = STREAMS,
        text: bool = True,
        frequencies: int = 0,
    ) -> None:
        super().__init__()
        if any(stream not in STREAMS for stream in streams):
            raise InvalidValueError(f"streams are {list(streams)}", "", f"choose of {', '.join(STREAMS)}")
        if not (text or streams):
            raise InvalidValueError("neither text nor hands are read", "", "choose a stream, or the text")
        self.read_text = nn.Linear(text_width, channels)
        wide: Mapping[Stream, int] = {**WIDTHS, "joints": WIDTHS["joints"] * (1 + 2 * frequencies)}
        self.read_hands = nn.ModuleDict(
            {name: nn.Linear(wide[name], channels) for name in STREAMS if name in streams}
        )
        self.part = nn.Parameter(torch.randn(PARTS, channels) * 0.02)
        self.side = nn.Parameter(torch.randn(2, 1, channels) * 0.02)
        self.absent = nn.Parameter(torch.randn(channels) * 0.02)
        self.blocks = nn.ModuleList(
            BasicTransformerBlock(channels, heads, channels // heads, activation_fn="gelu")
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(channels)
        self.write_text, self.write_hands = nn.Linear(channels, text_width), nn.Linear(channels, text_width)
        nn.init.zeros_(self.write_text.weight)
        nn.init.zeros_(self.write_text.bias)

    @property
    def hand_tokens(self) -> int:
        """Tokens that are appended to a text's."""
        return 2 * PARTS * len(self.config["streams"])

    def forward(self, text: Float[Tensor, "n l c"], hands: HandFeatures) -> Float[Tensor, "n m c"]:
        """``prompt_embeds`` [N, L + hand_tokens, C] of text features [N, L, C] and as many people's hands."""
        if not self.config["streams"]:
            return text
        tokens = torch.cat([self._stream(name, hands) for name in STREAMS if name in self.read_hands], 1)
        count = text.shape[1] if self.config["text"] else 0
        hidden = torch.cat([self.read_text(text[:, :count]), tokens], 1)
        for block in self.blocks:
            hidden = block(hidden)
        hidden = self.norm(hidden)
        written = text[:, :count] + self.write_text(hidden[:, :count])
        return torch.cat([written, self.write_hands(hidden[:, count:])], 1)

    def with_frequencies(self, count: int) -> TextHandEncoder:
        """The same encoder with the same results, which can learn from so many frequencies of places."""
        settings: dict[str, Any] = {k: v for k, v in self.config.items() if not k.startswith("_")}
        settings["frequencies"] = count
        new = TextHandEncoder(**settings)
        weights, name = self.state_dict(), "read_hands.joints.weight"
        if name in weights:
            known = weights[name]
            weights[name] = torch.zeros_like(new.state_dict()[name])
            weights[name][:, : known.shape[1]] = known
        new.load_state_dict(weights)
        return new

    def _stream(self, name: Stream, hands: HandFeatures) -> Float[Tensor, "n t c"]:
        numbers: Tensor = getattr(hands, name)
        if name == "joints":
            turns = [numbers * (math.pi * 2**k) for k in range(int(self.config["frequencies"]))]
            numbers = torch.cat([numbers, *(wave(t) for t in turns for wave in (torch.sin, torch.cos))], -1)
        values = self.read_hands[name](numbers.to(self.part.dtype)) + self.part
        shown = hands.present[:, :, None, None].to(values.dtype)
        return (values * shown + self.absent * (1 - shown) + self.side).flatten(1, 2)
