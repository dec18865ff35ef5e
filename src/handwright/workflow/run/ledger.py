"""The record of what was done already: what makes a second run fast, and a killed one go on.

A record is the picture's entry in the report plus what is needed to trust it. It is written *after*
everything it speaks of; a claim is written *before* an output file, so that the file of a killed run is known
to be ours.
"""

import contextlib
import hashlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from handwright.errors import OutputError
from handwright.json_text import parse_json
from handwright.workflow.files import Record, sha256_of_file, write_text
from handwright.workflow.jobs import Job


@dataclass(frozen=True)
class Ledger:
    """Where records are kept: always in the cache, and in the report folder when there is one."""

    fingerprint: str  # Sha256 of command, version and settings; a record made otherwise does not count
    cache: Path  # Folder of records by output path
    report: Path | None = None  # The report folder, or None

    def done(self, job: Job, input_sha256: str) -> Record | None:
        """The picture's entry if an earlier run finished it and all its files still stand, else None."""
        root = self.report or self.cache
        stored = _read(self._paths(job)[-1])
        if stored is None or stored.get("claim") or stored.get("fingerprint") != self.fingerprint:
            return None
        record = cast(Record, stored["record"])
        if not job.output.is_file() or sha256_of_file(job.output) != record["output_sha256"]:
            return None
        refined_in_place = job.output.samefile(job.source) and record["output_sha256"] == input_sha256
        if record["input_sha256"] != input_sha256 and not refined_in_place:
            return None
        files_stand = self.report is None or all((root / name).is_file() for name in stored["files"])
        return record if files_stand else None

    def owns(self, job: Job) -> bool:
        """Whether the file at the output is one that we wrote, or were writing when we were stopped."""
        for path in self._paths(job):
            stored = _read(path)
            if stored is None:
                continue
            if stored.get("claim") or stored["record"]["output_sha256"] == sha256_of_file(job.output):
                return True
        return False

    @contextlib.contextmanager
    def claimed(self, job: Job) -> Generator[None]:
        """Say that the output about to be written is ours; a failure leaves the ledger as it was."""
        before = {path: _read(path) for path in self._paths(job)}
        self._write(job, {"claim": True, "fingerprint": self.fingerprint})
        try:
            yield
        except BaseException:
            for path, stored in before.items():
                if stored is None:
                    path.unlink(missing_ok=True)
                else:
                    write_text(path, json.dumps(stored, ensure_ascii=False))
            raise

    def keep(self, job: Job, record: Record, files: list[str]) -> None:
        """Store a finished picture's entry."""
        self._write(job, {"fingerprint": self.fingerprint, "files": files, "record": record})

    def _write(self, job: Job, stored: dict[str, Any]) -> None:
        text = json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n"
        cached, *reported = self._paths(job)
        for path in reported:
            write_text(path, text)
        with contextlib.suppress(OutputError):  # a read-only home costs the memory of this run, not the run
            write_text(cached, text)

    def _paths(self, job: Job) -> list[Path]:
        key = hashlib.sha256(str(job.output.absolute()).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        paths = [self.cache / f"{key}.json"]
        if self.report is not None:
            paths.append(self.report / "records" / f"{job.name.as_posix()}.json")
        return paths


def _read(path: Path) -> dict[str, Any] | None:
    try:
        stored = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return cast("dict[str, Any]", stored) if isinstance(stored, dict) else None
