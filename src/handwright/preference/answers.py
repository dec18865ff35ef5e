"""Raters' answer files, checked against the study's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from handwright.errors import DataError, UsageError
from handwright.json_text import parse_json

Answer = Literal["a", "b", "neither"]
_MOST_BYTES = 20_000_000
_KEY_FIELDS = ("study", "systems", "questions", "trials", "checks")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one rater answered."""

    rater: str
    choices: Mapping[tuple[str, str], Answer]  # By trial or check, and question
    left: Mapping[tuple[str, str], Literal["a", "b"]]  # Which picture stood on the left
    checks_failed: int  # Attention checks whose ruined side was chosen, or neither
    checks_seen: int


def read_key(path: str | Path) -> dict[str, Any]:
    """The key of a study, ``key.json`` of its folder.

    Raises:
        DataError: The file is no key.
        UsageError: It is missing.
    """
    path = Path(path)
    key = _read_json(path / "key.json" if path.is_dir() else path)
    if any(name not in key for name in _KEY_FIELDS):
        raise DataError(
            f"{path} is no key of a preference study", "fields are missing", "give the folder of `make`"
        )
    return key


def read_answers(paths: Sequence[str | Path], key: Mapping[str, Any]) -> list[Answers]:
    """Every rater's answers, in the order of their names.

    Raises:
        UsageError: No file was given, or one is missing.
        DataError: A file is broken, answers another study, or has the same rater as another one.
    """
    if not paths:
        raise UsageError(
            "there are no answers to score", "no file was named", "name the raters' answer files"
        )
    read: dict[str, tuple[Path, Answers]] = {}
    for path in map(Path, paths):
        answers = _answers_of(path, _read_json(path), key)
        if answers.rater in read:
            other = read[answers.rater][0]
            raise DataError(f"{path} and {other} have the same rater", answers.rater, "keep one of them")
        read[answers.rater] = path, answers
    return [read[rater][1] for rater in sorted(read)]


def _answers_of(path: Path, found: Mapping[str, Any], key: Mapping[str, Any]) -> Answers:
    if found.get("study") != key["study"]:
        raise DataError(f"{path} does not belong to this study", "its study's name differs", "leave it out")
    intact = {check["id"]: check["intact"] for check in key["checks"]}
    known = {trial["id"] for trial in key["trials"]} | set(intact)
    choices: dict[tuple[str, str], Answer] = {}
    left: dict[tuple[str, str], Literal["a", "b"]] = {}
    try:
        rater, entries = str(found["rater"]), list(found["answers"])
        for entry in entries:
            place = entry["id"], entry["question"]
            valid = entry["answer"] in ("a", "b", "neither") and entry["left"] in ("a", "b")
            if place[0] not in known or place[1] not in key["questions"] or place in choices or not valid:
                raise DataError(f"{path} holds an answer that is not valid", str(entry)[:200], "leave it out")
            choices[place], left[place] = entry["answer"], entry["left"]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no answer file", f"{error} is missing or wrong", "leave it out"
        ) from error
    failed = {trial for (trial, _), answer in choices.items() if trial in intact and answer != intact[trial]}
    checks = {trial for trial, _ in choices if trial in intact}
    return Answers(
        rater=rater, choices=choices, left=left, checks_failed=len(failed), checks_seen=len(checks)
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path} is too large", f"more than {_MOST_BYTES // 1_000_000} MB")
        found = parse_json(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}", error.strerror or "", "check the name") from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON", str(error)[:200]) from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is no object of JSON", "", "give the files that the page saved")
    return cast("dict[str, Any]", found)
