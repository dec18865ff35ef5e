"""Renders the examples of the page (``src/handwright/apps/web/examples``): hands of our own, no photographs.

python scripts/web_examples.py
"""

from pathlib import Path

from PIL import Image

from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect

FOLDER = Path(__file__).parents[1] / "src" / "handwright" / "apps" / "web" / "examples"
EXAMPLES = {
    "six-fingers": (9, Defect.EXTRA),
    "overbent-finger": (3, Defect.SIDEWAYS),
    "good-hand": (21, None),
}
SIDE, QUALITY = 512, 85

if __name__ == "__main__":
    for name, (seed, defect) in EXAMPLES.items():
        picture = Image.fromarray(render_one_hand(seed, SIDE, defect).pixels)
        picture.save(FOLDER / f"{name}.jpg", "JPEG", quality=QUALITY)
        print(name, (FOLDER / f"{name}.jpg").stat().st_size)
