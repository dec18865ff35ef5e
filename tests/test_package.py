"""The package as users get it: the wheel that the sdist builds holds the tree's files, installs and runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

import handwright

ROOT = Path(__file__).parents[1]
MAN_PAGE = "share/man/man1/handwright.1"


def built_through_sdist(folder):
    """The wheel that the unpacked sdist builds; nothing of the tree is at hand there."""
    (sdist,) = SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and newer have it
        archive.extractall(folder)
    (wheel,) = WheelBuilder(sdist.removesuffix(".tar.gz")).build(directory=str(folder), versions=["standard"])
    return Path(wheel)


def clean_environment(folder):
    """A new environment that has this one's dependencies, but not the handwright of this one."""
    venv.create(folder, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return packages


def run(folder, *command):
    """What a command of the environment answers; it sees nothing of the tree.

    Kernels run as plain Python: the same code, without a minute of compiling in a new place.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    environment = kept | {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    program, *arguments = command
    return subprocess.run(
        [folder / "bin" / program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def installed(wheel, folder):
    packages = clean_environment(folder)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python"]
    arguments = ["install", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([*pip, str(folder / "bin" / "python"), *arguments], check=True)
    return packages / "handwright"


def tracked_files(folder):
    """Names and bytes of the package's files, without what running leaves behind."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_wheel_that_the_sdist_builds_holds_the_package_installs_and_reviews_a_picture(tmp_path):
    wheel = built_through_sdist(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        prefix = "handwright/"
        held = {
            name.removeprefix(prefix): archive.read(name)
            for name in archive.namelist()
            if name.startswith(prefix)
        }
        data = {name for name in archive.namelist() if ".data/" in name}
    source = tracked_files(ROOT / "src" / "handwright")
    assert held.keys() == source.keys()
    assert [name for name in source if held[name] != source[name]] == []
    assert data == {f"handwright-{handwright.__version__}.data/data/{MAN_PAGE}"}
    assert wheel.stat().st_size < 100e6  # what the Python package index takes

    folder = tmp_path / "environment"
    package = installed(wheel, folder)
    assert (folder / MAN_PAGE).read_bytes() == (ROOT / "docs" / "handwright.1").read_bytes()
    place = run(folder, "python", "-c", "import handwright; print(handwright.__file__)")
    assert Path(place.stdout.strip()) == package / "__init__.py"
    assert run(folder, "handwright", "--version").stdout == f"handwright {handwright.__version__}\n"
    assert "review" in run(folder, "handwright", "--help").stdout
    pictures = [str(package / "apps/web/examples" / name) for name in ("good-hand.jpg", "six-fingers.jpg")]
    reviewed = run(folder, "handwright", "review", *pictures, "--json")
    assert (reviewed.returncode, reviewed.stderr) == (1, "")
    assert [picture["verdict"] for picture in json.loads(reviewed.stdout)["pictures"]] == ["pass", "fail"]


def test_the_core_needs_neither_torch_nor_a_server(tmp_path):
    """Whoever installs the core alone gets no torch and no web server."""
    builder = WheelBuilder(str(ROOT))
    (tmp_path / "handwright.dist-info").mkdir()
    text = builder.config.core_metadata_constructor(builder.metadata)
    (tmp_path / "handwright.dist-info" / "METADATA").write_text(text, "utf-8")
    metadata = PathDistribution(tmp_path / "handwright.dist-info")
    needed = [Requirement(line) for line in metadata.requires or ()]
    core = {one.name for one in needed if one.marker is None}
    assert {"numpy", "numba", "mediapipe", "onnxruntime", "typer"} <= core
    assert core.isdisjoint({"torch", "diffusers", "transformers", "gradio", "fastapi", "ray", "scipy"})
