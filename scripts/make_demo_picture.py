"""Render the demo's picture, a hand with a finger too many: ``python scripts/make_demo_picture.py PATH``.

Nothing is photographed: hand, skin, light and room come from formulas (``handwright.data.hands``). Same
seed, same bytes on the same machine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image

from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect

SEED, SIZE = 9, 768


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size", type=int, default=SIZE)
    options = parser.parse_args()
    picture = render_one_hand(options.seed, options.size, Defect.EXTRA)
    options.path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture.pixels).save(options.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
