"""Ship a trained family: scripts/release_weights.py --base RUN/model --controlnet RUN/model/controlnet."""

from __future__ import annotations

import argparse
from pathlib import Path

from handwright.training.release import release

FAMILY = Path(__file__).parent.parent / "src" / "handwright" / "weights" / "tiny"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--controlnet", type=Path, required=True)
    parser.add_argument("--card", type=Path, default=FAMILY / "README.md", help="the model card to ship")
    parser.add_argument("-o", "--output", type=Path, default=FAMILY)
    args = parser.parse_args()
    sizes = release(args.base, args.controlnet, args.output, args.card.read_text("utf-8"))
    for name, size in sizes.items():
        print(f"{size:10d}  {name}")
    print(f"{sum(sizes.values()):10d}  all")


if __name__ == "__main__":
    main()
