"""What every picture of a run shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handwright.workflow.run.ledger import Ledger
from handwright.workflow.run.request import Request


@dataclass(frozen=True)
class Plan:
    """The user's settings and where results go; travels to the workers."""

    request: Request  # The user's settings
    settings: dict[str, Any]  # ``request.as_json()``, made once
    ledger: Ledger  # Where records are kept
    patches: bool = False  # Write one transparent PNG per refined hand beside the output
    keep_intermediates: bool = False  # Keep the steps of diffusing painters beside the report
    force: bool = False  # Overwrite files that are not ours, the input included
