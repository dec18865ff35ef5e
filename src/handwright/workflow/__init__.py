"""Room: from files to files. What the command line, and every other shell, calls."""

from __future__ import annotations

from handwright.workflow.pick import pick_candidate
from handwright.workflow.picture import Outcome
from handwright.workflow.prepare import prepare
from handwright.workflow.request import Request
from handwright.workflow.run import RunOptions, RunResult, inspect_files, refine_files

__all__ = [
    "Outcome",
    "Request",
    "RunOptions",
    "RunResult",
    "inspect_files",
    "pick_candidate",
    "prepare",
    "refine_files",
]
