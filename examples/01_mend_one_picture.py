"""Refine a picture, and read what was done to each hand.

python examples/01_mend_one_picture.py photo.png out
"""

import sys
from pathlib import Path

import handwright

picture, out = sys.argv[1], Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)

repair = handwright.refine(
    picture, all=True, seed=7
)  # `all`: every hand, not only those that fail the review
for hand in repair.hands:
    print(f"hand {hand.id} ({hand.side}): {hand.action}, {hand.reason}")

repair.after.save(out / "refined.png")
