"""Render the demo's picture, a hand with a finger too many: ``python scripts/make_demo_picture.py PATH``.

Nothing is photographed: hand, skin, light and room come from formulas (``handwright.data.scenes``). Same
seed, same bytes on the same machine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image

from handwright.data.scenes import render_scene

SEED, SIZE = 331, 768


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size", type=int, default=SIZE)
    options = parser.parse_args()
    scene = render_scene(options.seed, defect="extra_finger", size=options.size)
    options.path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene.pixels).save(options.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
