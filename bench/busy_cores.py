"""What other programs on the cores cost a network: python bench/busy_cores.py [--n N].

``diffuse`` paints one square N times, in a process of its own, while another program keeps a core busy, and
while none does; each with torch's threads waiting for each other as its OpenMP lets them by default, as the
command line sets it (``GOMP_SPINCOUNT``), and asleep (``OMP_WAIT_POLICY=PASSIVE``). Medians with the least
and most. Measure on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import numpy as np

from handwright.threads import SPIN_COUNT, SPINS
from performance import seconds, spread

WAYS = {"by default": {}, "as set": {SPIN_COUNT: SPINS}, "asleep": {"OMP_WAIT_POLICY": "PASSIVE"}}
_WAITING = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", SPIN_COUNT)

BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    pass"


@contextmanager
def beside(processes: int) -> Generator[None]:
    """So many programs that compute during the block, each in a session of its own, as a user's are."""
    command = [sys.executable, "-c", BUSY]
    started = [subprocess.Popen(command, start_new_session=True) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def paint_s(count: int) -> list[float]:
    """Seconds of so many paintings of a square from pure noise, models loaded and warm."""
    from handwright.handrefiner.diffusion_settings import DiffusionSettings
    from handwright.handrefiner.network import InpaintRequest
    from handwright.handrefiner.torch_network import TorchNetwork

    network = TorchNetwork.load(DiffusionSettings(strength=1.0))
    side = network.resolution
    rows, columns = np.mgrid[:side, :side]
    hand = np.hypot(rows - side / 2, columns - side / 2) < side / 4
    request = InpaintRequest(
        picture=np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8),
        mask=hand,
        control=np.where(hand, 200, 0).astype(np.uint8),
        landmarks_px=np.full((1, 21, 2), side / 2.0),
        settings=DiffusionSettings(steps=network.default_steps),
        strength=1.0,
        seed=0,
    )
    network.inpaint(request)
    return [seconds(lambda: network.inpaint(request)) for _ in range(count)]


def painted(count: int, way: Mapping[str, str]) -> list[float]:
    """``paint_s`` in a process whose threads wait in a way."""
    command = [sys.executable, __file__, "--paint", "--n", str(count)]
    free = {name: value for name, value in os.environ.items() if name not in _WAITING}
    done = subprocess.run(command, env={**free, **way}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--paint", action="store_true", help="print the seconds of paintings alone")
    options = parser.parse_args()
    if options.paint:
        print(json.dumps(paint_s(options.n)))
        return
    print(f"| beside it | {' | '.join(f'{way}, s' for way in WAYS)} |\n|---|---|---|---|")
    for processes, words in ((0, "nothing"), (1, "a busy program")):
        with beside(processes):
            told = [spread(painted(options.n, way)) for way in WAYS.values()]
        print(f"| {words} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
