"""Settings of a run of two steps, for tests."""

from handwright.training.settings import TrainSettings

TWO_STEPS = TrainSettings(
    train_batch_size=2, max_train_steps=2, mixed_precision="no", lr_warmup_steps=1, ema_decay=0.0
)
