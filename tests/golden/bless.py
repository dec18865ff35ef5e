"""Accept the present results as golden: python -m tests.golden.bless [--yes] [NAME ...].

Refines every case (or those whose names contain a NAME), prints a table of what differs from the accepted
results, writes a sheet of those that differ, and overwrites the accepted results only after a yes.
"""

from __future__ import annotations

import argparse
import json

from rich.progress import track

from handwright import HandRefiner
from tests.golden.cases import ACCEPTED, ACTIONS, CASES, Result
from tests.golden.compare import difference, has_accepted, sheet


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only cases whose name contains this")
    parser.add_argument("--yes", action="store_true", help="overwrite without asking")
    options = parser.parse_args()
    chosen = [case for case in CASES if not options.names or any(name in case.name for name in options.names)]
    with HandRefiner() as refiner:
        changed = [result for case in track(chosen) if differs(result := case.refine(refiner))]
    if not changed:
        print(f"all {len(chosen)} results are the accepted ones, byte by byte")
        return
    print(f"{'case':28} {'mean dE':>8} {'99% dE':>8} {'PSNR dB':>8} {'grain':>8} {'IoU':>6}  outcome")
    for result in changed:
        print(line(result))
    print(f"{len(changed)} of {len(chosen)} differ: {sheet(changed, 'bless')}")
    if options.yes or input("Accept them? [y/N] ").strip().lower() == "y":
        accept(changed)
        print(f"accepted {len(changed)}")


def differs(result: Result) -> bool:
    """Whether pixels, mask or actions are other than the accepted ones, or nothing was accepted yet."""
    case = result.case
    if not has_accepted(case):
        return True
    if result.actions != case.accepted_actions or (result.mask != case.accepted_mask).any():
        return True
    return bool((result.pixels != case.accepted).any())


def line(result: Result) -> str:
    """A row of the table."""
    if not has_accepted(result.case):
        return f"{result.case.name:28} {'new':>8}  {', '.join(result.actions)}"
    now = difference(result)
    figures = f"{now.mean_delta_e:8.2f} {now.high_delta_e:8.2f} {now.psnr_db:8.1f} {now.grain:+8.1%}"
    figures += f" {now.mask_iou:6.3f}"
    return f"{result.case.name:28} {figures}  {'; '.join(now.complaints) or 'within the bounds'}"


def accept(results: list[Result]) -> None:
    """Store results, and drop what belongs to no case any more."""
    actions = json.loads(ACTIONS.read_text("utf-8")) if ACTIONS.exists() else {}
    for result in results:
        result.accept()
        actions[result.case.name] = result.actions
    names = {case.name for case in CASES}
    for file in ACCEPTED.glob("*.webp"):
        if file.stem not in names:
            file.unlink()
    kept = {name: actions[name] for name in sorted(actions) if name in names}
    ACTIONS.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
