"""What a batch does with its pictures: a task, and what a kind of task consists of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from handwright.errors import UsageError
from handwright.workflow.batch.items import Item
from handwright.workflow.batch.sink import Sink
from handwright.workflow.jobs import Job
from handwright.workflow.run.picture import Outcome
from handwright.workflow.run.pool import OpenEngine
from handwright.workflow.run.request import Plan, Request

if TYPE_CHECKING:
    from handwright.metrics.results import Evaluation

TaskName = Literal["refine", "review", "hands", "generate", "evaluate", "synth"]


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is done with every picture; it travels to the workers."""

    name: TaskName
    request: Request  # The user's settings
    settings: dict[str, Any]  # ``request.as_json()``, made once
    fingerprint: str  # Of everything that decides all results; records made otherwise do not count
    sink: str  # Where results go
    run: str  # Name of this run, for its claims
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])  # Of ``--set``, by name
    prompt: str = ""  # What pictures were meant to show that have no prompt of their own
    attempts: int = 3  # Attempts in one run at a picture at which workers die
    seconds: float = 600.0  # A picture that takes longer ends its worker
    redo: Literal["nothing", "quarantined", "everything"] = "nothing"  # Of what is done already
    open_engine: OpenEngine | None = None  # None: the real one

    def fingerprint_of(self, item: Item) -> str:
        """Fingerprint of everything that decides an item's result, apart from the picture itself."""
        from handwright.workflow.files import fingerprint

        own = [item.prompt, dict(item.given)]
        return fingerprint([self.fingerprint, *own]) if any(own) else self.fingerprint


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt at one item."""

    item: Item
    task: Task
    job: Job  # A place for a local copy of what is read, and one for the result; other files beside it
    plan: Plan  # The request as the commands pass it
    models: Callable[[], Any]  # What the kind's ``opener`` opens, loaded on the first call
    restart: Callable[[], None]  # Gives the item its seconds anew: of a shard, each picture has its own


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What follows from all results together."""

    exit_code: int = 0  # 0 or 2
    evaluation: Evaluation | None = None
    report: Mapping[str, Any] = field(default_factory=dict[str, Any])  # Its entries in report.json
    figures: Sequence[tuple[str, str]] = ()  # Its lines on the page: name and value


Opener = Callable[[], AbstractContextManager[Any]]
Reader = Callable[[Any], Any]
"""Makes a value of what a manifest's cell or ``--set`` holds; raises ``ValueError``."""


def _same_name(name: PurePosixPath) -> PurePosixPath:
    """A result's name; a format that can only be read becomes .png."""
    from handwright.image import SUFFIXES

    return name if name.suffix.lower() in SUFFIXES else name.with_suffix(".png")


def _no_verdicts(_: Mapping[str, Any]) -> Mapping[str | None, int]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind of task consists of; ``kinds.KINDS`` has one of each."""

    work: Callable[[Attempt], Outcome]  # Writes results beside ``job.output``; what became of the item
    # What there is to do. Raises ``UsageError``.
    items: Callable[[Sequence[str], Task], list[Item]]
    opener: Callable[[Task], Opener]  # Fetches models; what it returns loads them
    options: Collection[str] | None = None  # Options of a refinement that it takes; None: all of them
    values: Mapping[str, Reader] = field(default_factory=dict[str, Reader])  # Names of ``--set``
    result: Callable[[PurePosixPath], PurePosixPath] = _same_name  # The result's name, from the item's
    # How often each verdict stands on the hands of a record's entry
    verdicts: Callable[[Mapping[str, Any]], Mapping[str | None, int]] = _no_verdicts
    # What the last line counts besides pictures: names of a summary's counts
    counted: tuple[str, ...] = ()
    finish: Callable[[Task, Sink, Sequence[Item]], Finished] | None = None  # Runs in the driver at the end


def read_values(readers: Mapping[str, Reader], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Values by name, as their readers make them; what is empty counts as not given.

    Args:
        readers: What may be given.
        given: What is.
        where: What an error calls the place: '--set', 'row 3 of list.csv'.

    Raises:
        UsageError: A name is not known, or a value makes no sense.
    """
    values: dict[str, Any] = {}
    if None in given:  # as csv.DictReader names what lies beyond the last column
        raise UsageError(f"{where} has more cells than columns", "", "put cells with commas into quotes")
    for name, value in given.items():
        if name not in readers:
            known = ", ".join(readers) or "nothing"
            raise UsageError(f"{where}: {name!r} is not known", "", f"this task takes {known}")
        if value is None or value == "" or value != value:
            continue
        try:
            values[name] = readers[name](value)
        except (ValueError, TypeError, OverflowError) as error:
            raise UsageError(f"{where}: {name} is {value!r}", str(error), "change it") from error
    return values


def whole(value: Any) -> int:  # noqa: ANN401
    """A whole number; 3.0 is one, for columns with gaps hold floats.

    Raises:
        ValueError: It is none.
    """
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError("it is no whole number")
    return number


def switch(value: Any) -> bool:  # noqa: ANN401
    """Yes or no.

    Raises:
        ValueError: It is neither.
    """
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError("it is neither true nor false")
    return words[word]
