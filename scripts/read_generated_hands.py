"""Labelled pictures of image generators from a manifest: scripts/read_generated_hands.py CSV CLONES -o DIR.

CSV is one of docs/research/generated_hands*.csv: a line a hand, with the repository, commit and path of its
picture, the part of the picture that was taken ('panel', x0 y0 x1 y1 in its own pixels), the hand's box in
that part once it was made 1,280 px large if it was larger, and two labels. CLONES holds a git directory or
clone of each repository, named owner+name. DIR gets pictures/ and hands.jsonl, the layout of the folder
ai_hands that scripts/fit_appearance.py and scripts/make_generated_scenes.py read; what no clone has is
counted and left out. A path may end in '#81', a frame of an animation, or '#cell7.1', a notebook output.
"""

from __future__ import annotations

import argparse
import base64
import csv
import io
import json
import re
import subprocess
from pathlib import Path

from PIL import Image as PILImage

LARGEST_PX, QUALITY = 1280, 92
PARTS = re.compile(r"(?P<file>.*)#(?P<frame>\d+)|(?P<book>.*)#cell(?P<cell>\d+)\.(?P<output>\d+)")


def blob(clones, repository, commit, path):
    """The bytes of a file at its commit, else of the newest version that the clone holds; None: of none."""
    folder = clones / repository.replace("/", "+")
    for place in (folder, folder / ".git", *sorted(folder.glob("*"))) if folder.is_dir() else ():
        for revision in (commit, "HEAD"):
            command = ["git", "--git-dir", str(place), "cat-file", "blob", f"{revision}:{path}"]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode == 0:
                return done.stdout
    return None


def picture_of(clones, row):
    """The part of a picture that a line of the manifest names; None where no clone holds it."""
    named = PARTS.fullmatch(row["path"])
    path = row["path"] if named is None else named["file"] or named["book"]
    data = blob(clones, row["repository"], row["commit"], path)
    if data is None:
        return None
    if named is not None and named["cell"]:
        shown = json.loads(data)["cells"][int(named["cell"])]["outputs"][int(named["output"])]["data"]
        (coded,) = (text for kind, text in shown.items() if kind.startswith("image/"))
        data = base64.b64decode("".join(coded))
    picture = PILImage.open(io.BytesIO(data))
    if named is not None and named["frame"]:
        picture.seek(int(named["frame"]))
    picture = picture.convert("RGB")
    if row["panel"]:
        picture = picture.crop([round(float(value)) for value in re.findall(r"[\d.]+", row["panel"])])
    scale = min(1.0, LARGEST_PX / max(picture.size))
    size = [round(side * scale) for side in picture.size]
    return picture if scale == 1 else picture.resize(size, PILImage.Resampling.LANCZOS)


def hand_of(row):
    """A hand as ai_hands has it."""
    kinds = [kind.strip().replace(" ", "_") for kind in re.split(r"[;+]", row["kinds"]) if kind.strip()]
    return {
        "box": [float(value) for value in row["box"].split()],
        "label": row["first"],
        "kinds": kinds,
        "second": {"label": row["second"]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("clones", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    (args.output / "pictures").mkdir(parents=True, exist_ok=True)
    lots, lines, missing = {}, [], 0
    for row in csv.DictReader(args.manifest.read_text("utf-8").splitlines()):
        lots.setdefault((row["repository"], row["path"], row["panel"]), []).append(row)
    for number, rows in enumerate(lots.values()):
        picture, first = picture_of(args.clones, rows[0]), rows[0]
        if picture is None:
            missing += len(rows)
            continue
        file = f"pictures/{number:04d}.jpg"
        picture.save(args.output / file, quality=QUALITY, subsampling=0)
        line = {"file": file, "split": "train", "repo": first["repository"], "origin": "ai"}
        line |= {name: first[name] for name in ("commit", "path", "panel", "licence", "generator")}
        line |= {"group": f"{first['repository']}:{first['path']}", "size_px": list(picture.size)}
        lines.append(line | {"hands": [hand_of(row) for row in rows]})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (args.output / "hands.jsonl").write_text(text, "utf-8")
    print(
        f"{len(lines)} pictures, {sum(len(line['hands']) for line in lines)} hands; {missing} hands missing"
    )


if __name__ == "__main__":
    main()
