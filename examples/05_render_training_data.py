"""Render pictures of hands with exact truth, and read them back.

python examples/05_render_training_data.py out
"""

import sys
from pathlib import Path

import handwright
from handwright.data.loaders import Broken, read_handwright

handwright.synth(sys.argv[1], kind="hands", n=4, seed=3, size=128)
for record in read_handwright(Path(sys.argv[1])):
    if isinstance(record, Broken):
        print("broken:", record.reason)
        continue
    hands = ", ".join(f"{hand.side} {hand.visible.sum()} of 21 joints seen" for hand in record.hands)
    print(f"{record.key}: {record.caption} ({hands})")
