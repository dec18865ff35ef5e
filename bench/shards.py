"""Worlds written with 1, 2 and 4 workers, killed twice each, read back: bench/shards.py -o DIR [--n N].

Every world is killed with SIGKILL when a third and two thirds of its shards are there, once its first process
alone and once with all of its workers, and taken up again. Then every sample is read: no index may be missing
or be there twice, and the samples must be equal in record and in pixels whatever the number of workers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from handwright.data.shards import Entry, list_shards, read_shards

WORKERS = (1, 2, 4)


def start(folder: Path, args: argparse.Namespace, workers: int) -> subprocess.Popen[bytes]:
    """The command line as a user calls it, in a process group of its own."""
    options = {"--kind": args.kind, "--n": args.n, "--seed": args.seed, "--size": args.size}
    given = [str(part) for pair in options.items() for part in pair]
    command = [sys.executable, "-m", "handwright", "synth", "-o", str(folder), "--workers", str(workers)]
    return subprocess.Popen([*command, *given], stdout=subprocess.DEVNULL, start_new_session=True)


def shards_in(folder: Path) -> int:
    return len(list(folder.glob("*.tar")))


def kill_at(folder: Path, args: argparse.Namespace, workers: int, shards: int, *, group: bool) -> int:
    """Start, wait for that many shards, kill; how many there were then."""
    process = start(folder, args, workers)
    while shards_in(folder) < shards and process.poll() is None:
        time.sleep(0.05)
    assert process.poll() is None, "it ended before it could be killed"
    (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    if not group:
        time.sleep(3)
        assert not alive(process.pid), "workers outlive the process that was killed"
    return shards_in(folder)


def alive(group: int) -> bool:
    """Whether any process of a group is there still."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def digest(entry: Entry) -> str:
    """Of a sample's record and pixels."""
    made = hashlib.sha256(json.dumps(entry.record, sort_keys=True).encode())
    for name, pixels in sorted(entry.pictures.items()):
        made.update(f"{name} {pixels.shape} {pixels.dtype}".encode())
        made.update(pixels.tobytes())
    return made.hexdigest()


def read_back(folder: Path) -> dict[int, str]:
    """Digest by index; an index that is there twice is an error."""
    seen: dict[int, str] = {}
    for entry in read_shards(list_shards(folder)):
        index = int(entry.record["index"])
        assert int(entry.key) == index, (entry.key, index)
        assert index not in seen, f"index {index} is there twice"
        seen[index] = digest(entry)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--kind", default="hands")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--size", type=int, default=160)
    args = parser.parse_args()
    total, kills = -(-args.n // 250), ((1, False), (2, True))
    worlds: dict[int, dict[int, str]] = {}
    for workers in WORKERS:
        folder = args.output / f"workers-{workers}"
        killed = [kill_at(folder, args, workers, total * k // 3, group=group) for k, group in kills]
        assert start(folder, args, workers).wait() == 0
        worlds[workers] = read_back(folder)
        missing = set(range(args.n)) ^ set(worlds[workers])
        assert not missing, f"{len(missing)} indices are missing or too many"
        equal = sum(worlds[workers][k] == worlds[WORKERS[0]][k] for k in range(args.n))
        print(
            f"{workers} workers: killed at {killed} of {total} shards; {len(worlds[workers])} samples read, "
            f"none missing or twice, {equal} equal to those of {WORKERS[0]} worker",
            flush=True,
        )
    assert all(world == worlds[WORKERS[0]] for world in worlds.values())


if __name__ == "__main__":
    main()
