"""The training loop: killed and resumed, it continues exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.utils.data import get_worker_info

from handwright.errors import UsageError
from handwright.training.loop import train
from handwright.training.settings import TrainSettings

ROOT = Path(__file__).parents[2]

SHARED = """
import sys
from pathlib import Path
from tests.training.test_loop import Toy, settings, train

train(Toy(), settings(max_train_steps=6, checkpointing_minutes=1e-9), Path(sys.argv[1]))
"""


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 1)

    def forward(self, batch):
        return ((self.linear(batch["x"]) - batch["y"]) ** 2).mean()


class Toy:
    """Fits y = x · (1, 2, 3) from noisy samples."""

    def __init__(self):
        self.trained = Line()

    def batch(self, step, part, settings):
        rng = np.random.default_rng([settings.seed, step, part])
        x = rng.normal(size=(settings.train_batch_size, 3)).astype(np.float32)
        y = x @ np.array([[1.0], [2.0], [3.0]], np.float32) + rng.normal(0, 0.1, (len(x), 1))
        return {"x": torch.from_numpy(x), "y": torch.from_numpy(y.astype(np.float32))}

    def grid(self):
        return np.full((4, 4, 3), 7, np.uint8)

    def save(self, folder):
        folder.mkdir()
        save_file(dict(self.trained.linear.state_dict()), folder / "line.safetensors")


def settings(**changes):
    plain = {"train_batch_size": 8, "learning_rate": 0.05, "mixed_precision": "no", "lr_warmup_steps": 3}
    return TrainSettings(**{**plain, "lr_decay_steps": 10, "ema_decay": 0.9, **changes})


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_run_that_was_cut_off_and_resumed_makes_the_same_losses_and_weights(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(Toy(), settings(max_train_steps=30), whole)
    first = train(Toy(), settings(max_train_steps=30, max_minutes=1e-9), cut)
    assert not first.done
    rounds = 1
    while not train(Toy(), settings(max_train_steps=30, max_minutes=1e-3), cut, resume=True).done:
        rounds += 1
    assert rounds >= 1
    assert losses(cut) == losses(whole)
    ours, theirs = (load_file(f / "model" / "line.safetensors") for f in (cut, whole))
    assert all(torch.equal(ours[k], theirs[k]) for k in theirs)


def test_lines_logged_after_the_last_checkpoint_are_dropped_on_resume(tmp_path):
    train(Toy(), settings(max_train_steps=5, max_minutes=1e-9), tmp_path / "a")
    with (tmp_path / "a" / "log.jsonl").open("a") as file:
        file.write('{"step": 3, "loss": 99}\n{"step": 4, "lo')
    train(Toy(), settings(max_train_steps=5), tmp_path / "a", resume=True)
    steps = [json.loads(line)["step"] for line in (tmp_path / "a" / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4]
    assert 99 not in losses(tmp_path / "a")


def test_the_loss_falls_and_the_saved_average_is_near_the_truth(tmp_path):
    train(Toy(), settings(max_train_steps=150), tmp_path / "a")
    seen = losses(tmp_path / "a")
    assert np.mean(seen[-10:]) < 0.02 * np.mean(seen[:3])
    weight = load_file(tmp_path / "a" / "model" / "line.safetensors")["weight"]
    assert torch.allclose(weight, torch.tensor([[1.0, 2.0, 3.0]]), atol=0.05)


def test_accumulating_two_halves_equals_one_batch_of_their_samples(tmp_path):
    class Halves(Toy):
        def batch(self, step, part, settings):
            whole = super().batch(step, 0, settings)
            half = settings.train_batch_size // settings.gradient_accumulation_steps
            return {k: v[part * half : (part + 1) * half] for k, v in whole.items()}

    train(Toy(), settings(max_train_steps=6), tmp_path / "one")
    train(Halves(), settings(max_train_steps=6, gradient_accumulation_steps=2), tmp_path / "two")
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)


def test_two_processes_share_a_step_as_two_parts_of_one_process_do(tmp_path):
    script = tmp_path / "shared.py"
    script.write_text(SHARED, "utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "PYTHONPATH": os.pathsep.join(["src", "."])}
    done = subprocess.run(
        [*launch, str(script), str(tmp_path / "two")],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    train(Toy(), settings(max_train_steps=6, gradient_accumulation_steps=2), tmp_path / "one")
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)
    ours, theirs = (load_file(tmp_path / n / "model" / "line.safetensors") for n in ("two", "one"))
    assert all(torch.allclose(ours[k], theirs[k], atol=1e-6) for k in theirs)
    assert sorted(p.name for p in (tmp_path / "two" / "checkpoints").iterdir()) == [
        "step-00000005",
        "step-00000006",
    ]


def test_batches_of_worker_processes_are_those_drawn_between_steps(tmp_path):
    plain, drawn = tmp_path / "plain", tmp_path / "drawn"
    train(Toy(), settings(max_train_steps=7, gradient_accumulation_steps=2), plain)
    workers = {"gradient_accumulation_steps": 2, "dataloader_num_workers": 2}
    train(Toy(), settings(max_train_steps=7, max_minutes=1e-9, **workers), drawn)
    train(Toy(), settings(max_train_steps=7, **workers), drawn, resume=True)
    assert losses(drawn) == losses(plain)


class Encoding(Toy):
    """As ``Toy``; x is drawn wherever batches are, y made where the device is."""

    def drawn_batch(self, step, part, settings):
        assert get_worker_info() is not None
        return self.batch(step, part, settings)

    def encoded_batch(self, drawn, settings):
        assert get_worker_info() is None
        return {"x": drawn["x"], "y": 2 * drawn["y"]}


def test_worker_processes_draw_and_the_process_of_the_device_encodes(tmp_path):
    train(Toy(), settings(max_train_steps=3), tmp_path / "plain")
    train(Encoding(), settings(max_train_steps=3, dataloader_num_workers=1), tmp_path / "encoded")
    assert losses(tmp_path / "encoded")[0] != losses(tmp_path / "plain")[0]


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    for _ in range(3):
        train(Toy(), settings(max_train_steps=9, max_minutes=1e-9), tmp_path / "a", resume=True)
    names = sorted(p.name for p in (tmp_path / "a" / "checkpoints").iterdir())
    assert names == ["step-00000002", "step-00000003"]


def test_a_folder_with_a_run_is_not_written_over_unasked(tmp_path):
    train(Toy(), settings(max_train_steps=1), tmp_path / "a")
    with pytest.raises(UsageError, match="--resume"):
        train(Toy(), settings(max_train_steps=1), tmp_path / "a")


@pytest.mark.parametrize(
    "wrong", [{"train_batch_size": 0}, {"learning_rate": float("nan")}, {"mixed_precision": "fp8"}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError):
        TrainSettings(**wrong)


def test_the_learning_rate_rises_stays_and_falls_to_nothing():
    plan = TrainSettings(max_train_steps=100, lr_warmup_steps=10, lr_decay_steps=20, learning_rate=1.0)
    assert [plan.learning_rate_at(k) for k in (0, 9, 50, 80, 90, 99)] == [0.1, 1.0, 1.0, 1.0, 0.5, 0.05]


def test_tensorboard_holds_every_step_once_and_the_samples(tmp_path):
    train(Toy(), settings(max_train_steps=6, max_minutes=1e-9), tmp_path)
    time.sleep(1.1)  # event files are read by the second in their names; within one, .10 comes before .9
    train(Toy(), settings(max_train_steps=6), tmp_path, resume=True)
    board = EventAccumulator(str(tmp_path / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    assert [event.step for event in board.Scalars("loss")] == list(range(6))
    assert [event.value for event in board.Scalars("loss")] == pytest.approx(losses(tmp_path), rel=1e-5)
    assert board.Images("samples")[-1].width == 4


def test_gradient_checkpointing_is_refused_where_nothing_can(tmp_path):
    with pytest.raises(UsageError, match="leave the option out"):
        train(Toy(), settings(gradient_checkpointing=True), tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 works on CUDA")
def test_fp16_without_cuda_is_refused(tmp_path):
    with pytest.raises(UsageError, match="bf16"):
        train(Toy(), settings(mixed_precision="fp16"), tmp_path)
