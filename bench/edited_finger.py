"""One finger edited in the saved parameters, redrawn with the same seed.

    python bench/edited_finger.py -o WORK [--via V] [--engine E] [--n 50] [--sheet SHEET.png]

For each text T2H makes a person, whose parameters are saved as ``generate --report`` saves them. One finger
of the larger hand is changed in that file, an extended one to a curled one or the reverse. Three pictures are
painted of the files, as ``generate --pose FILE --attempts 1 --mend off`` reads them: as saved, edited with
the same seed, and as saved with another seed. A run that was stopped goes on.

Printed, with 95 % bootstrap intervals over texts, in hand lengths (the longer side of the box around the
landmarks of both versions): how far joints and tip of the finger move in the parameters, how far they are
found to move, how far those of the other fingers are found to move; in how many pictures the finger moves at
least half way to its new place (a hand that is not found, or as the other one, counts as no); and the mean
squared error of the background (sRGB levels, outside both versions of the hand and what is near them) of the
edited picture, as a share of the reseeded one's. The sheet shows the three pictures, and the hand in the
first two.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from finger_edits import (
    Edit,
    body_in,
    box_around,
    chosen_edit,
    edited_json,
    finger_landmarks,
    hand_length,
    landmarks_of,
    mean_squared_error,
    motions,
    near_hands,
)  # fmt: skip
from handwright.hand.anatomy import FINGERS
from handwright.image import load_image, write_png
from handwright.metrics.estimate import Estimate, mean_estimate, statistic_estimate
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.two_stage.engine import Engine, PoseRequest
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.settings import ENGINES, VIAS, TwoStageSettings
from handwright.types import Side
from handwright.workflow.generate.engines import open_engine
from handwright.workflow.generate.pose_source import pose_from_file, pose_from_text
from sheets import TILE_PX, hand_crop, save_pages

TEXTS = Path(__file__).parent / "data" / "prompts_50_test.txt"

NEAR = 0.25  # Hand lengths around both versions of a hand that are no background: rims and shadows (by eye)

OTHER_SEED = 100_003  # Added to a picture's seed for the reseeded one

VERSIONS = ("saved", "edited", "reseeded")


@dataclass(frozen=True)
class Case:
    """What was measured of one text; lengths are hand lengths, NaN where the hand is not found twice."""

    text: str
    side: Side
    finger: str
    to: str  # 'curled' or 'extended'
    stated: float  # Mean way of the finger's joints and tip in the parameters
    found: float  # The same as found in the pictures
    others: float  # Mean way of the other fingers' landmarks as found
    way: float  # Share of the way to its new place that the finger is found to go
    edited: float  # Mean squared error of the background, edited against saved
    reseeded: float  # The same, reseeded against saved


def main() -> None:
    """Make what WORK does not hold yet, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--work", type=Path, required=True)
    parser.add_argument("--texts", type=Path, default=TEXTS)
    parser.add_argument("--n", type=int, default=50, help="texts, the first of the file")
    parser.add_argument("--via", choices=VIAS, default="two-stage")
    parser.add_argument("--engine", choices=ENGINES, default="render")
    parser.add_argument("--model", default="tiny", help="base, as of handwright generate")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    keep_to(options)
    texts = [line for line in options.texts.read_text(encoding="utf-8").splitlines() if line.strip()]
    cases = made(texts[: options.n], options)
    print(table(cases))
    if options.sheet is not None:
        folders = [options.work / f"{k:03d}" for k in range(len(cases))]
        save_pages(options.sheet, [tiles(case, folder) for case, folder in zip(cases, folders, strict=True)])


def keep_to(options: argparse.Namespace) -> None:
    """Let WORK hold what one set of options makes, and refuse another.

    Raises:
        SystemExit: It holds what other options made.
    """
    kept = {name: str(value) for name, value in vars(options).items() if name not in ("n", "work", "sheet")}
    path = options.work / "options.json"
    if path.exists() and json.loads(path.read_text("utf-8")) != kept:
        raise SystemExit(f"{options.work} holds what other options made: give another folder")
    options.work.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept) + "\n", encoding="utf-8")


def made(texts: list[str], options: argparse.Namespace) -> list[Case]:
    """The case of every text, from WORK or made now."""
    folders = [options.work / f"{number:03d}" for number in range(len(texts))]
    if not all((folder / "case.json").exists() for folder in folders):
        settings = TwoStageSettings(
            via=options.via, engine=options.engine, model=options.model, device=options.device
        )
        engine = open_engine(settings)
        with HandLandmarker() as landmarker:
            for number, (text, folder) in enumerate(zip(texts, folders, strict=True)):
                if (folder / "case.json").exists():
                    continue
                seed = options.seed + number
                one = replace(settings, prompt=text, seed=seed)
                edit = write_parameters(folder, text, options.side, seed)
                paint(folder, one, options.side, engine)
                case = measure(folder, text, edit, options.side, landmarker)
                (folder / "case.json").write_text(json.dumps(asdict(case)) + "\n", encoding="utf-8")
                print(number, case, flush=True)
    return [Case(**json.loads((folder / "case.json").read_text("utf-8"))) for folder in folders]


def write_parameters(folder: Path, text: str, side_px: int, seed: int) -> Edit:
    """Draw a person for the text; write the parameters as they are, and edited."""
    body = pose_from_text(text, side_px, seed).body
    assert body is not None
    saved = json.loads(json.dumps(body.to_json()))
    edit = chosen_edit(body, np.random.default_rng(seed))
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("parameters", saved), ("edited", edited_json(saved, edit))):
        (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return edit


def paint(folder: Path, settings: TwoStageSettings, side_px: int, engine: Engine) -> None:
    """Paint the three versions."""
    files = {"saved": "parameters", "edited": "edited", "reseeded": "parameters"}
    for version, file in files.items():
        source = pose_from_file(folder / f"{file}.json", None, side_px)
        completed = complete_pose(source.pose, source.width, source.height)
        seed = settings.seed + OTHER_SEED * (version == "reseeded")
        one = replace(settings, seed=seed)
        request = PoseRequest(completed, source.width, source.height, one, seed, source.body)
        write_png(folder / f"{version}.png", engine.make(request).pixels)


def measure(folder: Path, text: str, edit: Edit, side_px: int, landmarker: Landmarker) -> Case:
    """Find the hand in both versions, and compare the backgrounds."""
    pixels = {version: load_image(folder / f"{version}.png").pixels for version in VERSIONS}
    bodies = [body_in(folder / f"{name}.json", side_px) for name in ("parameters", "edited")]
    before_px, after_px = (landmarks_of(body, edit.side) for body in bodies)
    length = hand_length(before_px, after_px)
    box = box_around(np.concatenate([before_px, after_px]), NEAR * length)
    found = [find_hands(pixels[version], boxes=[box], landmarker=landmarker) for version in VERSIONS[:2]]
    motion = dict.fromkeys(("found", "others", "way"), float("nan"))
    if all(hands and hands[0].side == edit.side for hands in found):
        there, here = (np.asarray(hands[0].landmarks_px, float)[:, :2] for hands in found)
        motion = motions(before_px, after_px, there, here, edit.finger)
    background = ~near_hands(bodies, edit.side, NEAR * length)
    fingers = finger_landmarks(edit.finger)
    return Case(
        text=text,
        side=edit.side,
        finger=FINGERS[edit.finger],
        to=edit.to,
        stated=float(np.linalg.norm(after_px - before_px, axis=1)[fingers].mean()) / length,
        **motion,
        edited=mean_squared_error(pixels["saved"], pixels["edited"], background),
        reseeded=mean_squared_error(pixels["saved"], pixels["reseeded"], background),
    )


def table(cases: list[Case]) -> str:
    """The figures."""
    seen = [case for case in cases if np.isfinite(case.way)]
    rows: list[tuple[str, Estimate]] = [
        ("hand found in both, share", _mean(np.isfinite([case.way for case in cases]))),
        ("finger in the parameters, hand lengths", _mean([case.stated for case in cases])),
    ]
    if seen:
        rows += [
            ("the finger as found", _mean([case.found for case in seen])),
            ("other fingers as found", _mean([case.others for case in seen])),
            ("share of the way to its new place", _mean([case.way for case in seen])),
        ]
    rows.append(("moved at least half way, share", _mean([case.way >= 0.5 for case in cases])))
    errors = np.array([(case.edited, case.reseeded) for case in cases])
    rows += [
        ("background MSE, edited", _mean(errors[:, 0])),
        ("background MSE, reseeded", _mean(errors[:, 1])),
        ("edited ÷ reseeded, of the means", statistic_estimate("ratio", errors, share_of_reseeded)),
        ("edited ≤ 5 % of reseeded, share", _mean(errors[:, 0] <= 0.05 * errors[:, 1])),
    ]
    lines = [f"| {name} | {one.value:.3g} [{one.low:.3g}, {one.high:.3g}] | {one.n} |" for name, one in rows]
    return "\n".join(["| measure | figure | N |", "|---|---|---|", *lines])


def share_of_reseeded(errors: Float[np.ndarray, "n 2"]) -> float:
    """Mean error of edited pictures over that of reseeded ones; NaN where these do not differ."""
    edited, reseeded = errors.mean(0)
    return float(edited / reseeded) if reseeded else float("nan")


def _mean(values: Any) -> Estimate:
    return mean_estimate("mean", np.array(values, float))


def tiles(case: Case, folder: Path) -> tuple[str, list[UInt8[np.ndarray, "t t 3"]]]:
    """Caption and tiles of one case: the three pictures, the hand as saved and edited."""
    pixels = [load_image(folder / f"{version}.png").pixels for version in VERSIONS]
    height, width = pixels[0].shape[:2]
    whole = [
        cv2.resize(one, (TILE_PX, round(TILE_PX * height / width)), interpolation=cv2.INTER_AREA)
        for one in pixels
    ]
    side_px = max(height, width)
    both = [
        landmarks_of(body_in(folder / f"{name}.json", side_px), case.side)
        for name in ("parameters", "edited")
    ]
    box = box_around(np.concatenate(both), 0.0)
    caption = (
        f"{case.side} {case.finger} {case.to}, way {case.way:.2f}, "
        f"background {share_of_reseeded(np.array([[case.edited, case.reseeded]])):.3f}: {case.text}"
    )
    return caption, [*whole, *(hand_crop(one, box) for one in pixels[:2])]


if __name__ == "__main__":
    main()
