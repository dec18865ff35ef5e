"""The fake engine for workers of a cluster, and the driver of a batch in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    yield fakes.FakeEngine()


if "HANDWRIGHT_TEST_DRIVER" in os.environ:  # the driver and its workers, not the process of the tests
    fakes.install()

if __name__ == "__main__":
    from handwright.workflow.batch.cluster import BatchOptions, run_batch
    from tests.workflow.batch import actor  # workers import it by its name

    source, sink = sys.argv[1:]
    options = BatchOptions(open_engine=actor.open_engine, workers=2, attempts=2)
    result = run_batch([source], sink, options=options)
    sys.stdout.write(json.dumps({"exit_code": result.exit_code, **result.summary.counts}))
