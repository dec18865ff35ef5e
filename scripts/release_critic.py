"""Calibrate a trained critic and ship it: scripts/release_critic.py RUN/model/critic --data DIR.

DIR is what it was trained on; hands kept from training there
(``training.streams.whole_pictures.is_calibration``) calibrate it. With --referee it is a RUN/model/critic of
the member `referee`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from critic_calibration import calibrate_critic
from handwright.training.networks.critic import CriticNetwork, load_critic
from handwright.training.networks.referee import RefereeNetwork
from handwright.training.streams.critic_samples import load_views
from release_packaging import release_critic

WEIGHTS = Path(__file__).parent.parent / "src" / "handwright" / "weights"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("critic", type=Path, help="folder of the trained critic")
    parser.add_argument("--data", type=Path, required=True, help="what it was trained on")
    parser.add_argument("--card", type=Path, help="the model card to ship; without it, the one that is there")
    parser.add_argument("--without", type=int, metavar="WAY", help="calibrate without this generator too")
    parser.add_argument("--referee", action="store_true", help="it is the second critic")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    output = args.output or WEIGHTS / ("referee" if args.referee else "critic")
    torch.set_num_threads(1)
    network = load_critic(args.critic, RefereeNetwork if args.referee else CriticNetwork)
    views = load_views(args.data, calibration=True)
    views = views if args.without is None else views.where(views.way != args.without)
    about = {"critic": network.config.name}
    card = (args.card or output / "README.md").read_text("utf-8")

    def calibrate(ask):
        return calibrate_critic(ask, network.config, views, about)

    for name, size in release_critic(network, network.config, calibrate, output, card).items():
        print(f"{size:10d}  {name}")


if __name__ == "__main__":
    main()
