"""Latents and captions of shards, encoded once: what text-to-image models learn from.

A folder of latents is complete in itself: ``vae/`` (the autoencoder that made them), ``tokenizer/`` (learnt
from the captions of the first lot) and, for each kind, pairs of files named after a shard: ``NAME.npy`` and
``NAME.json``. More shards can be added at any time; what is there is kept.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from handwright.data.shards import Entry, read_shards
from handwright.diffusion.latents import encode, picture_tensor
from handwright.diffusion.loading.components import load_tokenizer
from handwright.diffusion.loading.devices import choose_device
from handwright.diffusion.loading.zoo import load_vae
from handwright.errors import UsageError
from handwright.image import write_atomically
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.streams.crop_batches import other_side
from handwright.training.streams.crops import crops_of
from handwright.training.streams.picture_shards import held_out, none_held_out, resized

SHARES: Mapping[str, float] = {"hands": 0.35, "people": 0.5, "photographs": 0.15}
"""How often each kind is drawn, relative to the others; chosen by eye."""

VOCABULARY = 2560  # Tokens, so that nearly every word of the caption grammar is one token

TEXT_LENGTH = 128
"""Tokens that are read: CLIP's 77 would cut every fourth caption of a person, whose longest has 120 words."""

_LOT = 32  # Pictures encoded in one forward pass

_SIDES = {0: "left", 1: "right"}


def encode_shards(
    shards: Path,
    output: Path,
    vae: Path,
    resolution: int,
    *,
    device: str = "auto",
    workers: int = 1,
    shares: Mapping[str, float] = SHARES,
) -> int:
    """Encode every shard below ``shards`` that is not encoded yet, as it is and mirrored.

    Args:
        shards: Folder with a folder of shards for each kind.
        output: Folder of latents, made or added to.
        vae: Folder of the autoencoder; where ``output`` has one already, that is used.
        resolution: Side in px of what is encoded: whole rendered pictures, and crops around the hands of
            photographs.
        device: Where to encode: auto, cpu, cuda or mps.
        workers: Processes that read shards.
        shares: Whose keys are the kinds.

    Returns:
        Number of shards that were encoded.

    Raises:
        UsageError: There are no shards, or ``output`` holds latents of another resolution.
        DataError: A shard is damaged.
    """
    found = [(kind, path) for kind in shares for path in sorted((shards / kind).glob("*.tar"))]
    if not found:
        raise UsageError(f"{shards} holds no shards of {', '.join(shares)}", "", "make some first")
    _check_resolution(output, resolution)
    kept = output / "vae"
    if not kept.is_dir():
        load_vae(vae, torch.float32).save_pretrained(kept)
    place = choose_device(device)
    codec = load_vae(kept, torch.float16 if place.type == "cuda" else torch.float32).to(place)
    new = [(kind, path) for kind, path in found if not (output / kind / f"{path.stem}.json").exists()]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for start in range(0, len(new), workers):  # so few shards are in memory at a time
            lots = new[start : start + workers]
            tasks = [(path, resolution) for _, path in lots]
            read = map(_read, tasks) if workers == 1 else pool.map(_read, tasks)
            for (kind, path), lot in zip(lots, read, strict=True):
                _encode(lot, output / kind / path.stem, codec)
    if not (output / "tokenizer").is_dir():
        learn_tokenizer(_all_captions(output), VOCABULARY, TEXT_LENGTH).save_pretrained(output / "tokenizer")
    return len(new)


def _check_resolution(output: Path, resolution: int) -> None:
    note = output / "latents.json"
    if note.exists():
        there = json.loads(note.read_text("utf-8"))["resolution"]
        if there != resolution:
            raise UsageError(
                f"{output} holds latents of {there} px", f"not {resolution}", "give another folder"
            )
    text = json.dumps({"resolution": resolution}).encode()
    note.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(note, lambda file: file.write(text))


def _read(task: tuple[Path, int]) -> tuple[UInt8[np.ndarray, "n r r 3"], list[dict[str, Any]]]:
    """What is learnt from a shard at a resolution: pictures, and their captions."""
    path, resolution = task
    pictures: list[np.ndarray] = []
    rows: list[dict[str, Any]] = []
    for entry in read_shards([path]):
        kept = held_out(f"{path.name}/{entry.key}")
        for pixels, captions in _views(entry, resolution):
            pictures.append(pixels)
            rows.append({"held_out": kept, "captions": captions})
    blank = np.zeros((0, resolution, resolution, 3), np.uint8)
    return np.stack(pictures) if pictures else blank, rows


def _encode(lot: tuple[UInt8[np.ndarray, "n r r 3"], list[dict[str, Any]]], target: Path, vae: Any) -> None:  # noqa: ANN401
    """Write ``target.npy``, float16 [N, 2, C, h, w] (as it is, mirrored), and then its captions."""
    pictures, rows = lot
    lots = [_latents(pictures[k : k + _LOT], vae) for k in range(0, len(pictures), _LOT)]
    latents = np.concatenate(lots) if lots else np.zeros((0, 2, 1, 1, 1), np.float16)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target.with_suffix(".npy"), lambda file: np.save(file, latents))
    text = json.dumps(rows).encode()
    write_atomically(target.with_suffix(".json"), lambda file: file.write(text))


def _views(entry: Entry, resolution: int) -> Iterator[tuple[UInt8[np.ndarray, "r r 3"], list[str]]]:
    """What is learnt from one sample: the whole render, or a crop around each hand of a photograph."""
    record = entry.record
    if record["domain"] != "photograph":
        captions = record.get("captions") or {"natural": record["caption"]}
        yield resized(entry.pictures["image"], resolution), list(dict.fromkeys(captions.values()))
        return
    captioned = replace(entry, record={**record, "caption": "a photograph of a hand"})
    crops = crops_of(captioned, resolution)
    for pixels, side in zip(crops.pixels, crops.side, strict=True):
        yield (
            pixels,
            [f"a photograph of a {_SIDES[int(side)]} hand" if side >= 0 else "a photograph of a hand"],
        )


def _latents(pictures: UInt8[np.ndarray, "n r r 3"], vae: Any) -> np.ndarray:  # noqa: ANN401
    both = [picture_tensor(np.ascontiguousarray(p)) for p in (pictures, pictures[:, :, ::-1])]
    with torch.no_grad():
        return np.stack([encode(vae, p.to(vae.device)).cpu().numpy().astype(np.float16) for p in both], 1)


def _all_captions(folder: Path) -> list[str]:
    """Every wording, and those of mirrored pictures."""
    rows = [row for path in sorted(folder.glob("*/*.json")) for row in _rows(path)]
    plain = [caption for row in rows for caption in row["captions"]]
    return plain + [other_side(caption) for caption in plain]


def _rows(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text("utf-8"))
    return found if isinstance(found, list) else []


@dataclass(frozen=True, eq=False)
class LatentSamples:
    """Latents with a caption each."""

    latents: Float[np.ndarray, "n c h w"]  # float32 [N, C, h, w], scaled as UNets read them
    captions: list[str]  # One wording each


class LatentStream:
    """Draws latents with captions; everything random comes from the generator given.

    Args:
        folder: That ``encode_shards`` filled.
        tokenizer: Folder of the one that a trained model reads with; None: the folder's own.
        shares: How often each kind is drawn; kinds that are not there are left out.

    Raises:
        UsageError: It holds none of them, or none is held out.
    """

    def __init__(
        self, folder: Path, tokenizer: Path | None = None, shares: Mapping[str, float] = SHARES
    ) -> None:
        lots = {kind: _Lots(folder / kind) for kind in shares}
        self.lots = {kind: lot for kind, lot in lots.items() if len(lot.training)}
        if not self.lots:
            raise UsageError(f"{folder} holds no latents", "", "make them with scripts/encode_latents.py")
        if not any(lot.held_out for lot in self.lots.values()):
            raise UsageError(*none_held_out(folder))
        self.resolution = int(json.loads((folder / "latents.json").read_text("utf-8"))["resolution"])
        self.vae = load_vae(folder / "vae", torch.float32)
        self.tokenizer = load_tokenizer(tokenizer or folder / "tokenizer")
        self.kinds = tuple(self.lots)
        weights = np.array([shares[kind] for kind in self.kinds])
        self.weights = weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> LatentSamples:
        """``count`` training samples, half of them mirrored, in one of their wordings."""
        found: list[tuple[np.ndarray, str]] = []
        for _ in range(count):
            lots = self.lots[self.kinds[int(rng.choice(len(self.kinds), p=self.weights))]]
            row = lots.training[int(rng.integers(len(lots.training)))]
            mirrored, wording = bool(rng.random() < 0.5), float(rng.random())
            found.append(lots.sample(row, mirrored, wording))
        return LatentSamples(np.stack([latents for latents, _ in found]), [text for _, text in found])

    def held_out(self, each: int) -> LatentSamples:
        """The first ``each`` held-out samples of every kind, in their first wording."""
        found = [lot.sample(row, False, 0.0) for lot in self.lots.values() for row in lot.held_out[:each]]
        return LatentSamples(np.stack([latents for latents, _ in found]), [text for _, text in found])


class _Lots:
    """The latents of one kind, mapped from disk."""

    def __init__(self, folder: Path) -> None:
        paths = [path for path in sorted(folder.glob("*.json")) if path.with_suffix(".npy").exists()]
        self.arrays = [np.load(path.with_suffix(".npy"), mmap_mode="r") for path in paths]
        rows = [(lot, k, row) for lot, path in enumerate(paths) for k, row in enumerate(_rows(path))]
        self.training = [(lot, k, row["captions"]) for lot, k, row in rows if not row["held_out"]]
        self.held_out = [(lot, k, row["captions"]) for lot, k, row in rows if row["held_out"]]

    def sample(
        self, row: tuple[int, int, list[str]], mirrored: bool, wording: float
    ) -> tuple[Float[np.ndarray, "c h w"], str]:
        """Latents, and the caption at ``wording`` (0 … 1) of the list of wordings."""
        lot, k, captions = row
        caption = captions[int(wording * len(captions))]
        latents = np.asarray(self.arrays[lot][k, int(mirrored)], np.float32)
        return latents, other_side(caption) if mirrored else caption
