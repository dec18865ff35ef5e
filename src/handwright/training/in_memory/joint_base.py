"""One UNet that paints from text, around hands, and repaints under depth: flow matching on all at once.

Part of a batch are whole pictures to be painted from nothing but their caption; to the inpainting layout
(latents, mask, masked latents: Rombach et al. 2022) that is a mask of ones over a blank picture. The others
are hands to be repainted, with a general depth ControlNet where their depth is known, and people to be
painted on a skeleton around their hands, with an outpainter (Pelykh et al. 2024, §III-C). So one set of
weights serves as text-to-image model, as its inpainting sibling, as the base of stage II and, with a
Text+Hand encoder before it (HanDiffuser §3.2), as T-H2I.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.diffusion.loading.libraries import CLIPTextModel, ControlNetModel, UNet2DConditionModel
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.handrefiner.objective import masked_loss
from handwright.training.in_memory.packs import features_of_rows
from handwright.training.in_memory.picture_store import PictureStore, RepairParams
from handwright.training.networks.family import Schedule, flow_schedule
from handwright.training.noising import Noised, mixed_places, noise_to
from handwright.training.recipes.base import CONTROL_DROPOUT, KNOWN_SHARE
from handwright.training.recipes.handiffuser import HAND_DROPOUT
from handwright.training.recipes.text_to_image import TextToImageParams
from handwright.two_stage.networks.outpainter import Outpainter

_LEVELS = TextToImageParams()  # How noise levels are drawn


@dataclass(frozen=True, kw_only=True)
class JointParams:
    """What a batch is mixed of. All values chosen by eye."""

    # How often each kind is painted from text, and repainted, relative to the others
    text_shares: Mapping[str, float] = field(
        default_factory=lambda: {"hands": 0.35, "people": 0.5, "photographs": 0.15}
    )
    repair_shares: Mapping[str, float] = field(
        default_factory=lambda: {"hands": 0.55, "people": 0.15, "photographs": 0.3}
    )
    # The same of those that are painted from text and hands; hands of photographs are not known
    hand_shares: Mapping[str, float] = field(default_factory=lambda: {"hands": 0.4, "people": 0.6})
    proportion_empty_prompts: float = 0.1
    hand_dropout: float = HAND_DROPOUT  # Share of hands that are hidden, half of them with their text
    control_dropout: float = CONTROL_DROPOUT  # Share of depths that are not seen
    canvas_dropout: float = 0.3  # Share of people whose hands are left to stage II


@dataclass(frozen=True)
class BatchMix:
    """How many samples of each kind a batch has."""

    repairs: int  # Hands to be repainted
    texts: int  # Whole pictures to be painted from their text
    with_hands: int = 0  # The same from text and hands
    posed: int = 0  # People to be painted on a skeleton around their hands


class JointLoss(nn.Module):
    """Text encoder, UNet and, once the UNet inpaints, ControlNet; the forward pass is the loss of a batch.

    The first samples of a batch, as many as it has control images, are hands to be repainted; the next, as
    many as it has ``condition``, are the outpainter's; the last ones, as many as it has ``hands``, are read
    by the Text+Hand encoder.
    """

    def __init__(
        self,
        text_encoder: CLIPTextModel,
        unet: UNet2DConditionModel,
        controlnet: ControlNetModel | None,
        text_hand_encoder: TextHandEncoder | None = None,
        outpainter: Outpainter | None = None,
    ) -> None:
        super().__init__()
        self.text_encoder, self.unet, self.controlnet = text_encoder, unet, controlnet
        self.text_hand_encoder, self.outpainter = text_hand_encoder, outpainter
        self.requires_grad_(True)

    def forward(self, batch: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """Mean squared error of the velocity, by ``weight`` (``JointParams``, ``PosedPeople``)."""
        text = self.text_encoder(batch["tokens"]).last_hidden_state
        velocity = self.velocity(batch["latents"], batch["timesteps"], text, batch, None)
        if self.controlnet is None:
            return (velocity - batch["target"]).square().mean()
        return masked_loss(velocity, batch["target"], batch["weight"])

    def velocity(
        self,
        latents: Float[Tensor, "n c h w"],
        timesteps: Float[Tensor, "n"],
        text: Float[Tensor, "n t d"],
        given: Mapping[str, Tensor],
        blank: Float[Tensor, "1 c h w"] | None,
    ) -> Float[Tensor, "n c h w"]:
        """What the UNet predicts.

        Args:
            latents: Noisy.
            timesteps: 1000 σ.
            text: Encoded captions.
            given: ``mask`` and ``masked_latents`` of all samples, ``control`` of the first of them, and
                ``controlled``, which are shown theirs (by default all); ``condition`` of those after them;
                ``hands`` (``hand_rows``) of the last of them.
            blank: Latents of a picture of which nothing is known, for where ``given`` has no mask.
        """
        if self.controlnet is None:
            return self.unet(latents, timesteps, text).sample.float()
        mask, masked = given.get("mask", torch.ones_like(latents[:, :1])), given.get("masked_latents")
        if masked is None:
            assert blank is not None
            masked = blank.expand_as(latents)
        residuals = self._residuals(latents, timesteps, text, given)
        text, seen = self._with_hands(text, given.get("hands"))
        return self.unet(
            torch.cat([latents, mask, masked], 1),
            timesteps,
            text,
            encoder_attention_mask=seen,
            down_block_additional_residuals=residuals[:-1] or None,
            mid_block_additional_residual=residuals[-1] if residuals else None,
        ).sample.float()

    def _residuals(
        self,
        latents: Float[Tensor, "n c h w"],
        timesteps: Float[Tensor, "n"],
        text: Float[Tensor, "n t d"],
        given: Mapping[str, Tensor],
    ) -> list[Tensor]:
        """What the ControlNets add at every level, the middle last; nothing where they see nothing."""
        parts: list[list[Tensor]] = []
        done = 0
        for network, name in ((self.controlnet, "control"), (self.outpainter, "condition")):
            if network is None or (image := given.get(name)) is None:
                continue
            at = slice(done, done + len(image))
            down, middle = network(latents[at], timesteps[at], text[at], image, return_dict=False)
            shown = given["controlled"] if name == "control" and "controlled" in given else None
            each = [*down, middle]
            parts.append(each if shown is None else [part * shown.view(-1, 1, 1, 1) for part in each])
            done += len(image)
        return [_filled(level, len(latents)) for level in zip(*parts, strict=True)]

    def _with_hands(
        self, text: Float[Tensor, "n t d"], rows: Float[Tensor, "k 2 6 77"] | None
    ) -> tuple[Float[Tensor, "n m d"], Float[Tensor, "n m"] | None]:
        """Texts and hands of the last samples in place of their texts, and which tokens are read.

        The others keep their texts, behind which tokens follow that are not read.
        """
        if rows is None or self.text_hand_encoder is None:
            return text, None
        without = len(text) - len(rows)
        both = self.text_hand_encoder(text[without:], features_of_rows(rows))
        further = both.shape[1] - text.shape[1]
        alone = f.pad(text[:without], (0, 0, 0, further))
        seen = torch.ones(len(text), both.shape[1], device=text.device)
        seen[:without, text.shape[1] :] = 0
        return torch.cat([alone.to(both.dtype), both]), seen


def _filled(parts: Sequence[Tensor], count: int) -> Tensor:
    """Residuals of the first samples, zeros for the others."""
    left = count - sum(map(len, parts))
    return torch.cat([*parts, parts[0].new_zeros(left, *parts[0].shape[1:])])


def text_batch(
    store: PictureStore, schedule: Schedule, side: int, count: int, params: JointParams
) -> dict[str, Tensor]:
    """Whole pictures for a UNet on latents alone."""
    rows = store.rows(count, _shares(params.text_shares, store))
    clean, tokens, _ = store.whole(rows, side, params.proportion_empty_prompts)
    noised = noised_at(schedule, clean)
    return {
        "latents": noised.latents, "timesteps": noised.timesteps, "target": noised.target, "tokens": tokens,
    }  # fmt: skip


def joint_batch(
    store: PictureStore,
    schedule: Schedule,
    side: int,
    mix: BatchMix,
    params: JointParams,
    masks: RepairParams,
) -> dict[str, Tensor]:
    """Hands to be repainted, people around their hands, pictures by text, and by text and hands."""
    rows = store.rows(mix.repairs, _shares(params.repair_shares, store))
    hands = store.repairs(rows, masks, params.proportion_empty_prompts)
    hands["weight"] = hands["mask"] + KNOWN_SHARE * (1 - hands["mask"])
    firsts = [hands]
    if mix.posed:
        firsts.append(_posed(store, mix.posed, side, params))
    whole = store.rows(mix.texts, _shares(params.text_shares, store))
    pictures, tokens, _ = store.whole(whole, side, params.proportion_empty_prompts)
    known: dict[str, Tensor] = {}
    if mix.with_hands:
        whole = store.rows(mix.with_hands, _shares(params.hand_shares, store))
        further, words, known["hands"] = _with_their_hands(store, whole, side, params)
        pictures, tokens = torch.cat([pictures, further]), torch.cat([tokens, words])
    everything = torch.ones_like(pictures[:, :1])
    last = {
        "clean": pictures, "tokens": tokens, "mask": everything, "weight": everything,
        "masked_latents": store.blank.expand_as(pictures),
    }  # fmt: skip
    joined = {name: torch.cat([*(part[name] for part in firsts), values]) for name, values in last.items()}
    shift = torch.full((len(joined["tokens"]),), _LEVELS.composition_shift, device=store.device)
    shift[: mix.repairs] = 1.0  # what is around a hand tells much of it
    noised = noised_at(schedule, joined.pop("clean"), shift)
    shown = torch.rand(mix.repairs, device=store.device) >= params.control_dropout
    if mix.posed:
        known["condition"] = firsts[1]["condition"]
    return {
        "latents": noised.latents,
        "timesteps": noised.timesteps,
        "target": noised.target,
        "control": hands["control"],
        "controlled": (hands["known_depth"] & shown).float(),
        **joined,
        **known,
    }


def _posed(store: PictureStore, count: int, side: int, params: JointParams) -> dict[str, Tensor]:
    """People to be painted around their hands, with their texts."""
    people, mirrored = store.posed.draw(count)
    rows = store.posed.rows[people]
    pictures = store.latents[side][rows, mirrored].float()
    samples = store.posed.samples(people, mirrored, pictures, params.canvas_dropout)
    return {**samples, "tokens": store.texts(rows, mirrored, params.proportion_empty_prompts)}


def _with_their_hands(
    store: PictureStore, rows: Int[Tensor, "n"], side: int, params: JointParams
) -> tuple[Float[Tensor, "n c h w"], Int[Tensor, "n t"], Float[Tensor, "n 2 6 77"]]:
    """Whole pictures, texts and ``hand_rows``; text, hands or both are left out (``HAND_DROPOUT``)."""
    clean, tokens, rows_of_hands = store.whole(rows, side, 0.0)
    draws = torch.rand(len(rows), device=store.device)
    edge, hidden = params.proportion_empty_prompts, params.hand_dropout
    handless = (draws >= edge - hidden / 2) & (draws < edge + hidden / 2)
    tokens = torch.where((draws < edge)[:, None], store.empty, tokens)
    return clean, tokens, rows_of_hands * (~handless)[:, None, None, None]


def held_out_batch(
    store: PictureStore, side: int, inpaints: bool, each: int, *, with_hands: bool = False, even: bool = False
) -> dict[str, Tensor]:
    """The first ``each`` held-out pictures of every kind, whole, at fixed noise.

    ``with_hands``: only kinds whose hands are known, with ``hands``. ``even``: at evenly drawn levels, with
    the further shift of whole pictures, in place of logit-normal ones.
    """
    kinds = JointParams().hand_shares if with_hands else store.kinds
    rows = [row for kind in kinds for row in store.held_out[kind][:each]]
    at = torch.tensor(rows, device=store.device)
    clean, tokens = store.latents[side][at, 0].float(), store.tokens[at, 0, 0].long()
    with torch.random.fork_rng(devices=[store.device] if store.device.type == "cuda" else []):
        torch.manual_seed(1)
        noised = noised_at(flow_schedule(side), clean, even_share=float(even))
    batch = {
        "latents": noised.latents, "timesteps": noised.timesteps, "target": noised.target, "tokens": tokens,
    }  # fmt: skip
    if inpaints:
        everything = torch.ones_like(clean[:, :1])
        batch |= {
            "mask": everything, "weight": everything, "masked_latents": store.blank.expand_as(clean)
        }  # fmt: skip
    if with_hands:
        batch["hands"] = store.hands[at, 0].float()
    return batch


def noised_at(
    schedule: Schedule,
    clean: Float[Tensor, "n c h w"],
    shift: Float[Tensor, "n"] | float = _LEVELS.composition_shift,
    even_share: float = _LEVELS.even_share,
) -> Noised:
    """Latents at random noise levels, by default as whole pictures; arguments as of ``mixed_places``."""
    count, device = len(clean), clean.device
    logits = _LEVELS.noise_mean + _LEVELS.noise_spread * torch.randn(count, device=device)
    even, choice = torch.rand(2, count, device=device)
    places = mixed_places(logits, even, choice, even_share, shift)
    total = int(schedule.config["num_train_timesteps"])
    steps: Int[Tensor, "n"] = (places * total).long().clamp(max=total - 1)
    return noise_to(schedule, clean, torch.randn_like(clean), steps)


def _shares(shares: Mapping[str, float], store: PictureStore) -> Float[Tensor, "k"]:
    """Shares in the order of a store's kinds; made once for each, as captured steps need a fixed place."""
    key = tuple(sorted(shares.items()))
    if key not in store.share_tensors:
        values = [shares.get(kind, 0.0) for kind in store.kinds]
        store.share_tensors[key] = torch.tensor(values, device=store.device)
    return store.share_tensors[key]
