"""What refine does to pictures that nobody here made, for ``bench/real.py``.

Pictures of image generators of ``ai_hands`` and, for the split 'test', the checked test-only photographs
(data/hands_200.json) are refined once a seed. For every hand that is replaced the working folder gets both
crops and a pair on sheets whose viewers do not know which is which, and so does the best candidate for every
malformed hand that was refused. Answers are lines
{"n": pair, "better": "left" | "right" | "equal", "why": [...]}, a file a viewer; a pair on which viewers
disagree is 'split'. A second run goes on where the first was stopped. Intervals: Wilson, 95 %.
"""

from __future__ import annotations

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
from handwright.data.labelled_pictures import box_of, label_of, labelled_pictures, read_pixels
from handwright.image import with_patch
from handwright.metrics.estimate import wilson
from handwright.perception.detect.views import box_iou
from handwright.refine.pipeline import Engine, open_engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.types import Box, Image
from sheets import hand_crop, save_pages

ROOM = 2.4  # Side of a crop in sizes of what it must show
SAME = 0.3  # Overlap of a hand's box with a labelled one from which on they are the same


def pictures(photos: Path, split: str) -> Iterator[tuple[str, np.ndarray, list[tuple[Box, str]]]]:
    """Key, pixels and labelled hands of every picture: box and 'good', 'malformed' or 'unclear'."""
    folder = photos / "ai_hands"
    for line in labelled_pictures(folder, split):
        labels = [(box_of(hand["box"]), label_of(hand)) for hand in line["hands"]]
        yield line["file"], read_pixels(folder, line), labels
    if split == "test":
        for entry in json.loads(LIST.read_text("utf-8"))["pictures"]:
            boxes = [(box_of(hand["bbox_xyxy_px"]), "photograph") for hand in entry["hands"]]
            yield entry["sha256"], photograph(photos, entry), boxes


def refined(
    key: str,
    pixels: np.ndarray,
    labels: Sequence[tuple[Box, str]],
    settings: RefineSettings,
    work: Path,
    engine: Engine,
) -> dict[str, Any]:
    """Refine a picture; what became of its hands, and a pair for each that was replaced."""
    repair, seed = refine_picture(Image(pixels), settings, engine), settings.seed
    hands = []
    for hand in repair.hands:
        box = hand.observation.bbox_xyxy_px
        label = max(((box_iou(box, b), name) for b, name in labels), default=(0.0, ""))
        name = label[1] if label[0] >= SAME else "not labelled"
        verdict = (hand.review_before or {}).get("verdict", "")
        hands.append({"label": name, "verdict": verdict, "action": hand.action, "reason": hand.reason})
        number = f"{Path(key).stem[:24]}-{seed}-{hand.id}"
        points = hand.observation.landmarks_px
        if hand.action == "refined":
            changed = (pixels != repair.after.pixels).any(-1) & hand.mask.inside
            hands[-1]["pair"] = _pair(number, name, pixels, repair.after.pixels, changed, points, work)
        elif name == "malformed" and hand.best_rejected is not None:
            after = with_patch(Image(pixels), hand.candidates[hand.best_rejected]).pixels
            changed = (pixels != after).any(-1)
            if changed.any():
                hands[-1]["refused"] = _pair(number, "refused", pixels, after, changed, points, work)
    return {"key": key, "seed": seed, "labelled": [name for _, name in labels], "hands": hands}


def _pair(
    name: str,
    label: str,
    before: np.ndarray,
    after: np.ndarray,
    changed: np.ndarray,
    points: np.ndarray,
    work: Path,
) -> dict[str, Any]:
    """Save what was changed in both versions, with the hand's landmarks in view."""
    rows, columns = np.nonzero(changed)
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
    lines = [f"| new against old | N | {' | '.join(names)} |", "|---|---|---|---|---|---|"]
    for group, counts in groups.items():
        n = sum(counts.values())
        lines.append(f"| {group} | {n} | {' | '.join(rate(counts[name], n) for name in names)} |")
    both = [given for given in votes.values() if len(given) > 1]
    agree = sum(len(set(given)) == 1 for given in both)
    reasons = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
    return "\n".join(
        [*lines, "", f"Viewers agree on {rate(agree, len(both))}. Worse for: {reasons or 'nothing'}."]
    )


def save_sheets(pairs: Sequence[dict[str, Any]], work: Path) -> Path:
    """Write WORK/sheet_00.png … with every pair, in random order and sides; return the key's path."""
    rng, key, groups = np.random.default_rng(0), dict[str, dict[str, str]](), []
    for k, index in enumerate(rng.permutation(len(pairs)).tolist()):
        pair, name, new = pairs[index], f"p{k:03d}", str(rng.choice(["left", "right"]))
        crops = {which: np.asarray(PILImage.open(pair[which]).convert("RGB")) for which in ("old", "new")}
        sides = ("new", "old") if new == "left" else ("old", "new")
        groups.append((name, [hand_crop(crops[which], box_of(pair["box"])) for which in sides]))
        key[name] = {"id": pair["id"], "group": pair["group"], "new": new}
    save_pages(work / "sheet.png", groups)
    path = work / "key.json"
    path.write_text(json.dumps(key), "utf-8")
    return path


def repairs_page(
    photos: Path, split: str, work: Path, seeds: int, *, every: bool, answers: Sequence[Path]
) -> str:
    """Refine what WORK does not hold yet; tables of what was replaced and, of given answers, how it looks.

    With ``every``, as ``refine --all`` does, and only pictures in which a hand is labelled malformed.
    """
    work.mkdir(parents=True, exist_ok=True)
    store = work / "done.jsonl"
    done = [json.loads(text) for text in store.read_text("utf-8").splitlines()] if store.exists() else []
    known = {(one["key"], one["seed"]): one for one in done}
    with open_engine() as engine, store.open("a") as file:
        for key, pixels, labels in pictures(photos, split):
            if every and "malformed" not in (name for _, name in labels):
                continue
            for seed in range(seeds):
                if (key, seed) in known:
                    continue
                first = known.get((key, 0))
                if first and not any(hand["action"] in ("refined", "kept") for hand in first["hands"]):
                    one = {**first, "seed": seed}  # The seed paints, it does not choose what is attempted
                else:
                    settings = RefineSettings(seed=seed, all_hands=every)
                    one = refined(key, pixels, labels, settings, work, engine)
                known[key, seed] = one
                done.append(one)
                file.write(json.dumps(one) + "\n")
                file.flush()
    pairs = [
        hand[kind] for one in done for hand in one["hands"] for kind in ("pair", "refused") if kind in hand
    ]
    key_file = save_sheets(pairs, work)
    attempted = "every hand attempted" if every else "defaults"
    text = f"## What refine replaces\n\n{attempted}; seeds 0 … {seeds - 1}.\n\n{tables(done)}\n"
    if not answers:
        return text
    blind = "Judged blind; 'refused' is the best candidate of each malformed hand that stays as it was."
    return f"{text}\n{blind}\n\n{scored(key_file, answers)}\n"
