"""Tasks on pictures that are there: refine, review and hands, as the commands of these names do them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from handwright.workflow.batch.items import Item, list_items, read_item, write_copy
from handwright.workflow.batch.task import Attempt, Kind, Opener, Task
from handwright.workflow.report.document import verdicts_left
from handwright.workflow.run.batch import RunOptions, engine_opener
from handwright.workflow.run.picture import SUFFIX, Outcome, inspect_file, refine_file
from handwright.workflow.run.request import Request


def _items(sources: Sequence[str], task: Task) -> list[Item]:
    return list_items(sources, leave_out=task.sink)


def _opener(task: Task) -> Opener:
    return engine_opener(RunOptions(open_engine=task.open_engine), task.request)


def _copy(given: Attempt) -> None:
    write_copy(given.job.source, read_item(given.item))


def _refine(given: Attempt) -> Outcome:
    _copy(given)
    plan = given.plan
    if given.item.prompt and given.task.settings.get("diffusion") is not None:
        plan = replace(plan, request=Request(**{**plan.request.given, "prompt": given.item.prompt}))
    return refine_file(given.job, plan, given.models)


def _hands(given: Attempt) -> Outcome:
    _copy(given)
    return inspect_file(given.job, given.plan, given.models)


def _review(given: Attempt) -> Outcome:
    from handwright.image import load_image
    from handwright.prompts.parse import parse_prompt
    from handwright.review.judge import review_picture
    from handwright.review.review_json import picture_json

    _copy(given)
    text = given.item.prompt or given.task.prompt
    expected = parse_prompt(text) if text.strip() else None
    review = review_picture(load_image(given.job.source), given.models().judge, expected)
    return Outcome({**picture_json(given.item.key, review), "prompt": text, "error": None})


def _left(entry: Mapping[str, Any]) -> Mapping[str | None, int]:
    return verdicts_left([dict(entry)])


def reviewed(entry: Mapping[str, Any]) -> Mapping[str | None, int]:
    """How often each verdict stands on the hands of an entry that a review made."""
    verdicts = [hand["verdict"] for hand in entry.get("hands", ())]
    return {name: verdicts.count(name) for name in ("fail", "unsure")}


def _hands_file(name: PurePosixPath) -> PurePosixPath:
    return name.with_name(name.name + SUFFIX)


REFINE = Kind(
    work=_refine,
    items=_items,
    opener=_opener,
    verdicts=_left,
    counted=("hands", "refined", "fail", "unsure"),
)
REVIEW = Kind(
    work=_review, items=_items, opener=_opener, verdicts=reviewed, counted=("hands", "fail", "unsure")
)
HANDS = Kind(work=_hands, items=_items, opener=_opener, result=_hands_file, counted=("hands",))
