"""A store whose client is not installed is named in one line, with the package that is missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

STORES = [("s3://bucket/in", "s3fs"), ("gs://bucket/in", "gcsfs"), ("az://container/in", "adlfs")]
PICTURES = Path(__file__).parents[3] / "src/handwright/apps/web/examples"


def batch(*arguments):
    command = [sys.executable, "-c", "from handwright.apps.cli.main import main; main()", "batch", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize(("address", "client"), STORES)
@pytest.mark.parametrize("side", ["source", "sink"])
def test_a_store_without_its_client_is_one_line_that_says_what_to_install(address, client, side, tmp_path):
    if find_spec(client) is not None:
        pytest.skip(f"{client} is installed")
    given = (address, "-o", str(tmp_path / "out")) if side == "source" else (str(PICTURES), "-o", address)
    done = batch(*given)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith(f"handwright: {address} cannot be opened: ")
    assert client in line
    assert "install that package" in line
    assert not (tmp_path / "out").exists()
