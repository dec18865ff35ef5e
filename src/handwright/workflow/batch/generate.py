"""Pictures from a manifest of prompts or poses, each as ``handwright generate`` makes it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from handwright.errors import UsageError
from handwright.options import OPTIONS
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow.batch.items import Item, ManifestRow, manifest_rows, read_item, safe_name, write_copy
from handwright.workflow.batch.pictures import reviewed
from handwright.workflow.batch.task import Attempt, Kind, Opener, Reader, Task, read_values, switch, whole
from handwright.workflow.run.picture import Outcome

_OPTIONS = (
    "prompt", "seed", "model", "controlnet", "negative_prompt", "num_inference_steps", "guidance_scale",
    "strength", "dtype", "device", "offload",
)  # fmt: skip
_FILES = ("pose", "reference")
_BESIDE_SETTINGS = (*_FILES, "person", "attempts", "side")

_VALUES: dict[str, Reader] = {
    "prompt": str, "seed": whole, "pose": str, "reference": str, "person": whole, "via": str, "engine": str,
    "blend": str, "mend": str, "attempts": whole, "side": whole, "start_level": float, "model": str,
    "controlnet": str, "pose_controlnet": str, "hand_generator": str, "outpainter": str, "negative": str,
    "steps": whole, "guidance": float, "dtype": str, "device": str, "offload": switch,
    "shared_latents": switch, "second_pass": switch,
}  # fmt: skip
"""What a row may hold: the options of ``handwright generate`` by their flags."""


def _items(sources: Sequence[str], task: Task) -> list[Item]:
    """One picture for each row of the manifests; ``name`` names it."""
    common = {OPTIONS[name].place: value for name, value in task.request.given.items()}
    found: dict[str, Item] = {}
    for row in (row for source in sources for row in manifest_rows(source)):
        where = f"row {row.number} of {row.url}"
        values = {name: value for name, value in row.values.items() if name != "name"}
        given = {**common, **task.values, **read_values(_VALUES, values, where)}
        for name in _FILES:
            if name in given:
                given[name] = row.address(given[name])
        key = _key(row)
        if key in found:
            raise UsageError(f"{where} and another would both be named {key}", "", "fill the column name")
        found[key] = Item(key, f"{row.url}#{row.number}", given=given)
    if not found:
        raise UsageError("the sources hold no prompt", "", "give manifests with a column prompt")
    return list(found.values())


def _key(row: ManifestRow) -> str:
    own = row.values.get("name")
    name = PurePosixPath(str(own or f"{PurePosixPath(row.url).stem}/{row.number - 1:06d}.png"))
    return safe_name(name if name.suffix else name.with_suffix(".png"), row.url)


class _Models:
    """What stays loaded: the engine that was used last, the review and the pose estimator."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._engine: tuple[TwoStageSettings, Any] | None = None

    def engine(self, settings: TwoStageSettings) -> Any:  # noqa: ANN401
        """The engine of these settings; what only words and seeds differ in shares one."""
        from handwright.workflow.generate.engines import open_engine

        alike = replace(settings, prompt="", negative=None, seed=0)
        if self._engine is None or self._engine[0] != alike:
            self._engine = alike, open_engine(settings)
        return self._engine[1]

    @cached_property
    def reviewer(self) -> Any:  # noqa: ANN401
        from handwright.workflow.generate.attempts import open_reviewer

        return self._stack.enter_context(open_reviewer())

    @cached_property
    def estimator(self) -> Any:  # noqa: ANN401
        from handwright.perception.body.estimate import BodyEstimator

        return self._stack.enter_context(BodyEstimator())


@contextmanager
def _open() -> Generator[_Models]:
    with ExitStack() as stack:
        yield _Models(stack)


def _opener(task: Task) -> Opener:
    from handwright.perception.models.download import ensure_models

    del task
    ensure_models()
    return _open


def _work(given: Attempt) -> Outcome:
    from handwright.workflow.generate.generation import Generation, generate_from_pose

    values = dict(given.item.given)
    if not {"prompt", *_FILES} & values.keys():
        raise UsageError(
            f"{given.item.url}: there is nothing to generate", "", "fill prompt, pose or reference"
        )
    for option in map(OPTIONS.__getitem__, _OPTIONS):
        if option.place in values:
            option.check(values[option.place])
    beside = {name: values.pop(name) for name in _BESIDE_SETTINGS if name in values}
    beside |= {name: _copied(beside[name], given.job.source.parent) for name in _FILES if name in beside}
    models: _Models = given.models()
    generation = Generation(
        output=given.job.output,
        settings=TwoStageSettings(**values),
        open_engine=models.engine,
        open_reviewer=lambda: nullcontext(models.reviewer),
        open_estimator=lambda: nullcontext(models.estimator),
        **beside,
    )
    return Outcome(_entry(generate_from_pose(generation).report, given.item.key))


def _copied(url: str, folder: Path) -> Path:
    """A local copy of a file that a row names, under its own name."""
    copy = folder / PurePosixPath(url).name
    write_copy(copy, read_item(Item(url, url)))
    return copy


def _entry(report: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The picture's entry in the report of the command, in the words of a batch."""
    (picture,) = report["pictures"]
    return {
        **picture,
        "settings": report["settings"],
        "review": {**picture["review"], "path": key},
        "hands": picture["review"]["hands"],
        "seconds": {"all": picture["seconds"]},
        "error": None,
    }


GENERATE = Kind(
    work=_work,
    items=_items,
    opener=_opener,
    options=_OPTIONS,
    values=_VALUES,
    verdicts=reviewed,
    counted=("hands", "fail", "unsure"),
)
