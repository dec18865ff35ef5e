"""Room: from files to files. What the command line, and every other shell, calls."""

from handwright.workflow.prepare import prepare
from handwright.workflow.run.again import refine_again
from handwright.workflow.run.batch import RunOptions, RunResult, inspect_files, refine_files
from handwright.workflow.run.pick import pick_candidate
from handwright.workflow.run.picture import Outcome
from handwright.workflow.run.request import Request

__all__ = [
    "Outcome", "Request", "RunOptions", "RunResult", "inspect_files", "pick_candidate", "prepare",
    "refine_again", "refine_files",
]  # fmt: skip
