"""Inflate a text-to-image family to its inpainting sibling: scripts/inflate_family.py MODEL -o OUT.

MODEL is model/ of a `handwright train base --text-to-image`, or a folder in Stable Diffusion 1.5's layout.
OUT/model paints as MODEL does, and is what `handwright train base --model` goes on from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handwright.diffusion.loading.places import model_folder
from handwright.training.networks.family import open_family, save_family
from handwright.training.networks.inflation import inflated_family


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    save_family(inflated_family(open_family(model_folder(args.model))), args.output / "model")
    print(args.output / "model")


if __name__ == "__main__":
    main()
