"""Measures of one set of pictures against another: taken picture by picture, measured in the driver.

A worker stores what ``handwright evaluate`` keeps of a picture (features, hands, labels) beside its record;
at the end the driver joins that in the command's order and measures it as the command does.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from handwright.errors import DataError, HandwrightError, UnreadableImageError, UsageError
from handwright.workflow.batch.items import Item, write_copy
from handwright.workflow.batch.sink import Sink
from handwright.workflow.batch.task import Attempt, Finished, Kind, Opener, Reader, Task, switch, whole
from handwright.workflow.picture_sets import PictureSet, find_pictures
from handwright.workflow.run.picture import Outcome

if TYPE_CHECKING:
    from handwright.metrics.sets.evaluation import Plan
    from handwright.metrics.sets.gather import Gathered

_VALUES: dict[str, Reader] = {
    "metrics": str, "hands": switch, "extractor": str, "real_masks": str, "fake_masks": str, "seed": whole,
}  # fmt: skip


def _plan(task: Task) -> Plan:
    from handwright.metrics.sets.evaluation import Plan

    values = task.values
    names = tuple(name.strip() for name in values.get("metrics", "").split(",") if name.strip())
    masks = "real_masks" in values and "fake_masks" in values
    if not masks and {"real_masks", "fake_masks"} & values.keys():
        raise UsageError("one set has masks, the other none", "", "set real_masks and fake_masks")
    return Plan(names, values.get("hands", False), masks, values.get("seed", 0))


def _extractor(task: Task, plan: Plan) -> Any:  # noqa: ANN401
    from handwright.metrics.extractors import open_extractor

    return open_extractor(task.values.get("extractor", "hw-v2")) if plan.needs_extractor else None


def _items(sources: Sequence[str], task: Task) -> list[Item]:
    from handwright.metrics.sets.evaluation import SETS, check_sets, names_compared

    if not 2 <= len(sources) <= len(SETS) or any("://" in source for source in sources):
        raise UsageError(
            "evaluate takes two sets of pictures, and perhaps a third to compare",
            "each is one folder, pattern or shard on storage that all machines see",
            "give REAL FAKE [OTHER]",
        )
    plan = _plan(task)
    extractor = _extractor(task, plan)
    folders = [Path(task.values[f"{name}_masks"]) if plan.foreground else None for name in SETS[:2]]
    sets = [
        find_pictures(given, name.upper(), folder)
        for given, name, folder in zip(sources, SETS, [*folders, None], strict=False)
    ]
    check_sets(plan, extractor, [one.items for one in sets[:2]])
    compared = names_compared(plan, sets[0].items, sets[1].items)
    about = {
        "metrics": list(plan.chosen),
        "extractor": None if extractor is None else extractor.name,
        "landmarker": task.settings.get("landmarker"),
    }
    return [item for name, one in zip(SETS, sets, strict=False) for item in _of(name, one, compared, about)]


def _of(called: str, found: PictureSet, compared: frozenset[str], about: Mapping[str, Any]) -> Iterator[Item]:
    """A set's pictures, and what could not be listed: that ends in quarantine."""
    for path, reason in found.problems:
        yield Item(f"{called}/damaged/{path.as_posix().lstrip('/')}", str(path), source=reason)
    for name, source in found.items.items():
        given = {**about, "set": called, "name": name, "compared": called == "real" and name in compared}
        yield Item(f"{called}/{name.lstrip('/')}", str(source.path), given=given, source=source)


@contextmanager
def _open(task: Task, landmarker: Path | None) -> Generator[tuple[Any, Any]]:
    """The extractor and the finder of hands, as far as the plan needs them."""
    plan = _plan(task)
    with ExitStack() as stack:
        finder = None
        if plan.needs_finder:
            from handwright.perception.detect.landmarker import HandLandmarker
            from handwright.perception.detect.search import find_hands

            finder = partial(find_hands, landmarker=stack.enter_context(HandLandmarker(landmarker)))
        yield _extractor(task, plan), finder


def _opener(task: Task) -> Opener:
    from handwright.perception.models.download import ensure_models

    landmarker = task.request["landmarker"]
    if isinstance(landmarker, str):
        raise UsageError(f"evaluate takes no class {landmarker!r}", "", "give a hand_landmarker.task")
    if landmarker is None and _plan(task).needs_finder:
        ensure_models()
    return partial(_open, task, landmarker)


def _work(given: Attempt) -> Outcome:
    from handwright.metrics.sets.evaluation import wanted_of
    from handwright.metrics.sets.gather import gather
    from handwright.metrics.sets.stored import gathered_json

    item = given.item
    if isinstance(item.source, str):
        raise DataError(f"{item.url} is damaged", item.source, "make it anew")
    called, name = item.given["set"], item.given["name"]
    wanted = wanted_of(_plan(given.task), called, frozenset([name] if item.given["compared"] else []))
    found = gather({name: item.source}, wanted, *given.models())
    if not found.pictures:
        reason = found.skipped[0].reason
        raise UnreadableImageError(f"cannot read {item.url}", reason, "check the file")
    write_copy(given.job.output, json.dumps(gathered_json(found), allow_nan=False).encode())
    return Outcome({"name": name, "set": called, "error": None})


def _values_file(name: PurePosixPath) -> PurePosixPath:
    return name.with_name(f"{name.name}.json")


def _finish(task: Task, sink: Sink, items: Sequence[Item]) -> Finished:
    """Join what was stored and measure it.

    Raises:
        NotEnoughDataError: Nothing at all could be measured.
    """
    from dataclasses import replace

    from handwright.metrics.results import Skipped
    from handwright.metrics.sets.evaluation import SETS, measure_sets

    plan, skipped = _plan(task), list[Skipped]()
    gathered: list[Gathered] = []
    for called in SETS:
        own = [item for item in items if item.key.startswith(f"{called}/")]
        if own:
            gathered.append(_gathered(task, sink, own, skipped))
    evaluation = measure_sets(gathered, plan, _extractor(task, plan))
    evaluation = replace(evaluation, skipped=(*skipped, *evaluation.skipped))
    report = evaluation.to_json()
    sink.write("evaluation.json", (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode())
    figures = [(e.name, f"{e.value:.4g} [{e.low:.4g}, {e.high:.4g}], N {e.n}") for e in evaluation.estimates]
    return Finished(
        exit_code=evaluation.exit_code,
        evaluation=evaluation,
        report={"evaluation": report},
        figures=figures,
    )


def _gathered(task: Task, sink: Sink, items: Sequence[Item], skipped: list[Any]) -> Gathered:
    """What is stored of one set, in the items' order; those in quarantine are appended to ``skipped``."""
    from handwright.metrics.results import Skipped
    from handwright.metrics.sets.stored import joined

    def parts() -> Iterator[Mapping[str, Any]]:
        for item in items:
            record = sink.record(item.key, task.fingerprint_of(item))
            if record is None:
                skipped.append(Skipped(Path(item.url), "its record is gone"))
            elif record["error"] is not None:
                why = HandwrightError(*(record["error"][part] for part in ("what", "why", "fix")))
                skipped.append(Skipped.because(Path(item.url), why))
            else:
                yield json.loads(sink.read(record["entry"]["output"]) or b"")

    return joined(parts())


EVALUATE = Kind(
    work=_work,
    items=_items,
    opener=_opener,
    options=("landmarker",),
    values=_VALUES,
    result=_values_file,
    finish=_finish,
)
