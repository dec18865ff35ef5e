"""How to train; names as in diffusers' ControlNet example."""

from __future__ import annotations

import math
from dataclasses import dataclass

from handwright.errors import UsageError
from handwright.handrefiner.controls import KINDS

PRECISIONS = ("auto", "no", "bf16", "fp16")
PREDICTIONS = ("epsilon", "v_prediction", "sample", "flow")
"""What a network can be trained to predict: ε, v, x0, or the flow ε − x0."""


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one training run; they are written into every checkpoint.

    Attributes:
        train_batch_size: Samples per forward pass.
        gradient_accumulation_steps: Forward passes per step.
        dataloader_num_workers: Processes that draw samples; 0: they are drawn between steps.
        max_train_steps: Steps after which training is done.
        max_minutes: Stop (to resume later) after this long; 0: no limit.
        learning_rate: Of AdamW, after the warm-up.
        lr_warmup_steps: Steps of linear warm-up.
        lr_decay_steps: Steps of linear decay to nothing before the end.
        adam_weight_decay: Decoupled weight decay.
        max_grad_norm: Gradients are clipped to this norm.
        ema_decay: Of the weights' moving average, which is what gets saved.
        snr_gamma: Min-SNR weighting (Hang et al. 2023); 0: none.
        proportion_empty_prompts: Share of captions that are left out.
        conditioning_dropout_prob: Share of depth controls that are left out; None: as the member needs.
        control: Of handrefiner: kind of control image (``handrefiner.controls.KINDS``).
        masked_loss: Of handrefiner: eq. 4, over the hand region; False: over the whole picture, the paper's
            ablation.
        fresh_embedding: Of handrefiner: how control images are read is learnt anew, as it always is where
            their kind is not that of the ControlNet to begin with.
        prediction_type: Of a base that starts from nothing: what its UNet predicts (``PREDICTIONS``).
        text_to_image: Of a base that starts from nothing: its UNet reads noisy latents alone.
        resolution: Side of the samples of a member that starts from nothing; with --model, the model's own.
        latent_channels: Of an autoencoder that starts from nothing.
        discriminator_from: Of an autoencoder: step from which its discriminator learns.
        mixed_precision: 'no', 'bf16', 'fp16' (CUDA only), or 'auto': bf16 where its matrices are fast (CUDA,
            AMX), else 'no'.
        gradient_checkpointing: Activations are computed again on the way back: less memory, more time.
        checkpointing_minutes: Time between checkpoints.
        checkpoints_total_limit: Older checkpoints are deleted.
        seed: Of initial weights, order, noise.
    """

    train_batch_size: int = 32
    gradient_accumulation_steps: int = 1
    dataloader_num_workers: int = 0
    max_train_steps: int = 4000
    max_minutes: float = 0.0
    learning_rate: float = 4e-4
    lr_warmup_steps: int = 100
    lr_decay_steps: int = 500
    adam_weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    ema_decay: float = 0.998
    snr_gamma: float = 5.0
    proportion_empty_prompts: float = 0.1
    conditioning_dropout_prob: float | None = None
    control: str = "depth"
    masked_loss: bool = True
    fresh_embedding: bool = False
    prediction_type: str = "v_prediction"
    text_to_image: bool = False
    resolution: int = 128
    latent_channels: int = 8
    discriminator_from: int = 20_000
    mixed_precision: str = "auto"
    gradient_checkpointing: bool = False
    checkpointing_minutes: float = 5.0
    checkpoints_total_limit: int = 2
    seed: int = 0

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
        for name in ("proportion_empty_prompts", "conditioning_dropout_prob"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise UsageError(f"{name} is {share}", "", "give a share within 0 … 1")
        if self.resolution < 64 or self.resolution % 32:
            raise UsageError(
                f"resolution is {self.resolution}",
                "latents are halved twice",
                "give 64 or a larger multiple of 32",
            )
        if self.control not in KINDS:
            raise UsageError(
                f"there is no --control {self.control!r}", "", f"choose one of: {', '.join(KINDS)}"
            )
        if self.prediction_type not in PREDICTIONS:
            raise UsageError(
                f"there is no prediction type {self.prediction_type!r}",
                "",
                f"choose one of: {', '.join(PREDICTIONS)}",
            )
        if self.mixed_precision not in PRECISIONS:
            raise UsageError(
                f"there is no precision {self.mixed_precision!r}",
                "",
                f"choose one of: {', '.join(PRECISIONS)}",
            )

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step (0-based): linear warm-up, constant, linear decay."""
        up = min(1.0, (step + 1) / max(self.lr_warmup_steps, 1))
        down = min(1.0, (self.max_train_steps - step) / max(self.lr_decay_steps, 1))
        return self.learning_rate * min(up, down)
