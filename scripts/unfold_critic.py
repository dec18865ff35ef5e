"""The packaged critic as a model that goes on learning: scripts/unfold_critic.py --data DIR -o RUN/model.

`handwright train critic --model RUN/model` takes it from there. DIR is what it will be trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from handwright.diffusion.tensors import picture_tensor
from handwright.training.members import CRITIC_PHOTOGRAPH_SHARE
from handwright.training.networks.critic import save_critic
from handwright.training.recipes.critic import fresh_critic
from handwright.training.release.onnx_import import unfolded
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.critic_samples import load_views

PACKAGED = Path(__file__).parent.parent / "src" / "handwright" / "weights" / "critic" / "critic.onnx"
BATCHES, BATCH, SIZE_PX = 32, 48, 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    stream = ViewStream(load_views(args.data), SIZE_PX, CRITIC_PHOTOGRAPH_SHARE)
    drawn = [stream.draw(np.random.default_rng(k), BATCH) for k in range(BATCHES)]
    network = fresh_critic(SIZE_PX)
    unfolded(PACKAGED, network, [picture_tensor(batch["pictures"]) for batch in drawn])
    save_critic(network, network.config, args.output / "critic")


if __name__ == "__main__":
    main()
