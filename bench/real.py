"""How review and refine do on pictures that nobody here made: python bench/real.py [--seeds N] [-o PAGE].

Pictures of image generators, every hand labelled by eye (folder ai_hands of $HANDWRIGHT_PHOTOS), and the
checked list of test-only photographs (data/hands_200.json), whose hands are all good. Figures are
tables: no picture, nor output made from one, is kept. What the review says is kept in --work.
Intervals are bootstrap 95 %, drawn by repository; of photographs, by picture. With --seeds N the same
pictures are refined, too, with the defaults or (--every-hand) those with a malformed hand as ``refine --all``
does; what was replaced lies in pairs on sheets in --work, and --answers counts what viewers found
(``real_repairs``).

The split 'test' is for the final figures alone; nothing is trained, tuned or thresholded on it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from find import LIST, photograph
from handwright.data.labelled_pictures import box_of, labelled_pictures
from handwright.data.photographs import decode_photo
from handwright.image.atomic_write import write_atomically
from handwright.metrics.estimate import bootstrap_counts, interval
from handwright.metrics.roc import auc
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.views import box_iou
from handwright.perception.models.image_features import PACKAGED as APPEARANCE_FOLDER
from handwright.review import review_picture
from handwright.review.checklist import HandReview
from handwright.review.critic.appearance import FILE, open_appearance
from handwright.review.critic.onnx_critic import PACKAGED, open_critic
from handwright.review.generated_look import review_as_generated
from handwright.review.judge import Judge
from handwright.review.proposals.network import open_proposer
from handwright.types import Box, Image
from judge_measures import recall_within
from judge_real import regions_of_boxes
from real_repairs import repairs_page

BUDGET, ROUNDS, LARGE_PX = 0.05, 1000, 64
"""Share of good hands that may be called; bootstrap rounds; hands that must be found are as large."""

UNCLEAR_TAGS = frozenset({"cut", "occluded", "tiny", "gloved", "blurred"})
"""Tags of photographed hands of which a person could not tell everything."""

ERAS = (
    ("animation", r"SVD|animation|Animator|MimicMotion|Wan2"),
    (
        "FLUX, SD 3, GPT-image and later",
        r"FLUX|SD ?3|GPT|Gemini|Qwen|LongCat|Step1X|Kolors|Lumina|Omni|Infin",
    ),
    ("SDXL", r"SDXL|CosXL"),
    ("SD 1 and 2", r"SD ?1|SD ?2|InstaFlow|AnyEdit"),
)
"""Kinds of generators by what names them; the first that fits counts."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A labelled hand and what was said of it.

    Attributes:
        group: Its repository, or its picture for photographs.
        picture: Its picture.
        label: 'good', 'malformed' or 'unclear'.
        agreed: Two blind labels are the same.
        era: One of ``ERAS``, or 'not known'.
        kinds: What is wrong with it, in the labels' words.
        size_px: Longer side of its box.
        clear: A person can tell all of it.
        found: The review has it.
        verdict: What the review says of its form: 'pass', 'fail', 'unsure'; 'not found'.
        as_generated: The same with ``handwright review --generated``.
        told: P(malformed) in the review; NaN where it was not found.
        by_box: The critic's P(malformed) on the labelled box.
    """

    group: str
    picture: str
    label: str
    agreed: bool
    era: str
    kinds: tuple[str, ...]
    size_px: float
    clear: bool
    found: bool
    verdict: str
    as_generated: str
    told: float
    by_box: float


def era_of(generator: str) -> str:
    """The kind of a generator."""
    return next((era for era, words in ERAS if re.search(words, generator)), "not known")


def said_of(pixels: np.ndarray, boxes: Sequence[Box], judge: Judge) -> list[dict[str, Any]]:
    """What the review and the critic alone say of the labelled hands of a picture, JSON-ready."""
    review = review_picture(Image(pixels), judge)
    hands = [hand for hand in review.hands if hand.prediction is not None]
    by_look = {hand.id: hand for hand in review_as_generated(review).hands}
    pairs = sorted(
        (-fit, i, j)
        for i, box in enumerate(boxes)
        for j, hand in enumerate(hands)
        if (fit := _fit(hand.bbox_xyxy_px, box)) > 0
    )
    of_box, taken = dict[int, int](), set[int]()
    for _, i, j in pairs:
        if i not in of_box and j not in taken:
            of_box[i] = j
            taken.add(j)
    regions = [
        region for region, _ in regions_of_boxes(pixels, list(boxes), judge.landmarker, judge.proposer)
    ]
    alone = judge.critic.judge(pixels, regions) if judge.critic else []
    alone = judge.appearance.judge(pixels, regions, alone) if judge.appearance else alone
    missed = {"found": False, "verdict": "not found", "as_generated": "not found", "told": None}
    rows: list[dict[str, Any]] = [{**missed, "by_box": p.malformed_by_any} for p in alone]
    for i, j in of_box.items():
        told = hands[j].prediction
        rows[i] |= {
            "found": True,
            "verdict": _form(hands[j]),
            "as_generated": _form(by_look[hands[j].id]),
            "told": told.malformed_by_any if told else None,
        }
    return rows


def _form(hand: HandReview) -> str:
    """What the review says of a hand's form."""
    form = {hand.checks[name].verdict for name in ("finger_count", "joint_bending")}
    return "fail" if "fail" in form else "pass" if form == {"pass"} else "unsure"


def _fit(found: Box, box: Box) -> float:
    """How well a find fits a label: 0 when it is another hand."""
    edge = 0.1 * max(found[2] - found[0], found[3] - found[1])
    iou = box_iou((found[0] - edge, found[1] - edge, found[2] + edge, found[3] + edge), box)
    x, y = (found[0] + found[2]) / 2, (found[1] + found[3]) / 2
    return iou if iou >= 0.3 else 0.01 * (box[0] <= x < box[2] and box[1] <= y < box[3])


def generated(root: Path, split: str, said: Callable[..., list[dict[str, Any]]]) -> Iterator[Asked]:
    """The labelled hands of generated pictures."""
    folder = root / "ai_hands"
    for line in labelled_pictures(folder, split):
        boxes = [box_of(hand["box"]) for hand in line["hands"]]
        path = folder / line["file"]
        for hand, box, row in zip(line["hands"], boxes, said(line["file"], path, boxes), strict=True):
            second = (hand.get("second") or {}).get("label")
            yield Asked(
                group=line["repo"],
                picture=line["file"],
                label=hand["label"],
                agreed=second == hand["label"],
                era=era_of(line["generator"]),
                kinds=tuple(hand["kinds"]),
                size_px=max(box[2] - box[0], box[3] - box[1]),
                clear=hand["label"] != "unclear",
                **_values(row),
            )


def photographed(root: Path, said: Callable[..., list[dict[str, Any]]]) -> Iterator[Asked]:
    """The hands of the checked list of photographs, all of them good."""
    for picture in json.loads(LIST.read_text("utf-8"))["pictures"]:
        boxes = [box_of(hand["bbox_xyxy_px"]) for hand in picture["hands"]]
        rows = said(picture["sha256"], (root, picture), boxes)
        for hand, box, row in zip(picture["hands"], boxes, rows, strict=True):
            size = max(box[2] - box[0], box[3] - box[1])
            clear = not UNCLEAR_TAGS & set(hand["tags"]) and size >= LARGE_PX
            group = picture["sha256"]
            yield Asked(group, group, "good", True, "photograph", (), size, clear, **_values(row))


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "told": float("nan") if row["told"] is None else row["told"]}


def estimate(hands: Sequence[Asked], statistic: Callable[[Sequence[Asked]], float]) -> str:
    """A figure with its interval, groups drawn with replacement; '–' where it does not exist."""
    groups: dict[str, list[Asked]] = {}
    for hand in hands:
        groups.setdefault(hand.group, []).append(hand)
    value = statistic(hands) if hands else float("nan")
    if not np.isfinite(value):
        return "–"
    lots = list(groups.values())
    drawn = [
        statistic([hand for k, lot in enumerate(lots) for _ in range(counts[k]) for hand in lot])
        for counts in bootstrap_counts(len(lots), ROUNDS, 0).T
    ]
    low, high = interval(np.array(drawn))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def area(score: str) -> Callable[[Sequence[Asked]], float]:
    """ROC AUC of a score, malformed hands against good ones."""
    return lambda hands: _of_scores(hands, score, auc)


def recall(score: str) -> Callable[[Sequence[Asked]], float]:
    """Recall where at most ``BUDGET`` of the good hands are called."""
    return lambda hands: _of_scores(hands, score, lambda told, truths: recall_within(told, truths, BUDGET))


def _of_scores(hands: Sequence[Asked], score: str, statistic: Callable[..., float]) -> float:
    told = np.array([getattr(hand, score) for hand in hands])
    truths = np.array([hand.label == "malformed" for hand in hands])
    known = np.isfinite(told)
    return statistic(told[known], truths[known]) if known.any() else float("nan")


def share(*verdicts: str, of: str = "verdict") -> Callable[[Sequence[Asked]], float]:
    """Of how many hands the review said one of these."""
    return lambda hands: (
        float(np.mean([getattr(hand, of) in verdicts for hand in hands])) if hands else float("nan")
    )


def pictures_found(hands: Sequence[Asked]) -> float:
    """In how many pictures with these hands at least one of them is found."""
    found: dict[str, bool] = {}
    for hand in hands:
        found[hand.picture] = found.get(hand.picture, False) or hand.found
    return float(np.mean(list(found.values())))


def page(hands: Sequence[Asked], photographs: Sequence[Asked], split: str, critic: str) -> str:
    """All tables."""
    decided = [hand for hand in hands if hand.label != "unclear"]
    agreed = [hand for hand in decided if hand.agreed]
    lines = [
        "# Review and refine on pictures that nobody here made",
        "",
        f"Split '{split}' of the labelled generated pictures and the checked photographs; critic {critic}. "
        "Written by `python bench/real.py`, whose options are in its head; intervals by repository, 95 %.",
        "",
        "| hands | N malformed, good | AUC in the review | AUC on the labelled box | "
        "recall at ≤ 5 % false alarms | the same on the box |",
        "|---|---|---|---|---|---|",
    ]
    groups = [("both labels agree", agreed), ("all", decided)]
    groups += [(era, [h for h in agreed if h.era == era]) for era in (*dict(ERAS), "not known")]
    for name, some in groups:
        wrong = sum(hand.label == "malformed" for hand in some)
        figures = [estimate(some, f(s)) for f in (area, recall) for s in ("told", "by_box")]
        lines.append(f"| {name} | {wrong}, {len(some) - wrong} | {' | '.join(figures)} |")
    lines += [
        "",
        "| hands | N | not found | called wrong | cannot tell | passed | passed with --generated |",
        "|---|---|---|---|---|---|---|",
    ]
    told = [(f"malformed, {name}", [h for h in some if h.label == "malformed"]) for name, some in groups]
    kinds = sorted({kind for hand in agreed for kind in hand.kinds})
    told += [(f"malformed: {kind}", [h for h in agreed if kind in h.kinds]) for kind in kinds]
    told += [(f"good, {name}", [h for h in some if h.label == "good"]) for name, some in groups]
    told += [("unclear", [h for h in hands if h.label == "unclear"])]
    told += [("labelled, 64 px and larger", [h for h in decided if h.size_px >= LARGE_PX])]
    told += [("photographs", photographs), ("photographs, clear", [h for h in photographs if h.clear])]
    for name, some in told:
        if some:
            figures = [estimate(some, share(v)) for v in ("not found", "fail", "unsure", "pass")]
            figures.append(estimate(some, share("pass", of="as_generated")))
            lines.append(f"| {name} | {len(some)} | {' | '.join(figures)} |")
    large = [h for h in hands if h.size_px >= LARGE_PX]
    pictures = len({h.picture for h in large})
    lines += [
        "",
        f"Of {pictures} pictures with a labelled hand of {LARGE_PX} px and larger one is found in "
        f"{estimate(large, pictures_found)}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    photos = os.environ.get("HANDWRIGHT_PHOTOS")
    parser.add_argument("--photos", type=Path, default=photos and Path(photos), required=photos is None)
    parser.add_argument("--critic", type=Path, default=PACKAGED)
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser.add_argument("--work", type=Path, default=Path("runs/real"))
    parser.add_argument("--seeds", type=int, default=0, help="how often each picture is refined")
    parser.add_argument(
        "--every-hand", action="store_true", help="as refine --all, where a hand is malformed"
    )
    parser.add_argument("--answers", type=Path, nargs="+", default=[], help="a file a viewer of the sheets")
    parser.add_argument("-o", "--out", type=Path, help="the page; without it, it is printed")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    files = [args.critic / name for name in ("critic.onnx", "calibration.json")]
    files += [APPEARANCE_FOLDER / name for name in ("features.onnx", FILE)]
    for file in files:
        digest.update(file.read_bytes())
    store = args.work / f"said-2-{digest.hexdigest()[:12]}.json"
    stored: dict[str, Any] = json.loads(store.read_text("utf-8")) if store.exists() else {}
    with HandLandmarker(None) as landmarker:
        judge = Judge(landmarker, open_critic(args.critic), open_proposer(), open_appearance(landmarker))

        def said(key: str, where: Any, boxes: Sequence[Box]) -> list[dict[str, Any]]:
            if key not in stored:
                pixels = (
                    decode_photo(where.read_bytes(), key) if isinstance(where, Path) else photograph(*where)
                )
                stored[key] = said_of(pixels, boxes, judge)
                if len(stored) % 20 == 0:
                    write_atomically(store, lambda file: file.write(json.dumps(stored).encode()))
            return stored[key]

        hands, real = list(generated(args.photos, args.split, said)), list(photographed(args.photos, said))
    write_atomically(store, lambda file: file.write(json.dumps(stored).encode()))
    name = re.search(r"critic-v\d+", (args.critic / "README.md").read_text("utf-8"))
    text = page(hands, real, args.split, name.group() if name else args.critic.name)
    if args.seeds:
        work = args.work / f"{args.split}-{'every' if args.every_hand else 'default'}"
        repairs = repairs_page(
            args.photos, args.split, work, args.seeds, every=args.every_hand, answers=args.answers
        )
        text = f"{text}\n{repairs}"
    if args.out is None:
        print(text)
    else:
        args.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
