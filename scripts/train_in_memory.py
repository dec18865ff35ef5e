"""Train a member on one GPU by the clock: scripts/train_in_memory.py MEMBER --data DIR --minutes M -o RUN.

As `handwright train MEMBER`, but samples are drawn by --workers processes, encoded on the GPU, kept in its
memory and used many times with fresh noise, and every step is one CUDA graph (`training/in_memory`): for
outpainter, hand_generator, handiffuser, pose_concatenation, pose_adapter, base and handrefiner. RUN gets
log.jsonl, samples.png and model/, the member. What is drawn depends on the clock: there is no resume, and the
same seed does not make the same weights. With --after FILE samples are drawn at once, and training begins
when FILE is there: the family that --model names can be finished meanwhile, and with --shown DIR the process
that trains need not read all of the data. Further settings: --set NAME=VALUE, as of `training.settings`.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import time
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from handwright.image import write_png
from handwright.training.in_memory.graphed_steps import GraphedSteps
from handwright.training.in_memory.sample_pool import SamplePool, pooled_batch
from handwright.training.members import open_member
from handwright.training.recipes.base import FamilyRecipe
from handwright.training.settings import TrainSettings

_LOT = 32  # Samples that a worker draws at once
_FIRST = 8  # Batches that the pool holds before the first step, unless it is smaller
_REFILL_EVERY = 4  # Steps between lots that replace old samples, once the pool is full
_LOGGED_EVERY = 50


def draw_for_ever(
    member: str, data: Path, model: Path, settings: TrainSettings, number: int, lots: Any
) -> None:
    """What a worker does: open the recipe and draw lots until it is ended."""
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    recipe: Any = open_member(member, data, model, settings)
    rng = np.random.default_rng([settings.seed, number])
    while True:
        drawn = recipe.drawn(rng, _LOT, settings)
        lots.put({name: values.numpy() for name, values in drawn.items()})


def with_values(settings: TrainSettings, given: list[str]) -> TrainSettings:
    """Settings with some of them replaced by NAME=VALUE; values are JSON or words."""
    known, named = {field.name for field in fields(settings)}, dict[str, Any]()
    for text in given:
        name, _, value = text.partition("=")
        if name not in known:
            raise SystemExit(f"there is no setting {name!r}")
        try:
            named[name] = json.loads(value)
        except ValueError:
            named[name] = value
    return replace(settings, **named)


def train(
    recipe: FamilyRecipe, lots: Any, settings: TrainSettings, minutes: float, capacity: int, folder: Path
) -> None:
    """Fill the pool, train until the time is used up, and write the member."""
    device, batch = recipe.codec.device, settings.train_batch_size
    recipe.trained.to(device)
    pool = SamplePool(capacity, device)

    def add(wait: bool) -> bool:
        try:
            drawn: dict[str, Tensor] = {k: torch.from_numpy(v) for k, v in lots.get(wait, 600.0).items()}
        except queue.Empty:
            return False
        pool.add(recipe.samples(drawn))
        return True

    while len(pool) < min(_FIRST * batch, capacity):
        if not add(wait=True):
            raise SystemExit("no samples came within ten minutes")
    steps = GraphedSteps(
        recipe.trained.train(),
        lambda: pooled_batch(recipe, pool, batch, settings.snr_gamma),
        max_grad_norm=settings.max_grad_norm,
        weight_decay=settings.adam_weight_decay,
        ema_decay=settings.ema_decay,
    )
    began, done, losses = time.monotonic(), 0.0, list[Tensor]()
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        while done < 1:
            rate = min(1.0, (steps.step + 1) / max(settings.lr_warmup_steps, 1), (1 - done) / 0.4)
            steps.run(settings.learning_rate * rate, average=steps.step % 10 == 9)
            losses.append(steps.loss.clone())
            if len(pool) < capacity or steps.step % _REFILL_EVERY == 0:
                add(wait=False)
            seconds = time.monotonic() - began
            done = seconds / (60 * minutes)
            if steps.step % _LOGGED_EVERY == 0 or done >= 1:
                line = {
                    "seconds": round(seconds, 1), "step": steps.step, "seen": steps.step * batch,
                    "loss": round(float(torch.stack(losses).mean()), 5), "drawn": pool.added,
                    "graph": steps.graph is not None, "why": steps.why_not,
                }  # fmt: skip
                losses.clear()
                log.write(json.dumps(line) + "\n")
                log.flush()
    if steps.averaged:
        steps.settle()
    for part in (recipe.trained.eval(), *vars(recipe.family).values()):
        if isinstance(part, torch.nn.Module):
            part.to("cpu")
    recipe.save(folder / "model")
    write_png(folder / "samples.png", recipe.grid())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("member")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--shown", type=Path, help="a few of DATA, which the GPU's process itself opens")
    parser.add_argument("--model", type=Path, default=Path("tiny"))
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--after", type=Path, metavar="FILE", help="wait until FILE exists")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--capacity", type=int, default=20_000, help="samples in memory")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    settings = TrainSettings(
        train_batch_size=args.batch, learning_rate=args.learning_rate, seed=args.seed, snr_gamma=0.0,
        ema_decay=0.9995,
    )  # fmt: skip
    settings = with_values(settings, args.set)
    context = get_context("spawn")
    lots: Any = context.Queue(2 * args.workers)
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # workers stay on the CPU
    workers = [
        context.Process(
            target=draw_for_ever, args=(args.member, args.data, args.model, settings, k, lots), daemon=True
        )
        for k in range(args.workers)
    ]
    for worker in workers:
        worker.start()
    if seen is None:
        del os.environ["CUDA_VISIBLE_DEVICES"]
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = seen
    while args.after and not args.after.exists():
        time.sleep(0.5)
    torch.manual_seed(args.seed)
    torch.set_float32_matmul_precision("high")
    recipe = open_member(args.member, args.shown or args.data, args.model, settings)
    if not isinstance(recipe, FamilyRecipe):
        raise SystemExit(f"{args.member} is not trained this way")
    try:
        train(recipe, lots, settings, args.minutes, args.capacity, args.output)
    finally:
        for worker in workers:
            worker.terminate()


if __name__ == "__main__":
    main()
