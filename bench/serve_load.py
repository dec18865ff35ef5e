"""The service under load: clients with good, bad and huge requests; statuses, times, memory, cancelling.

    python bench/serve_load.py [--minutes 30] [--clients 8] [--workers 1] [--seed 0] [--json FILE]
    python bench/serve_load.py --sweep [--requests 24] [--json FILE]

Starts `handwright serve` on loopback with a key and ends it. In the first way every client sends the mix
below, one request after the other, until the time is up. In the first twentieth of the time a probe cancels
running jobs and times how long until the worker begins the next one; a cancelled worker is replaced, so
memory is read only afterwards. The exit code is 1 if there was a 5xx other than 503, if a request was
answered otherwise than it should be, if memory grew by more than a tenth from a tenth of the time to its
end, or if a cancelled job's worker took more than 2 s to be free. Less than 10 minutes are too few for the
memory: models are still being loaded then. With `--sweep`: requests per second of one route with 1, 2, 4 and
8 clients; run it on an idle machine.
"""

import argparse
import json
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serve_requests import Sent, mix, running, send, wait_for

MOST_GROWTH = 1.10  # Of resident memory, from a tenth of the time to its end
MOST_FREE_S = 2.0  # Until a cancelled job's worker is free
LOOKS = (0.1, 0.5, 1.0)  # Shares of the time at which memory is read
PROBES = 8  # Jobs that are cancelled while the load runs …
PROBED = 0.05  # … in the first part of the time


@dataclass
class Seen:
    """What clients saw; every list is filled under the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    statuses: Counter[str] = field(default_factory=Counter[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])

    def note(self, name: str, sent: Sent, wanted: tuple[int, ...]) -> None:
        """Count an answer; 503 is always allowed, it says that the queue is full."""
        with self.lock:
            self.statuses[str(sent.status)] += 1
            if sent.status in (200, 202):
                self.seconds.setdefault(name, []).append(sent.seconds)
                if isinstance(sent.body, dict) and "status" in sent.body:
                    self.outcomes[f"{name}: {sent.body['status']}"] += 1
            if sent.status not in (*wanted, 503):
                self.wrong.append(f"{name}: {sent.status}, wanted {wanted}: {str(sent.body)[:200]}")


def main() -> int:
    """Run one of the two ways, print it, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1, help="of the service")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sweep", action="store_true", help="requests per second with 1 to 8 clients")
    parser.add_argument("--requests", type=int, default=24, help="of each count of clients, in a sweep")
    parser.add_argument("--route", default="review", choices=("review", "refine", "hands"), help="of a sweep")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args()
    with running(given.workers) as service:
        begun = time.monotonic()
        for one in mix(0):  # so that everything is loaded before memory is read
            if given.sweep and one.name != given.route:
                continue
            with suppress(OSError):
                send(service, one.method, one.path, one.body, one.headers)
        print(f"every request answered once in {time.monotonic() - begun:.0f} s", flush=True)
        found = swept(service, given) if given.sweep else loaded(service, given)
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(bool(found.get("faults")))


def loaded(service: Any, given: argparse.Namespace) -> dict[str, Any]:
    """The mix from all clients until the time is up."""
    seen, begun, length = Seen(), time.monotonic(), 60 * given.minutes
    end = begun + length
    threads = [
        threading.Thread(target=_client, args=(service, seen, given.seed * 1000 + k, end), daemon=True)
        for k in range(given.clients)
    ]
    free: list[float] = []
    threads.append(threading.Thread(target=_prober, args=(service, free, begun, length), daemon=True))
    for thread in threads:
        thread.start()
    memory: list[dict[str, float]] = []
    for share in LOOKS:
        time.sleep(max(0.0, begun + share * length - time.monotonic()))
        memory.append({"share": share, **service.memory_mb()})
        print(f"{100 * share:.0f} % of the time: {memory[-1]}", flush=True)
    for thread in threads:
        thread.join(400)
    found = {
        "way": "load", "minutes": given.minutes, "clients": given.clients, "workers": given.workers,
        "seed": given.seed, "requests": sum(seen.statuses.values()),
        "statuses": dict(sorted(seen.statuses.items())),
        "outcomes": dict(sorted(seen.outcomes.items())), "memory": memory,
        "seconds": {name: percentiles(times) for name, times in sorted(seen.seconds.items())},
        "cancelled_worker_free_s": [round(one, 2) for one in free], "faults": [],
    }  # fmt: skip
    found["faults"] = _faults(seen, memory, free)
    _show(found)
    return found


def swept(service: Any, given: argparse.Namespace) -> dict[str, Any]:
    """So many good requests of one route from 1, 2, 4 and 8 clients."""
    rows: list[dict[str, Any]] = []
    good = [one for one in mix(given.seed, huge=False) if one.name == given.route]
    print("| clients | requests/s | p50 s | p95 s | p99 s | not done |\n|---|---|---|---|---|---|")
    for clients in (1, 2, 4, 8):
        left, seen, bad = iter(range(given.requests)), Seen(), Counter[str]()
        lock = threading.Lock()

        def work(seen: Seen = seen, left: Any = left, bad: Any = bad, lock: Any = lock) -> None:
            while True:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                asked = good[number % len(good)]
                sent = send(service, asked.method, asked.path, asked.body, asked.headers)
                done = isinstance(sent.body, dict) and sent.body.get("status") == "done"
                with lock:
                    bad["not done"] += not done
                seen.note(asked.name, sent, (200,))

        threads, begun = [threading.Thread(target=work) for _ in range(clients)], time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took, times = time.monotonic() - begun, [one for some in seen.seconds.values() for one in some]
        row = {"clients": clients, "n": given.requests, "per_s": round(given.requests / took, 3)}
        row |= percentiles(times) | {"not_done": bad["not done"]}
        rows.append(row)
        print(
            f"| {clients} | {row['per_s']:.2f} | {row['p50']} | {row['p95']} | {row['p99']} | "
            f"{row['not_done']} |",
            flush=True,
        )
    faults = [f"{row['clients']} clients: jobs that are not done" for row in rows if row["not_done"]]
    return {"way": "sweep", "route": given.route, "workers": given.workers, "rows": rows, "faults": faults}


def percentiles(times: list[float]) -> dict[str, Any]:
    """The 50th, 95th and 99th percentile in seconds, by the nearest rank."""
    ordered = sorted(times)
    if not ordered:
        return {"count": 0, "p50": None, "p95": None, "p99": None}
    ranks = {f"p{p}": ordered[min(len(ordered) - 1, -(-p * len(ordered) // 100) - 1)] for p in (50, 95, 99)}
    return {"count": len(ordered), **{name: round(value, 3) for name, value in ranks.items()}}


def _client(service: Any, seen: Seen, seed: int, end: float) -> None:
    """Send the mix in an order of its own, until the time is up."""
    asks, chance = mix(seed % 1000), random.Random(seed)
    weights = [one.weight for one in asks]
    while time.monotonic() < end:
        one = chance.choices(asks, weights)[0]
        try:
            sent = send(service, one.method, one.path, one.body, one.headers)
        except OSError as error:  # refused before all of a huge body was read, or the service is gone
            sent = Sent(413 if one.huge else 0, str(error), 0.0)
        seen.note(one.name, sent, one.wanted)
        if sent.status == 503:
            time.sleep(0.5)


def _prober(service: Any, free: list[float], begun: float, length: float) -> None:
    """Cancel running jobs; how long until their worker is at the next one."""
    for k in range(PROBES):
        time.sleep(max(0.0, begun + PROBED * length * k / PROBES - time.monotonic()))
        if k and time.monotonic() > begun + PROBED * length:
            return
        took = wait_for(service)
        if took is not None:
            free.append(took)


def _faults(seen: Seen, memory: list[dict[str, float]], free: list[float]) -> list[str]:
    faults = [f"{status}: {count}" for status, count in seen.statuses.items() if status[0] in "05"]
    faults = [one for one in faults if not one.startswith("503")]
    faults += [f"unexpected: {line}" for line in seen.wrong[:20]]
    first, last = memory[0], memory[-1]
    for who in ("server", "workers"):
        if last[who] > MOST_GROWTH * first[who]:
            faults.append(f"memory of {who} grew from {first[who]:.0f} to {last[who]:.0f} MB")
    faults += [
        f"a cancelled job's worker was free after {one:.1f} s only" for one in free if one > MOST_FREE_S
    ]
    if not free:
        faults.append("no cancelled job was timed")
    return faults


def _show(found: dict[str, Any]) -> None:
    print(f"\n{found['requests']} requests; by status: {found['statuses']}")
    print(
        f"outcomes: {found['outcomes']}\n\n| route | answers | p50 s | p95 s | p99 s |\n|---|---|---|---|---|"
    )
    for name, row in found["seconds"].items():
        print(f"| {name} | {row['count']} | {row['p50']} | {row['p95']} | {row['p99']} |")
    print("\n| of the time | server MB | workers MB |\n|---|---|---|")
    for look in found["memory"]:
        print(f"| {100 * look['share']:.0f} % | {look['server']:.0f} | {look['workers']:.0f} |")
    print(f"\na cancelled job's worker is free after (s): {found['cancelled_worker_free_s']}")
    print("\n".join(found["faults"]) or "no fault")


if __name__ == "__main__":
    raise SystemExit(main())
