"""Every task by its name."""

from collections.abc import Mapping

from handwright.workflow.batch.evaluate import EVALUATE
from handwright.workflow.batch.generate import GENERATE
from handwright.workflow.batch.pictures import HANDS, REFINE, REVIEW
from handwright.workflow.batch.synth import SYNTH
from handwright.workflow.batch.task import Kind, TaskName

KINDS: Mapping[TaskName, Kind] = {
    "refine": REFINE,
    "review": REVIEW,
    "hands": HANDS,
    "generate": GENERATE,
    "evaluate": EVALUATE,
    "synth": SYNTH,
}
