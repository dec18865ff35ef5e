"""Pack shards and lots of crops for a training in a GPU's memory: scripts/pack_pictures.py DATA -o DIR.

DATA has shards in hands/ and people/, and lots of photographed hands (.npz of
scripts/make_photograph_crops.py). Every picture becomes a WebP of 256 px with the depth of its hands, their
mask and its captions: about 7 KB, a fifth of what a shard takes. A pack is made of each shard and each lot;
what is packed already is kept. scripts/train_base_in_memory.py reads them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from handwright.training.in_memory.packs import pack_crops, pack_shard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--quality", type=int, default=85, help="of WebP, 1 … 100")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for kind in ("hands", "people"):
        for shard in sorted((args.data / kind).glob("*.tar")):
            target = args.output / f"{shard.stem}.npz"
            if not target.exists():
                pack_shard(shard, target, args.quality)
    for lot in sorted(args.data.rglob("*.npz")):
        target = args.output / f"photographs-{lot.stem}.npz"
        if not target.exists():
            pack_crops(lot, target, args.quality)


if __name__ == "__main__":
    main()
