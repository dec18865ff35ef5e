"""Speed and memory, side by side in one run: python bench/performance.py [--only PART] [--write].

Each part is a process of its own, and one that fails leaves the others: its old table stays and the exit
code is 1. Parts: network (fit + depth of a hand against Mesh Graphormer's network), paste (refine against a
plain loop on diffusers: crop, inpaint, paste), sizes (one hand at 512 px, 4, 12 and 48 MP, with peak memory),
cold (from process start), hands (1, 2, 4 and 8 in a picture), service (requests a second, by serve_load.py).
--n scales the repeats; --write puts the tables into docs/performance.md. Measure on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BENCH = Path(__file__).resolve().parent
PAGE = BENCH.parent / "docs" / "performance.md"
SEED = 9
THREADS = min(os.cpu_count() or 1, 8)
EVERY = tuple(range(1, 9))
"""Numbers of as many hands as any frame has: a hand that is named is replaced however that looks."""

SIZES = {"512 × 512": (512, 512), "4 MP": (1728, 2304), "12 MP": (3000, 4000), "48 MP": (6000, 8000)}
TIMEOUT_S = 1200

Table = list[str]


def interval(values: Sequence[float], digits: int = 2) -> str:
    """Median and the bootstrap 95 % interval of the median."""
    array = np.asarray(values, float)
    draws = np.median(np.random.default_rng(0).choice(array, (2000, len(array))), axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{np.median(array):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, least and most."""
    return f"{np.median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def seconds(work: Callable[[], object]) -> float:
    """Of one run."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def defect(seed: int, side: int) -> np.ndarray:
    """A rendered hand with a finger too many."""
    from handwright.data.hands import render_one_hand
    from handwright.hand.defects import Defect

    return render_one_hand(seed, side, Defect.EXTRA).pixels


def framed(hands: Sequence[np.ndarray], height: int, width: int) -> np.ndarray:
    """Squares side by side in the middle of a plain frame."""
    side = hands[0].shape[0]
    columns = min(len(hands), width // side)
    ground = np.tile(hands[0][:8, :8].mean((0, 1)).astype(np.uint8), (height, width, 1))
    rows = -(-len(hands) // columns)
    top, left = (height - rows * side) // 2, (width - columns * side) // 2
    for k, hand in enumerate(hands):
        y, x = top + side * (k // columns), left + side * (k % columns)
        ground[y : y + side, x : x + side] = hand
    return ground


def network(n: int) -> Table:
    """Fit + depth of one hand beside one forward pass of Mesh Graphormer's network, in turn, hand by hand."""
    import torch

    from handwright.data.hands import render_one_hand
    from handwright.hand.depth import depth_control
    from handwright.perception.analysis import analyse_hand
    from handwright.perception.detect.search import find_hands
    from handwright.perception.fit.hand_fit import fit_hand
    from handwright.refine.pipeline import open_engine
    from handwright.types import Image
    from mesh_graphormer import MeshGraphormer, parameters

    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    theirs = MeshGraphormer().eval()
    crop = torch.rand(1, 3, 224, 224)
    fitted: list[float] = []
    whole: list[float] = []
    forward: list[float] = []
    with open_engine() as engine, torch.inference_mode():
        seed, warm = 0, 3
        while len(forward) < 4 * n + warm:
            image = Image(render_one_hand(seed).pixels)
            seed += 1
            found = find_hands(image.pixels, landmarker=engine.landmarker)
            if len(found) != 1:
                continue

            def fit_and_depth(image: Image = image, hand: Any = found[0]) -> None:
                fit = fit_hand(hand, image.width, image.height)
                depth_control([fit.hand], image.height, image.width)

            def with_outline(image: Image = image, hand: Any = found[0]) -> None:
                depth_control([analyse_hand(image, hand).fit.hand], image.height, image.width)

            fitted.append(1000 * seconds(fit_and_depth))
            whole.append(1000 * seconds(with_outline))
            forward.append(1000 * seconds(lambda: theirs(crop)))
    fitted, whole, forward = fitted[warm:], whole[warm:], forward[warm:]
    ratio, ratio_whole = (np.array(forward) / np.array(ours) for ours in (fitted, whole))
    count = parameters(theirs) / 1e6
    return [
        f"N = {len(forward)} rendered hands of 512², in turn; {THREADS} threads each; float32; seed 0; "
        "median [95 %].",
        "",
        "| one hand | ms | Mesh Graphormer's network takes × |",
        "|---|---|---|",
        f"| fit to landmarks + depth | {interval(fitted)} | {interval(ratio, 0)} |",
        f"| fit with region and outline + depth | {interval(whole)} | {interval(ratio_whole, 1)} |",
        f"| Mesh Graphormer's network, {count:.0f} M parameters, 224² | {interval(forward, 0)} | 1 |",
    ]


def paste(n: int) -> Table:
    """`refine --painter diffuse` beside a plain loop with the same pipeline, box and steps."""
    import cv2
    import torch
    from PIL import Image as Pillow

    import handwright
    from engine import pipeline
    from handwright.diffusion.loading.libraries import quiet

    torch.set_num_threads(THREADS)
    steps, side, place = 20, 256, (256, 256, 768, 768)
    picture = framed([defect(SEED, 512)], 1024, 1024)
    plain = pipeline(torch.float32, "cpu", (64, 128, 256, 256), (32, 64, 128, 128), side)
    inside: list[float] = []

    def loop() -> np.ndarray:
        left, top, right, bottom = place
        crop = cv2.resize(picture[top:bottom, left:right], (side, side), interpolation=cv2.INTER_AREA)
        mask = np.zeros((side, side), np.uint8)
        mask[32:-32, 32:-32] = 255
        options: dict[str, Any] = {
            "image": Pillow.fromarray(crop), "mask_image": Pillow.fromarray(mask), "control_image": control,
            "num_inference_steps": steps, "guidance_scale": 7.5, "height": side, "width": side,
        }  # fmt: skip
        began = time.perf_counter()
        with quiet(), torch.inference_mode():
            made = plain("a hand", generator=torch.Generator().manual_seed(0), **options).images[0]
        inside.append(time.perf_counter() - began)
        back = cv2.resize(np.asarray(made), (right - left, bottom - top), interpolation=cv2.INTER_CUBIC)
        soft = cv2.GaussianBlur(cv2.resize(mask, (right - left, bottom - top)), (0, 0), 12)[..., None] / 255
        out = picture.copy()
        out[top:bottom, left:right] = np.round(soft * back + (1 - soft) * picture[top:bottom, left:right])
        return out

    control = Pillow.fromarray(np.full((side, side, 3), 128, np.uint8))
    rows: dict[str, list[float]] = {"loop": [], "published": [], "refine": []}
    painted = {"loop": 1}

    def refined(name: str, **options: Any) -> None:
        painted[name] = sum(len(hand.candidates) for hand in refiner(picture, **shared, **options).hands)

    with (
        tempfile.TemporaryDirectory() as folder,
        handwright.HandRefiner.from_pretrained(model=folder, dtype="float32", device="cpu") as refiner,
    ):
        with quiet():
            plain.save_pretrained(folder)
        shared: dict[str, Any] = {
            "box": place, "prompt": "a hand", "num_inference_steps": steps,
            "guidance_scale": 7.5, "controlnet_conditioning_scale": 0.55, "seed": 0,
        }  # fmt: skip
        runs: dict[str, Callable[[], object]] = {
            "loop": loop,
            "published": lambda: refined("published", as_published=True),
            "refine": lambda: refined("refine"),
        }
        for number in range(n + 1):
            for name in sorted(rows, reverse=bool(number % 2)):
                taken = seconds(runs[name])
                if number:
                    rows[name].append(taken)
    base = np.array(rows["loop"])
    names = {
        "loop": "plain loop: crop, inpaint, paste (no detection, no depth, no check)",
        "published": "`refine --painter diffuse --as-published`",
        "refine": "`refine --painter diffuse`",
    }
    return [
        f"N = {n} rounds in turn, one hand in 1024², SD 1.5's inpainting layout at a fifth of its width with "
        f"random weights, squares of {side}, {steps} steps, the box given, {THREADS} threads; median [95 %]. "
        f"Of the plain loop, {np.median(inside[1:]):.2f} s are diffusers'. Random weights paint no hand, so "
        "refine tries every pose that it would try before it gives up.",
        "",
        "| | paintings | s | × the plain loop | × a painting |",
        "|---|---|---|---|---|",
        *(
            f"| {names[k]} | {painted[k]} | {interval(v)} | {interval(np.array(v) / base)} "
            f"| {interval(np.array(v) / base / painted[k])} |"
            for k, v in rows.items()
        ),
    ]


MEASURED = """
import os, subprocess, sys, time
began = time.perf_counter()
started = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(started.pid, 0)
print(time.perf_counter() - began, used.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
"""Run by a small process: the peak memory of a child is at least what its parent held when it began."""


def process(command: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak MiB of a fresh process.

    Raises:
        RuntimeError: It ends with an error.
    """
    watcher = [sys.executable, "-S", "-c", MEASURED, sys.executable, *command]
    done = subprocess.run(watcher, capture_output=True, text=True, check=True)
    taken, peak, status = done.stdout.split()
    if int(status) not in (0, 1):
        raise RuntimeError(done.stderr[-500:])
    return float(taken), float(peak) / 1024


def sizes(n: int) -> Table:
    """The whole command on one hand, models loaded or not, and the peak memory of its process."""
    import handwright
    from handwright.image import write_png

    lines = [
        f"N = {n}, in turn; a malformed hand of 512² in the middle of the frame, which is named, PNG to PNG; "
        "median [least, most]; × against 512 × 512 of the same run.",
        "",
        "| picture | command, s | × | models loaded, s | × | peak memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    cold: dict[str, list[tuple[float, float]]] = {name: [] for name in SIZES}
    warm: dict[str, list[float]] = {name: [] for name in SIZES}
    with tempfile.TemporaryDirectory() as name, handwright.HandRefiner() as refiner:
        folder, hand = Path(name), defect(SEED, 512)
        paths = {label: folder / f"{k}.png" for k, label in enumerate(SIZES)}
        for label, (height, width) in SIZES.items():
            write_png(paths[label], framed([hand], height, width))
        refiner(paths["512 × 512"], hand=EVERY)
        for _ in range(n):
            for label, path in paths.items():
                out = str(folder / "out.png")
                command = ["-m", "handwright", "refine", str(path), "-o", out, "--hand", "1", "--force"]
                cold[label].append(process(command))

                def mend(path: Path = path) -> None:
                    refiner(path, hand=EVERY).after.save(folder / "warm.png")

                warm[label].append(seconds(mend))
    first = [np.median([taken for taken, _ in cold["512 × 512"]]), np.median(warm["512 × 512"])]
    for label in SIZES:
        taken, memory = zip(*cold[label], strict=True)
        ratios = np.median(taken) / first[0], np.median(warm[label]) / first[1]
        lines.append(
            f"| {label} | {spread(taken)} | {ratios[0]:.2f} | {spread(warm[label])} | {ratios[1]:.2f} "
            f"| {max(memory):.0f} |"
        )
    return lines


def cold(n: int) -> Table:
    """From the start of a process to its end, kernels compiled before."""
    from handwright.image import write_png

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = str(folder / "one.png")
        write_png(Path(picture), defect(SEED, 512))
        module = ["-m", "handwright"]
        commands = {
            "`python -c pass`": ["-c", "pass"],
            "`import handwright`": ["-c", "import handwright"],
            "`handwright --help`": [*module, "--help"],
            "`handwright review`, one hand, 512²": [*module, "review", picture],
            "`handwright refine`, one hand, 512²": [
                *module, "refine", picture, "-o", f"{picture}.png", "--hand", "1", "--force",
            ],
        }  # fmt: skip
        for command in commands.values():
            process(command)
        runs = {label: [] for label in commands}
        for _ in range(2 * n):
            for label, command in commands.items():
                runs[label].append(process(command))
    lines = [
        f"N = {2 * n} processes of each, in turn; median [least, most].",
        "",
        "| | s | peak memory, MiB |",
        "|---|---|---|",
    ]
    for label, measured in runs.items():
        taken, memory = zip(*measured, strict=True)
        lines.append(f"| {label} | {spread(taken)} | {max(memory):.0f} |")
    return lines


def hands(n: int) -> Table:
    """One frame of 2048 × 1024 with 1, 2, 4 and 8 hands, models loaded."""
    import handwright

    squares = [defect(SEED + k, 512) for k in range(8)]
    runs: dict[int, list[float]] = {count: [] for count in (1, 2, 4, 8)}
    found: dict[int, int] = {}
    with handwright.HandRefiner() as refiner:
        frames = {count: framed(squares[:count], 1024, 2048) for count in runs}
        refiner(frames[1], hand=EVERY)
        for _ in range(n):
            for count, frame in frames.items():
                began = time.perf_counter()
                found[count] = len(refiner(frame, hand=EVERY).hands)
                runs[count].append(time.perf_counter() - began)
    lines = [
        f"N = {n}, in turn; frames of 2048 × 1024 with malformed hands of 512², all of them named, models "
        "loaded; median [least, most].",
        "",
        "| hands in the picture | found | s a picture | s a hand found |",
        "|---|---|---|---|",
    ]
    for count, taken in runs.items():
        each = np.array(taken) / max(found[count], 1)
        lines.append(f"| {count} | {found[count]} | {spread(taken)} | {spread(list(each))} |")
    return lines


def service(n: int) -> Table:
    """The sweep of serve_load.py: 1 to 8 clients.

    Raises:
        RuntimeError: It fails.
    """
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "sweep.json"
        command = [sys.executable, str(BENCH / "serve_load.py"), "--sweep", "--json", str(out)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(f"serve_load.py ended with {done.returncode}: {done.stdout[-300:]}")
        found = json.loads(out.read_text("utf-8"))
    lines = [
        f"`/v1/{found['route']}` of a picture of 256² with one hand, {found['workers']} worker, "
        f"N = {found['rows'][0]['n']} requests a row; by serve_load.py.",
        "",
        "| clients | requests/s | p50 s | p95 s | p99 s |",
        "|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        cells = (f"{row[name]:.2f}" for name in ("per_s", "p50", "p95", "p99"))
        lines.append(f"| {row['clients']} | {' | '.join(cells)} |")
    return lines


PARTS: dict[str, Callable[[int], Table]] = {
    "network": network, "paste": paste, "sizes": sizes, "cold": cold, "hands": hands, "service": service,
}  # fmt: skip


def machine() -> str:
    """What the figures were taken on, without its name."""
    told = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    model = re.search(r"model name\s*:\s*(.+)", told)
    kind = model[1] if model else platform.machine()
    return f"{os.cpu_count()} cores ({kind}), Python {platform.python_version()}"


def put(page: str, part: str, lines: Table) -> str:
    """The page with a part's table between its markers.

    Raises:
        ValueError: The page has no such markers.
    """
    begin, end = f"<!-- {part}: made by bench/performance.py -->", f"<!-- /{part} -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no markers for {part}")
    head, rest = page.split(begin, 1)
    _, tail = rest.split(end, 1)
    return "\n".join([head + begin, "", *lines, "", end + tail])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument(
        "--n", type=int, default=5, help="repeats of the slow runs; quick ones take a multiple"
    )
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print("\n".join(PARTS[args.part](args.n)))
        return 0
    failed = []
    for part in args.only or PARTS:
        began = time.perf_counter()
        command = [sys.executable, str(BENCH / "performance.py"), "--part", part, "--n", str(args.n)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
            lines = done.stdout.splitlines() if done.returncode == 0 else []
        except subprocess.TimeoutExpired:
            lines = []
        print(
            f"\n## {part}: {time.perf_counter() - began:.0f} s\n",
            *(lines or ["failed"]),
            sep="\n",
            flush=True,
        )
        if not lines:
            failed.append(part)
        elif args.write:
            page = PAGE.read_text("utf-8")
            PAGE.write_text(put(page, part, [f"{machine()}, n = {args.n}.", "", *lines]), "utf-8")
    print(f"failed: {', '.join(failed)}" if failed else "all parts ran", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
