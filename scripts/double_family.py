"""Begin a family at twice the resolution of a trained one: scripts/double_family.py MODEL --data DIR -o OUT.

MODEL is `tiny` or a run's model/, with a linear codec. OUT/model paints what MODEL painted, twice as large
and without fine detail; `handwright train vae` and `train base --model` go on from it.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from handwright.diffusion.loading.controlnets import OWN_FILE
from handwright.diffusion.loading.places import model_folder
from handwright.training.networks.doubling import doubled
from handwright.training.networks.family import open_family, save_family
from handwright.training.streams.crop_folders import load_crops


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True, help="shards and lots of crops")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    place = model_folder(args.model)
    family = open_family(place)
    crops = load_crops(args.data, 2 * family.resolution)
    save_family(doubled(family, crops.pixels, args.seed), args.output / "model")
    own = place / "controlnet" / OWN_FILE
    if own.is_file():
        shutil.copyfile(own, args.output / "model" / "controlnet" / OWN_FILE)
    print(args.output / "model")


if __name__ == "__main__":
    main()
