"""`handwright batch` killed three times: every result there once, the command's bytes, and memory that stays.

    python bench/batch_kills.py [--n 2000] [--workers 1] [--side 128] [--seed 0] [--undisturbed]

Rendered pictures of one hand, reviewed and, where it fails, drawn anew. The worker gets kill -9 after a fifth
of the pictures, the driver after two fifths and after three fifths (it is started again). Then: records,
records written twice (by their files' inodes, which an atomic write changes), bytes of a hundred results and
those of `handwright refine`, and the resident memory of the worker that lived longest, after 200 pictures and
at its end. With `--undisturbed` nothing is killed, and that worker lives through all pictures.
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fault_jobs import MARK
from fault_kills import batch_workers
from handwright.data.hands import render_hands
from handwright.image import write_png
from handwright.workflow import refine_files

CHECKED = 100
READINGS = 21  # Of memory, half a second apart; their median counts


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--undisturbed", action="store_true", help="kill nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in range(options.n):
            pixels = render_hands(940_000 + options.seed, k, options.side).pixels
            (folder / "in").mkdir(exist_ok=True)
            write_png(folder / "in" / f"{k:05}.png", pixels)
        run(folder, options)


def run(folder: Path, options: argparse.Namespace) -> None:
    """Run, kill, go on, compare."""
    out, n = folder / "out", options.n
    inodes: dict[str, int] = {}
    driver, twice, memory = start(folder, options.workers), 0, dict[int, list[tuple[int, int]]]()
    kills = [(n // 5, "worker"), (2 * n // 5, "driver"), (3 * n // 5, "driver")]
    if options.undisturbed:
        kills.clear()
    began = time.monotonic()
    while driver.poll() is None or kills:
        time.sleep(0.5)
        for path in out.glob("records/*.json"):
            inode = path.stat().st_ino
            twice += inodes.setdefault(path.name, inode) != inode
            inodes[path.name] = inode
        for pid in batch_workers(folder):
            if used := resident(pid):
                memory.setdefault(pid, []).append((len(inodes), used))
        if kills and len(inodes) >= kills[0][0]:
            _, what = kills.pop(0)
            print(f"{time.monotonic() - began:.0f} s, {len(inodes)} done: kill -9 of the {what}", flush=True)
            if what == "worker":
                os.kill(batch_workers(folder)[0], signal.SIGKILL)
            else:
                driver.kill()
                driver.wait()
                driver = start(folder, options.workers)
        elif kills and driver.poll() is not None:
            sys.exit(f"the driver ended by itself: {driver.returncode}")
    print(f"{n} pictures of {options.side}², {options.workers} workers, seed {options.seed}")
    records = len(list(out.glob("records/*.json")))
    print(f"records: {records}, written twice: {twice}, exit code {driver.returncode}")
    names = random.Random(options.seed).sample(sorted(inodes), min(CHECKED, n))
    same = 0
    for name in names:
        picture = name.removesuffix(".json")
        refine_files([folder / "in" / picture], folder / "one.png")
        same += (folder / "one.png").read_bytes() == (out / "pictures" / picture).read_bytes()
        (folder / "one.png").unlink()
    print(f"the command's bytes: {same} of {len(names)}")
    longest = max(memory.values(), key=len)
    first = longest[0][0]
    after = [used for done, used in longest if done - first >= 200 * options.workers]
    if len(after) < 2 * READINGS:
        sys.exit("no worker lived long enough to read its memory after 200 pictures and later")
    early, late = (statistics.median(part) for part in (after[:READINGS], after[-READINGS:]))
    print(f"a worker's memory: {early / 2**20:.0f} MiB after 200 pictures, {late / 2**20:.0f} MiB after "
          f"{longest[-1][0] - first}: {late / early:.3f}")  # fmt: skip


def start(folder: Path, count: int) -> subprocess.Popen[bytes]:
    """A driver."""
    command = [sys.executable, "-m", "handwright", "batch", str(folder / "in"), "-o", str(folder / "out")]
    variables = {**os.environ, MARK: str(folder)}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen([*command, "--workers", str(count)], stdout=log, stderr=log, env=variables)


def resident(pid: int) -> int:
    """Bytes that a process holds in memory, 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
