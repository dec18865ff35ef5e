"""What every picture of a run shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handwright.workflow.run.ledger import Ledger
from handwright.workflow.run.request import Request


@dataclass(frozen=True)
class Plan:
    """The user's settings and where results go; travels to the workers.

    Attributes:
        request: The user's settings.
        settings: ``request.as_json()``, made once.
        ledger: Where records are kept.
        patches: Write one transparent PNG per refined hand beside the output.
        keep_intermediates: Keep the steps of diffusing painters beside the report.
        force: Overwrite files that are not ours, the input included.
    """

    request: Request
    settings: dict[str, Any]
    ledger: Ledger
    patches: bool = False
    keep_intermediates: bool = False
    force: bool = False
