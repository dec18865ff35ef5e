"""Disks that are full or slow, kills, lack of memory and clocks that jump, for commands, batch and service.

    python bench/faults.py [--seed 0] [--kills 150,30,20] [--only WORD] [--page docs/reliability.md]

Two small pictures, one of a rendered hand, are refined (`--all`) undisturbed; what that writes is what every
trial must come to. As promised is a trial after which every file with a final name is whole and has the
undisturbed run's bytes, inputs are as they were, a command that failed said so in one line without a
traceback and with an exit code other than 0, and the same command, run again without the fault, makes the
undisturbed result and leaves no temporary file. `--kills`: of `refine` (a forked child of a warm process,
every second one on a slow disk; then half as many between the first file written and the end), of workers of
the service, of batch workers and drivers together, and a quarter as many of nodes of a cluster; fewer where
`--minutes` are over. A full disk is a small tmpfs, which root alone may mount. With `--only`, rows of the
page's table that are not run stay as they are. The exit code is 1 if something was not as promised.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

os.environ["NUMBA_NUM_THREADS"] = "1"  # a process with threads cannot be forked; read on import
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent))

import fault_disk as disk
import fault_kills as kills
import fault_scenes as scenes
from fault_tools import Bench, Row
from fuzz import replace_between

BEGIN, END = "<!-- faults -->", "<!-- /faults -->"

ALL = "all"

HEADER = """| fault | where | trials | as promised | not as promised | how the trials ended |
|---|---|---|---|---|---|"""


def main() -> None:
    """Print the table, and put it into the page; exit code 1 where something was not as promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", default="150,30,20", help="of refine, of service workers, of batches")
    parser.add_argument("--minutes", type=float, default=60.0, help="at most, for the kills of a place")
    parser.add_argument("--only", default="", help="faults or places with this word")
    parser.add_argument("--page", type=Path, help="file whose table is replaced; rows not run now stay")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="hw-") as name:
        bench = Bench(Path(name).resolve(), options.seed)
        for names, scene in all_scenes(bench, options):
            if options.only in names:
                for row in scene():
                    rows.append(row)
                    print(line(row), *(f"  {what}" for what in row.wrong), sep="\n", flush=True)
    text = table(rows, options.seed)
    print(f"\n{text}")
    if options.page is not None:
        page = options.page.absolute()
        replace_between(page, BEGIN, END, merged(page.read_text("utf-8"), text) if options.only else text)
    sys.exit(any(row.wrong for row in rows))


def all_scenes(
    bench: Bench, options: argparse.Namespace
) -> Iterable[tuple[str, Callable[[], Iterable[Row]]]]:
    """Every scene with its names."""
    seed = options.seed
    commands, services, batches = (int(number) for number in options.kills.split(","))
    return (
        ("full commands", lambda: disk.full_disk_commands(bench)),
        ("full service", lambda: [disk.full_disk_service(bench)]),
        ("slow commands", lambda: scenes.slow_commands(bench)),
        ("slow service", lambda: [scenes.slow_service(bench)]),
        ("clock commands", lambda: scenes.clock_commands(bench)),
        ("clock service", lambda: scenes.clock_service(bench)),
        ("memory commands", lambda: [scenes.little_memory_command(bench)]),
        ("memory service", lambda: [scenes.little_memory_service(bench)]),
        ("kill service", lambda: [kills.kill_service_workers(bench, services, seed, options.minutes)]),
        ("kill refine", lambda: [kills.kill_commands(bench, commands, seed, options.minutes)]),
        ("kill writing", lambda: [kills.kill_writers(bench, commands // 2, seed, options.minutes)]),
        ("full batch", lambda: [disk.full_disk_batch(bench)]),
        ("slow batch", lambda: [scenes.slow_batch(bench)]),
        ("clock batch", lambda: [scenes.clock_batch(bench)]),
        ("memory batch", lambda: [scenes.little_memory_batch(bench)]),
        ("kill batch", lambda: kills.kill_batches(bench, batches // 2, seed, options.minutes)),
        ("kill node", lambda: [kills.kill_nodes(bench, batches // 4, seed, options.minutes)]),
    )


def table(rows: list[Row], seed: int) -> str:
    """The table in Markdown, and what was not as promised."""
    wrong = [f"* {row.fault}, {row.where}: {what}" for row in rows for what in row.wrong]
    lines = [line(row) for row in rows]
    return "\n".join([HEADER, *lines, sum_of(lines, seed), "", *wrong]).rstrip()


def line(row: Row) -> str:
    """A line of the table."""
    if row.not_run or not row.trials:
        why = row.not_run or "no time was left"
        return f"| {row.fault} | {row.where} | not run | – | – | {why} |"
    bad = len(row.failed)
    seen = ", ".join(f"{count} {what}" for what, count in row.seen.items() if count)
    return f"| {row.fault} | {row.where} | {row.trials} | {row.trials - bad} | {bad} | {seen} |"


def sum_of(lines: Iterable[str], seed: int) -> str:
    """The last line: the sums of the others."""
    counted = [cells for cells in map(_cells, lines) if cells[2].isdecimal()]
    trials, good, bad = (sum(int(cells[k]) for cells in counted) for k in (2, 3, 4))
    return f"| {ALL} | seed {seed} | {trials} | {good} | {bad} | |"


def merged(page: str, text: str) -> str:
    """A page's table with rows of a newer one in the places of its own; a new row goes to the end."""
    old, new = page.split(BEGIN)[1].split(END)[0].strip(), text.strip()
    lines = {
        tuple(_cells(one)[:2]): one for table in (old, new) for one in table.splitlines() if one[:1] == "|"
    }
    last = next(one for one in reversed(new.splitlines()) if _cells(one)[0] == ALL)
    rows = [one for names, one in lines.items() if names[0] not in (ALL, "fault", "---")]
    again = {tuple(_cells(one)[:2]) for one in new.splitlines() if one[:1] == "|"}
    kept = [one for one in old.splitlines() if one[:2] == "* " and not any(
        one.startswith(f"* {fault}, {where}: ") for fault, where in again)]  # fmt: skip
    wrong = [*kept, *(one for one in new.splitlines() if one[:2] == "* ")]
    return "\n".join(
        [HEADER, *rows, sum_of(rows, int(_cells(last)[1].removeprefix("seed "))), "", *wrong]
    ).rstrip()


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else [""]


if __name__ == "__main__":
    main()
