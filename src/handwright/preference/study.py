"""A blind study: pairs of pictures in random order and on random sides, as one folder that opens offline."""

import hashlib
import io
import itertools
import json
import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PILImage

from handwright.errors import OutputError, UsageError
from handwright.image import load_image
from handwright.image.atomic_write import write_atomically
from handwright.types import Image

VERSION = 1
QUESTIONS: Mapping[str, str] = {
    "plausibility": "Which picture has the more plausible hands?",
    "relevance": "Which picture fits the text better?",
}
"""Questions by name; the first is that of HandRefiner's study (Fig. 8), with its 'neither' answer."""

_BLOCKS = 8  # An attention check's ruined side is cut into so many rows and columns, which are shuffled
_MOST_SIDE_PX = 1024  # Larger pictures are scaled down to this length, so that a page opens quickly
_HERE = Path(__file__)


def make_study(
    systems: Mapping[str, Mapping[str, Path]],
    output: str | Path,
    *,
    questions: Sequence[str] = ("plausibility",),
    prompts: Mapping[str, str] | None = None,
    checks: int = 3,
    trials_per_rater: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Write ``page/`` for raters and ``key.json`` for whoever scores; raters must not see the key.

    Every two systems are compared on every picture that all of them have. Which of two pictures is ``a`` is
    drawn by ``seed``; the order of trials and the sides on which a rater sees them by the rater's own name.

    Args:
        systems: Files by picture name, for each system by its name; two systems at least.
        output: Folder to create; it must not exist, or be empty.
        questions: Names of ``QUESTIONS``; 'relevance' needs prompts.
        prompts: Text of each picture by its name.
        checks: Attention checks: pairs of a picture and the same picture with its blocks shuffled.
        trials_per_rater: Trials that one rater sees, besides the checks; 0 shows all.
        seed: Of sides, file names and checks.

    Returns:
        The key, as written.

    Raises:
        UsageError: There are too few systems, no picture that all have, or an unknown question.
        OutputError: The folder is not empty, or cannot be written.
        UnreadableImageError: A file is no picture.
    """
    names = _shared_names(systems)
    _check_questions(questions, names, prompts)
    if checks < 0 or trials_per_rater < 0:
        raise UsageError("numbers of trials and checks are not negative", f"{trials_per_rater}, {checks}")
    with _whole_folder(Path(output)) as folder:
        return _write_study(systems, folder, names, questions, prompts or {}, checks, trials_per_rater, seed)


def _write_study(
    systems: Mapping[str, Mapping[str, Path]],
    folder: Path,
    names: Sequence[str],
    questions: Sequence[str],
    prompts: Mapping[str, str],
    checks: int,
    trials_per_rater: int,
    seed: int,
) -> dict[str, Any]:
    """Write page and key into an empty folder and return the key."""
    rng = np.random.default_rng(seed)
    writer = _PictureWriter(folder / "page", rng, 2 * checks + len(names) * len(systems))
    files = {
        (system, name): writer.write(_as_shown(load_image(by_name[name])))
        for system, by_name in systems.items()
        for name in names
    }
    trials, shown = [], []
    for name, pair in itertools.product(names, itertools.combinations(systems, 2)):
        a, b = rng.permutation(pair).tolist()
        trial = {"id": f"t{len(trials)}", "picture": name, "a": a, "b": b}
        trials.append(trial)
        shown.append(_shown(trial["id"], files[a, name], files[b, name], prompts.get(name, "")))
    attention = []
    for k in range(checks):
        name, system = str(rng.choice(names)), str(rng.choice(list(systems)))
        picture = _as_shown(load_image(systems[system][name]))
        sides = [writer.write(picture), writer.write(_ruined(picture, rng))]
        intact = int(rng.integers(2))
        attention.append({"id": f"c{k}", "intact": "ab"[intact]})
        a, b = sides if intact == 0 else sides[::-1]
        shown.append(_shown(f"c{k}", a, b, prompts.get(name, "")))
    key: dict[str, Any] = {
        "version": VERSION,
        "systems": list(systems),
        "questions": list(questions),
        "trials": trials,
        "checks": attention,
        "trials_per_rater": trials_per_rater,
        "seed": seed,
    }
    key["study"] = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    page = {
        "study": key["study"],
        "questions": {name: QUESTIONS[name] for name in questions},
        "trials_per_rater": trials_per_rater,
        "trials": shown,
    }
    _write_text(folder / "page" / "index.html", _page(page))
    _write_text(folder / "key.json", json.dumps(key, indent=1, ensure_ascii=False) + "\n")
    return key


def _shared_names(systems: Mapping[str, Mapping[str, Path]]) -> list[str]:
    if len(systems) < 2:
        raise UsageError("a preference study compares at least two folders", f"there is {len(systems)}")
    if "neither" in systems:
        raise UsageError("a system cannot be named 'neither'", "that is an answer", "name it otherwise")
    names = sorted(set.intersection(*(set(by_name) for by_name in systems.values())))
    if not names:
        raise UsageError(
            "the folders have no picture in common",
            "pictures are paired by their names without suffix",
            "give each system's picture of one prompt the same name",
        )
    return names


def _check_questions(
    questions: Sequence[str], names: Sequence[str], prompts: Mapping[str, str] | None
) -> None:
    unknown = [name for name in questions if name not in QUESTIONS]
    if unknown or not questions:
        why = f"{unknown[0]!r} is none" if unknown else "none was named"
        raise UsageError("a study asks known questions", why, f"choose from {', '.join(QUESTIONS)}")
    if "relevance" in questions:
        missing = [name for name in names if not (prompts or {}).get(name)]
        if missing:
            why = f"{len(missing)} of {len(names)} pictures have none, {missing[0]!r} first"
            raise UsageError("the question of relevance needs the text of every picture", why, "give prompts")


@contextmanager
def _whole_folder(folder: Path) -> Generator[Path]:
    """A hidden sibling to write into, which becomes the folder when all is written, and else is removed."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"will not write {folder}", "it exists already", "name a new or empty folder")
    part = folder.with_name(f".{folder.name}.{os.urandom(6).hex()}.part")
    try:
        (part / "page" / "pictures").mkdir(parents=True)
        yield part
        if folder.exists():
            folder.rmdir()
        part.replace(folder)
    except OSError as error:
        raise OutputError(f"cannot write {folder}", error.strerror or "", "name another folder") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


class _PictureWriter:
    """Writes pictures without metadata under numbers that tell nothing of their systems."""

    def __init__(self, page: Path, rng: np.random.Generator, most: int) -> None:
        self._page, self._numbers = page, iter(rng.permutation(most).tolist())

    def write(self, pixels: UInt8[np.ndarray, "h w 3"]) -> str:
        """The written file's place below the page."""
        place = f"pictures/{next(self._numbers):05}.webp"
        data = io.BytesIO()
        PILImage.fromarray(pixels).save(data, "WEBP", lossless=True)
        write_atomically(self._page / place, lambda file: file.write(data.getvalue()))
        return place


def _as_shown(image: Image) -> UInt8[np.ndarray, "h w 3"]:
    """The picture in sRGB, scaled down where it is very large."""
    picture = PILImage.fromarray(image.pixels)
    picture.thumbnail((_MOST_SIDE_PX, _MOST_SIDE_PX), PILImage.Resampling.LANCZOS)
    return np.asarray(picture)


def _ruined(pixels: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with its blocks shuffled: whoever looks at it sees at once which side is intact."""
    h, w = (max(side // _BLOCKS, 1) for side in pixels.shape[:2])
    corners = [(y * h, x * w) for y in range(_BLOCKS) for x in range(_BLOCKS)]
    out = pixels.copy()
    for (y, x), k in zip(corners, np.roll(rng.permutation(len(corners)), 1), strict=True):
        v, u = corners[k]
        block = pixels[v : v + h, u : u + w]
        out[y : y + block.shape[0], x : x + block.shape[1]] = block[: out.shape[0] - y, : out.shape[1] - x]
    return out


def _shown(trial: str, a: str, b: str, prompt: str) -> dict[str, str]:
    return {"id": trial, "a": a, "b": b, "prompt": prompt}


def _page(study: Mapping[str, Any]) -> str:
    """The page with the study inside it, safe against text that closes a script."""
    data = json.dumps(study, ensure_ascii=False).replace("<", "\\u003c")
    script = _HERE.with_name("page.js").read_text("utf-8")
    style = _HERE.with_name("page.css").read_text("utf-8")
    body = _HERE.with_name("page.html").read_text("utf-8")
    fields = {"title": escape("Which picture?"), "style": style, "study": data, "script": script}
    for name, text in fields.items():
        body = body.replace(f"<!--{name}-->", text)
    return body


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))
