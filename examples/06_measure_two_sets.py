"""Distances of two sets of pictures; each figure says what it was measured with, its N and an interval.

python examples/06_measure_two_sets.py real/ generated/ [extractor]
"""

import sys

import handwright

extractor = sys.argv[3] if len(sys.argv) > 3 else "hw-v2"
for figure in handwright.evaluate(sys.argv[1], sys.argv[2], metrics=["kid"], extractor=extractor).estimates:
    print(f"{figure.name} {figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}], N {figure.n}")
