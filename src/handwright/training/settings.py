"""How to train; names as in diffusers' ControlNet example."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from handwright.diffusion.inflation import NewWeights
from handwright.errors import UsageError
from handwright.handiffuser.text_hand_encoder import STREAMS
from handwright.handrefiner.controls import KINDS

PRECISIONS = ("auto", "no", "bf16", "fp16")


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one training run; they are written into every checkpoint."""

    train_batch_size: int = 32  # Samples per forward pass
    gradient_accumulation_steps: int = 1  # Forward passes per step
    dataloader_num_workers: int = 0  # Processes that draw samples; 0: they are drawn between steps
    max_train_steps: int = 4000  # Steps after which training is done
    max_minutes: float = 0.0  # Stop (to resume later) after this long; 0: no limit
    learning_rate: float = 4e-4  # Of AdamW, after the warm-up
    lr_warmup_steps: int = 100  # Steps of linear warm-up
    lr_decay_steps: int = 500  # Steps of linear decay to nothing before the end
    adam_weight_decay: float = 0.01  # Decoupled weight decay
    max_grad_norm: float = 1.0  # Gradients are clipped to this norm
    ema_decay: float = 0.998  # Of the weights' moving average, which is what gets saved
    snr_gamma: float = 5.0  # Min-SNR weighting (Hang et al. 2023); 0: none.
    proportion_empty_prompts: float = 0.1  # Share of captions that are left out
    # Share of depth controls that are left out; None: as the member needs
    conditioning_dropout_prob: float | None = None
    control: str = "depth"  # Of handrefiner: kind of control image (``handrefiner.controls.KINDS``)
    # Of handrefiner: eq. 4, over the hand region; False: over the whole picture, the paper's ablation.
    masked_loss: bool = True
    # Of handrefiner: how control images are read is learnt anew, as it always is where their kind is not that
    # of the ControlNet to begin with
    fresh_embedding: bool = False
    # Of outpainter: the OpenPose ControlNet that it begins from; None: the model's own ControlNet, or none
    pose_controlnet: str | None = None
    # Of hand_generator, outpainter and pose_concatenation: weights of channels that the base does not read;
    # None: 'random' as published for the first, 'zero' for the others
    new_weights: NewWeights | None = None
    # Of hand_generator: it reads the hands' depth beside the heatmaps; not of the paper
    hand_depth: bool = False
    # Of hand_generator: its second head predicts the hands' mask; False: the paper's system without it
    mask_head: bool = True
    mask_dropout: float = 0.5  # Of hand_generator: share of samples whose mask is hidden from it
    # Of handiffuser: what a new Text+Hand encoder reads of hands, between commas; 'none': the text alone
    streams: str = ",".join(STREAMS)
    text: bool = True  # Of handiffuser: whether the text is read beside the hands
    encoder_layers: int = 2  # Of handiffuser: its blocks of joint attention; 0: plain concatenation
    # Side of the samples of a member that starts from nothing; with --model, the model's own
    resolution: int = 128
    latent_channels: int = 8  # Of an autoencoder that starts from nothing
    discriminator_from: int = 20_000  # Of autoencoder and finish: step from which it learns
    # 'no', 'bf16', 'fp16' (CUDA only), or 'auto': bf16 where its matrices are fast (CUDA, AMX), else 'no'
    mixed_precision: str = "auto"
    # Activations are computed again on the way back: less memory, more time
    gradient_checkpointing: bool = False
    checkpointing_minutes: float = 5.0  # Time between checkpoints
    checkpoints_total_limit: int = 2  # Older checkpoints are deleted
    seed: int = 0  # Of initial weights, order, noise

    def __post_init__(self) -> None:
        for name in ("train_batch_size", "gradient_accumulation_steps", "max_train_steps", "latent_channels"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}", "", "give 1 or more")
        if self.dataloader_num_workers < 0:
            raise UsageError(f"dataloader_num_workers is {self.dataloader_num_workers}", "", "give 0 or more")
        for name in ("learning_rate", "max_grad_norm", "checkpointing_minutes"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UsageError(f"{name} is {value}", "", "give a number above 0")
        for name in ("proportion_empty_prompts", "conditioning_dropout_prob", "mask_dropout"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise UsageError(f"{name} is {share}", "", "give a share within 0 … 1")
        if self.resolution < 64 or self.resolution % 32:
            raise UsageError(
                f"resolution is {self.resolution}",
                "latents are halved twice",
                "give 64 or a larger multiple of 32",
            )
        if self.new_weights not in (None, *get_args(NewWeights)):
            raise UsageError(f"there are no --new-weights {self.new_weights!r}", "", "give random or zero")
        if self.control not in KINDS:
            raise UsageError(
                f"there is no --control {self.control!r}", "", f"choose one of: {', '.join(KINDS)}"
            )
        if self.mixed_precision not in PRECISIONS:
            raise UsageError(
                f"there is no precision {self.mixed_precision!r}",
                "",
                f"choose one of: {', '.join(PRECISIONS)}",
            )

        if self.streams != "none" and not set(self.stream_names) <= set(STREAMS):
            raise UsageError(
                f"there are no --streams {self.streams!r}", "", f"give none, or some of {','.join(STREAMS)}"
            )
        if self.streams == "none" and not self.text:
            raise UsageError("neither text nor hands are read", "", "leave --no-text or --streams none out")
        if self.encoder_layers < 0:
            raise UsageError(f"--encoder-layers is {self.encoder_layers}", "", "give 0 or more")

    @property
    def stream_names(self) -> tuple[str, ...]:
        """The streams of ``streams``."""
        return () if self.streams == "none" else tuple(self.streams.split(","))

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step (0-based): linear warm-up, constant, linear decay."""
        up = min(1.0, (step + 1) / max(self.lr_warmup_steps, 1))
        down = min(1.0, (self.max_train_steps - step) / max(self.lr_decay_steps, 1))
        return self.learning_rate * min(up, down)


_FIXED_RATE = {"lr_warmup_steps": 0, "lr_decay_steps": 0, "snr_gamma": 0.0, "ema_decay": 0.0}

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "handrefiner": {"max_train_steps": 2307, "train_batch_size": 16, "learning_rate": 2e-5, **_FIXED_RATE},
    "hand_generator": {
        "max_train_steps": 30_000, "train_batch_size": 32, "learning_rate": 1e-5, **_FIXED_RATE,
    },
    "outpainter": {"max_train_steps": 6000, "train_batch_size": 32, "learning_rate": 1e-5, **_FIXED_RATE},
}  # fmt: skip
"""How the papers trained: HandRefiner §4.1; Giving a Hand to Diffusion Models §IV-B, both of its stages. They
name no warm-up, decay, min-SNR weighting or moving average."""


def as_published(member: str) -> Mapping[str, Any]:
    """The settings that a member's paper names.

    Raises:
        UsageError: The member is of no paper.
    """
    if member not in PUBLISHED:
        raise UsageError(
            f"there are no published settings of {member}", "it is our own", f"give {', '.join(PUBLISHED)}"
        )
    return PUBLISHED[member]
