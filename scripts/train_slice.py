"""One slice of a training on a machine that is lent for minutes and has no network.

    python scripts/train_slice.py base --work W --out O --minutes 9 --n 20000 -- --train-batch-size 256

Renders its own data on all cores (a slice that is cut off goes on where it was), trains for the time that
is left, resuming from W, and leaves at most eight files of 16 MB in O: log, curve, newest sample grid, and
the member in half precision as pieces of one tar (`cat model.tar.* | tar x`). Wheels that the machine lacks
are unpacked from --wheels first; diffusers is enough where torch, accelerate, transformers, numba and
OpenCV are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parent.parent
PIECE, PIECES = 15_000_000, 5


def environment(work: Path, wheels: Path | None) -> dict[str, str]:
    """Variables with which `python -m handwright` runs from this checkout and the wheels."""
    site = work / "site"
    if wheels is not None and not site.exists():
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(site)
    paths = [str(ROOT / "src"), str(site), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in paths if p), "OMP_NUM_THREADS": "1"}


def handwright(given: list[str], variables: dict[str, str], minutes: float) -> bool:
    """Run a command for at most so long; whether it ended by itself.

    Raises:
        SystemExit: It failed.
    """
    command = [sys.executable, "-m", "handwright", *given]
    try:
        code = subprocess.run(command, env=variables, timeout=60 * minutes, check=False).returncode
    except subprocess.TimeoutExpired:
        return False
    if code:
        raise SystemExit(code)
    return True


def hand_over(run: Path, out: Path) -> None:
    """Copy what is worth keeping of a run to ``out``."""
    import torch
    from safetensors.torch import load_file, save_file

    out.mkdir(parents=True, exist_ok=True)
    grids = sorted((run / "grids").glob("*.png"))
    for source, name in (
        (run / "log.jsonl", "log.jsonl"),
        (run / "curve.png", "curve.png"),
        *([(grids[-1], "samples.png")] if grids else []),
    ):
        if source.exists():
            shutil.copyfile(source, out / name)
    half = run / "half"
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(run / "model", half)
    for path in half.rglob("*.safetensors"):
        weights = load_file(path)
        save_file({k: v.half() if v.dtype == torch.float32 else v for k, v in weights.items()}, path)
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(half, arcname="model")
    data = packed.getvalue()
    pieces = [data[k : k + PIECE] for k in range(0, len(data), PIECE)]
    if len(pieces) > PIECES:
        raise SystemExit(f"the member has {len(data):,} bytes: more than {PIECES} pieces of {PIECE:,}")
    for number, piece in enumerate(pieces):
        (out / f"model.tar.{number}").write_bytes(piece)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("member")
    parser.add_argument("--work", type=Path, required=True, help="folder that stays between slices")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--kinds", default="hands", help="kinds to render, with commas between them")
    parser.add_argument("--n", type=int, default=20_000, help="pictures of each kind")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--seed", type=int, default=1004)
    parser.add_argument("--wheels", type=Path)
    own, _, options = " ".join(sys.argv[1:]).partition(" -- ")
    args = parser.parse_args(own.split())
    end = time.monotonic() + 60 * args.minutes
    args.work.mkdir(parents=True, exist_ok=True)
    variables, data, run = environment(args.work, args.wheels), args.work / "data", args.work / args.member
    for kind in args.kinds.split(","):
        made = ["--n", str(args.n), "--seed", str(args.seed), "--size", str(args.size)]
        made += ["--workers", str(os.cpu_count() or 1), "-o", str(data / kind), "--kind", kind]
        if not handwright(["synth", *made], variables, (end - time.monotonic()) / 60):
            print(f"{kind}: not all pictures are there yet; the next slice goes on")
            return
    left = (end - time.monotonic()) / 60 - 0.5
    if left > 0:
        time_limit = ["--max-minutes", f"{left:.2f}", "--resume", "-o", str(run), "--data", str(data)]
        handwright(["train", args.member, *time_limit, *options.split()], variables, 10 * left + 10)
        hand_over(run, args.out)


if __name__ == "__main__":
    main()
