"""One set of pictures measured against another.

Reading order: `items` (a picture and its labels), `gather` (one pass over a set), `paired_hands` and
`paired_people` (pictures that exist in both sets), `measures` (every measure by its name), and `evaluation`,
which runs what a plan names and compares two treatments.
"""

from handwright.metrics.results import Evaluation
from handwright.metrics.sets.evaluation import Plan, evaluate_sets
from handwright.metrics.sets.items import Item, Labels, file_item

__all__ = ["Evaluation", "Item", "Labels", "Plan", "evaluate_sets", "file_item"]
