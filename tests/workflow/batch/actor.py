"""The fake engine for workers of a cluster, and the driver of a batch in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.workflow import fakes


@contextmanager
def open_engine() -> Iterator[fakes.FakeEngine]:
    """In this process, which a picture may end; each takes a tenth of a second."""
    module: Any = sys.modules["handwright.refine.pipeline"]
    multiprocessing.parent_process = lambda: SimpleNamespace()  # type: ignore[assignment,return-value]
    whole = module.refine_picture

    def slowly(*given: object) -> object:
        time.sleep(0.1)
        return whole(*given)

    module.refine_picture = slowly
    if "HANDWRIGHT_TEST_SEEN" in os.environ:
        Path(os.environ["HANDWRIGHT_TEST_SEEN"]).write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "all"))
    yield fakes.FakeEngine()


if "HANDWRIGHT_TEST_DRIVER" in os.environ:  # the driver and its workers, not the process of the tests
    fakes.install()

if __name__ == "__main__":
    from handwright.workflow.batch.cluster import BatchOptions, run_batch
    from tests.workflow.batch import actor  # workers import it by its name

    source, sink, *more = sys.argv[1:]
    gpus, there = map(float, more or ("0", "0"))  # Of each worker, and of the cluster
    if there:
        import ray

        ray.init = partial(ray.init, num_gpus=there)
    options = BatchOptions(open_engine=actor.open_engine, workers=1 if gpus else 2, attempts=2, gpus=gpus)
    result = run_batch([source], sink, options=options)
    sys.stdout.write(json.dumps({"exit_code": result.exit_code, **result.summary.counts}))
