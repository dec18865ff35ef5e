"""Train a critic that never sees one generator of every defect: bench/left_out.py --data DIR -o RUN --way 2.

What it then finds of the hands that this generator made says how it does on ways to be wrong that nobody
foresaw. `handwright train critic --model RUN/model` goes on from it with all of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from handwright.training.loop import train
from handwright.training.members import CRITIC_PHOTOGRAPH_SHARE, UNFORESEEN_SHARE
from handwright.training.recipes.judging.critic import CriticRecipe, fresh_critic, grown_critic
from handwright.training.settings import TrainSettings
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.critic_samples import load_views


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--way", type=int, required=True, help="index of the generators that are left out")
    parser.add_argument("--model", type=Path, help="model/ of such a run, to go on from its weights")
    parser.add_argument("--unforeseen", type=float, default=UNFORESEEN_SHARE, help="share without a name")
    parser.add_argument("--resolution", type=int, default=96)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--decay", type=int, default=500, help="steps of linear decay at the end")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    settings = TrainSettings(
        train_batch_size=args.batch,
        max_train_steps=args.steps,
        lr_decay_steps=args.decay,
        learning_rate=args.learning_rate,
        seed=args.seed,
        resolution=args.resolution,
    )
    torch.manual_seed(settings.seed)
    views = load_views(args.data)
    size_px = settings.resolution
    network = fresh_critic(size_px) if args.model is None else grown_critic(args.model, size_px)
    stream = ViewStream(
        views.where(views.way != args.way), settings.resolution, CRITIC_PHOTOGRAPH_SHARE, args.unforeseen
    )
    done = train(CriticRecipe(network, stream), settings, args.output, resume=args.resume)
    print(
        f"step {done.step}, {done.minutes:.1f} minutes, {stream.views.hand.sum()} hands of {views.hand.sum()}"
    )


if __name__ == "__main__":
    main()
