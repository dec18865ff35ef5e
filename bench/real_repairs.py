"""What refine does by default to pictures that nobody here made: python bench/real_repairs.py [--score ...].

Pictures of image generators of ``ai_hands`` test and the checked test-only photographs
(data/hands_200.json) are refined with the defaults, once a seed. For every hand that is replaced --work gets
both crops and a line of PAIRS.jsonl, for sheets whose viewers do not know which is which. --score KEY ANSWERS
reads the key of such sheets and a file a viewer of answers, a line a pair:
{"n": pair, "better": "left" | "right" | "equal", "why": [...]}. A pair on which viewers disagree is 'split'.
A second run goes on where the first was stopped. Intervals: Wilson, 95 %.

The split 'test' is for the final figures alone; nothing is trained, tuned or thresholded on it.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image as PILImage

from find import LIST, photograph
from handwright.data.photographs import decode_photo
from handwright.metrics.estimate import wilson
from handwright.perception.detect.views import box_iou
from handwright.refine.pipeline import Engine, open_engine, refine_picture
from handwright.refine.result import HandRepair
from handwright.refine.settings import RefineSettings
from handwright.types import Box, Image

ROOM = 2.4  # Side of a crop in sizes of what it must show
SAME = 0.3  # Overlap of a hand's box with a labelled one from which on they are the same


def pictures(photos: Path, split: str) -> Iterator[tuple[str, np.ndarray, list[tuple[Box, str]]]]:
    """Key, pixels and labelled hands of every picture: box and 'good', 'malformed' or 'unclear'."""
    folder = photos / "ai_hands"
    for text in (folder / "hands.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        if line["split"] == split and line["origin"] == "ai":
            pixels = decode_photo((folder / line["file"]).read_bytes(), line["file"])
            yield line["file"], pixels, [(_box(hand["box"]), label_of(hand)) for hand in line["hands"]]
    if split == "test":
        for entry in json.loads(LIST.read_text("utf-8"))["pictures"]:
            boxes = [(_box(hand["bbox_xyxy_px"]), "photograph") for hand in entry["hands"]]
            yield entry["sha256"], photograph(photos, entry), boxes


def label_of(hand: dict[str, Any]) -> str:
    """The label on which both viewers agree; 'unclear' where they do not or there was one."""
    return hand["label"] if hand["label"] == (hand.get("second") or {}).get("label") else "unclear"


def refined(
    key: str, pixels: np.ndarray, labels: Sequence[tuple[Box, str]], seed: int, work: Path, engine: Engine
) -> dict[str, Any]:
    """Refine a picture; what became of its hands, and a pair for each that was replaced."""
    repair = refine_picture(Image(pixels), RefineSettings(seed=seed), engine)
    hands = []
    for hand in repair.hands:
        box = hand.observation.bbox_xyxy_px
        label = max(((box_iou(box, b), name) for b, name in labels), default=(0.0, ""))
        name = label[1] if label[0] >= SAME else "not labelled"
        verdict = (hand.review_before or {}).get("verdict", "")
        hands.append({"label": name, "verdict": verdict, "action": hand.action, "reason": hand.reason})
        if hand.action == "refined":
            number = f"{Path(key).stem[:24]}-{seed}-{hand.id}"
            hands[-1]["pair"] = _pair(number, name, pixels, repair.after.pixels, hand, work)
    return {"key": key, "seed": seed, "labelled": [name for _, name in labels], "hands": hands}


def _pair(
    name: str, label: str, before: np.ndarray, after: np.ndarray, hand: HandRepair, work: Path
) -> dict[str, Any]:
    rows, columns = np.nonzero((before != after).any(-1) & hand.mask.inside)
    points = hand.observation.landmarks_px
    low = np.minimum(points.min(0), [columns.min(), rows.min()])
    high = np.maximum(points.max(0), [columns.max() + 1, rows.max() + 1])
    side = ROOM * float((high - low).max())
    x0, y0 = (max(0, int(v)) for v in (low + high - side) / 2)
    x1, y1 = (int(v) for v in np.minimum((low + high + side) / 2, before.shape[1::-1]))
    line = {"id": name, "group": label, "box": [float(v) for v in (*(low - [x0, y0]), *(high - [x0, y0]))]}
    for which, whole in (("old", before), ("new", after)):
        path = work / f"{name}-{which}.png"
        PILImage.fromarray(whole[y0:y1, x0:x1]).save(path)
        line[which] = str(path.resolve())
    return line


def tables(done: Sequence[dict[str, Any]]) -> str:
    """How many hands were labelled, failed and replaced, by label."""
    lines = ["| hands | labelled | failed in the review | replaced |", "|---|---|---|---|"]
    labelled = Counter(name for one in done for name in one["labelled"])
    failed, replaced = Counter[str](), Counter[str]()
    for one in done:
        failed.update(hand["label"] for hand in one["hands"] if hand["verdict"] == "fail")
        replaced.update(hand["label"] for hand in one["hands"] if hand["action"] == "refined")
    for name in (*sorted(labelled), "not labelled"):
        n = labelled[name]
        lines.append(f"| {name} | {n} | {rate(failed[name], n)} | {rate(replaced[name], n)} |")
    return "\n".join(lines)


def rate(hits: int, n: int) -> str:
    """A count as a share with its interval."""
    if not n:
        return str(hits)
    low, high = wilson(hits, n)
    return f"{hits}: {100 * hits / n:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def scored(key: Path, answers: Sequence[Path]) -> str:
    """Better, equal and worse of the new hand against the old one, by label, and the viewers' agreement."""
    known = json.loads(key.read_text("utf-8"))
    votes, why = defaultdict[str, list[str]](list), Counter[str]()
    for path in answers:
        for text in path.read_text("utf-8").splitlines():
            answer = json.loads(text)
            new = known[answer["n"]]["new"]
            vote = (
                "equal" if answer["better"] == "equal" else "better" if answer["better"] == new else "worse"
            )
            votes[answer["n"]].append(vote)
            why.update(answer.get("why", []) if vote == "worse" else [])
    groups = defaultdict[str, Counter[str]](Counter)
    for number, given in votes.items():
        verdict = given[0] if len(set(given)) == 1 else "split"
        for group in ("all", known[number]["group"]):
            groups[group][verdict] += 1
    names = ("better", "equal", "worse", "split")
    lines = [f"| replaced hands | N | {' | '.join(names)} |", "|---|---|---|---|---|---|"]
    for group, counts in groups.items():
        n = sum(counts.values())
        lines.append(f"| {group} | {n} | {' | '.join(rate(counts[name], n) for name in names)} |")
    both = [given for given in votes.values() if len(given) > 1]
    agree = sum(len(set(given)) == 1 for given in both)
    reasons = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
    return "\n".join(
        [*lines, "", f"Viewers agree on {rate(agree, len(both))}. Worse for: {reasons or 'nothing'}."]
    )


def _box(values: Sequence[float]) -> Box:
    x0, y0, x1, y1 = map(float, values)
    return x0, y0, x1, y1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    photos = os.environ.get("HANDWRIGHT_PHOTOS")
    parser.add_argument("--photos", type=Path, default=photos and Path(photos))
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser.add_argument("--seeds", type=int, default=1, help="how often each picture is refined")
    parser.add_argument("--work", type=Path, default=Path("runs/real_repairs"))
    parser.add_argument("--score", type=Path, nargs="+", metavar="KEY ANSWERS", help="count these answers")
    args = parser.parse_args()
    if args.score:
        print(scored(args.score[0], args.score[1:]))
        return
    if args.photos is None:
        parser.error("--photos or $HANDWRIGHT_PHOTOS: the folder of the photographs")
    args.work.mkdir(parents=True, exist_ok=True)
    store = args.work / "done.jsonl"
    done = [json.loads(text) for text in store.read_text("utf-8").splitlines()] if store.exists() else []
    known = {(one["key"], one["seed"]): one for one in done}
    with open_engine() as engine, store.open("a") as file:
        for key, pixels, labels in pictures(args.photos, args.split):
            for seed in range(args.seeds):
                if (key, seed) in known:
                    continue
                first = known.get((key, 0))
                if first and not any(hand["action"] in ("refined", "kept") for hand in first["hands"]):
                    one = {**first, "seed": seed}  # The seed paints, it does not choose what is attempted
                else:
                    one = refined(key, pixels, labels, seed, args.work, engine)
                known[key, seed] = one
                done.append(one)
                file.write(json.dumps(one) + "\n")
                file.flush()
    pairs = [hand["pair"] for one in done for hand in one["hands"] if "pair" in hand]
    (args.work / "PAIRS.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), "utf-8")
    print(tables(done))


if __name__ == "__main__":
    main()
