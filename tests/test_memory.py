"""One heap for all threads; a process that has no memory for a thread ends in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from handwright.errors import memory_error

ROOT = Path(__file__).parents[1]

CODE = """
import threading, time
from handwright.memory import end_where_threads_cannot_start

class Unstarted(threading.Thread):
    def _bootstrap(self):
        {before}
        raise {error}

end_where_threads_cannot_start()
Unstarted(target=print, daemon=True).start()
time.sleep(0.2)
print("went on")
"""


@pytest.mark.parametrize("error", ["MemoryError", "KeyError"])
def test_a_thread_that_cannot_start_for_want_of_memory_ends_the_process_in_one_line(error: str):
    code = CODE.format(error=error, before="pass" if error == "MemoryError" else "self._started.set()")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT, check=False
    )
    if error == "MemoryError":
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "there is not enough memory" in done.stderr
    else:  # any other error is Python's own affair
        assert (done.returncode, done.stdout) == (0, "went on\n")
        assert "KeyError" in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("/x/onnxruntime.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
    ],
)
def test_lack_of_memory_is_known_whoever_finds_it(error: Exception):
    assert "there is not enough memory" in str(memory_error(error, "the picture could not be worked on"))


def test_other_errors_are_no_lack_of_memory():
    assert memory_error(ImportError("No module named 'x'"), "it stopped") is None


LIMITED = """
import os, resource
from pathlib import Path
from handwright.memory import need_memory

used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
need_memory(200 << 20)
need_memory(200 << 20)  # nothing is kept
try:
    need_memory(400 << 20)
except MemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no limit of the address space can be set")
def test_too_little_memory_is_known_beforehand():
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "400 MiB more are needed\n"


HEAPS = """
import ctypes, threading
from handwright.memory import share_one_heap

share_one_heap()
allocate = ctypes.CDLL(None).malloc
allocate.restype, allocate.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
places, all_there = [], threading.Barrier(3)

def place():
    all_there.wait()
    places.append(allocate(50_000))
    all_there.wait()

threads = [threading.Thread(target=place) for _ in range(2)]
for thread in threads:
    thread.start()
all_there.wait()
all_there.wait()
with open("/proc/self/maps") as maps:
    heap = next(line for line in maps if "[heap]" in line).split()[0]
first, last = (int(end, 16) for end in heap.split("-"))
print(sum(first <= place < last for place in places))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the number of heaps is an option of glibc")
@pytest.mark.parametrize(("variables", "inside"), [({}, 2), ({"MALLOC_ARENA_MAX": "8"}, 0)])
def test_threads_allocate_from_one_heap_unless_the_user_wants_more(variables: dict[str, str], inside: int):
    own = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    done = subprocess.run(
        [sys.executable, "-c", HEAPS],
        capture_output=True,
        text=True,
        env={**own, **variables},
        cwd=ROOT,
        check=True,
    )
    assert int(done.stdout) == inside
