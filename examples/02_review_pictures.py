"""Go through the checklist of every hand; nothing is changed.

python examples/02_review_pictures.py photo.png [more pictures]
"""

import sys

import handwright

for path, review in zip(sys.argv[1:], handwright.review(sys.argv[1:]), strict=True):
    print(path, review.verdict)
    for hand in review.hands:
        for name, check in hand.checks.items():
            print(f"  hand {hand.id} ({hand.side}), {name}: {check.verdict}. {check.reason}")
