"""Hostile texts in pictures and hostile JSON, manifests and shards: the other half of ``hostile.py``."""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from hostile import (
    Hostile,
    Rng,
    chunk,
    damaged,
    encoded,
    flipped,
    heavy,
    lying,
    odd,
    polyglots,
    text_chunk,
    with_chunks,
)

_DEEP = "[" * 100_000 + "]" * 100_000
_TEXTS = (
    _DEEP, '{"a":' * 50_000 + "1" + "}" * 50_000, "NaN", "1e999", "null", "[]", "{}", '"', "{", "\ufeff{}", "9" * 5000,
    '{"settings": null}', '{"1": {"inputs": null, "class_type": 5}}', '{"nodes": [{"id": {}, "widgets_values": 3}]}',
    '{"prompt": "' + "x" * 100_000 + '"}', '{"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0]}}}',
)  # fmt: skip


def hostile_texts(rng: Rng) -> Iterator[Hostile]:
    """Texts in pictures: what generators and handwright itself write there."""
    png = encoded(rng, "PNG")
    for key in ("parameters", "prompt", "workflow", "invokeai_metadata", "handwright"):
        for k, text in enumerate(_TEXTS):
            data = with_chunks(png, text_chunk(key, text.encode("latin-1", "replace")))
            use = "again" if key == "handwright" else "picture"
            yield Hostile("hostile text", f"{key}_{k}.png", data, use)
    for k, extra in enumerate((b"", rng.bytes(50), rng.bytes(5000), zlib.compress(bytes(100_000_000), 9))):
        provenance = text_chunk("handwright", b'{"settings": {"painter": "draw"}, "hands": []}')
        data = with_chunks(png, provenance, chunk(b"haWr", extra))
        yield Hostile("hostile text", f"original_{k}.png", data, "again")


_VALUES = (
    *(None, True, -1, 0, 1e308, 10**30, "", "x", [], {}, [[]], [None]),
    *(float("nan"), float("inf"), "\ud800"),
)


def changed(value: Any, rng: Rng) -> Any:
    """A JSON value with one part of it replaced, removed, doubled or wrapped."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.85:
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        places = list(copy) if isinstance(copy, dict) else range(len(copy))
        place = places[int(rng.integers(len(places)))]
        if rng.random() < 0.15:
            del copy[place]
        else:
            copy[place] = changed(copy[place], rng)
        return copy
    if rng.random() < 0.2:
        return [value]
    return _VALUES[int(rng.integers(len(_VALUES)))]


def jsons(rng: Rng, sound: dict[str, dict[str, Any]], rounds: int) -> Iterator[Hostile]:
    """Hands files, poses and parameters, changed in every way; ``sound`` holds one of each kind by its use."""
    for use, value in sound.items():
        kind = use.partition(" ")[0]
        text = json.dumps(value)
        for k in range(rounds):
            data = json.dumps(changed(value, rng)).encode()
            yield Hostile("changed JSON", f"{use.replace(' ', '_')}_{k}.json", data, kind)
        for k, data in enumerate((
            text[: len(text) // 2].encode(), flipped(text.encode(), rng, 5), text.encode("utf-16"), b"\xff\xfe" + text.encode(),
            b"", *(one.encode() for one in _TEXTS),
        )):  # fmt: skip
            yield Hostile("broken JSON", f"{use.replace(' ', '_')}_{k}.json", data, kind)


_HEAD = {"box": [3, 4, 40, 30], "dtype": "|u1", "channels": 3}
_HEADS = (
    *(
        {"box": box}
        for box in (
            [0, 0, 72, 56],
            [40, 30, 3, 4],
            [0, 0, 10**6, 10**6],
            [-9, -9, 9, 9],
            [0, 0, 1e9, 2],
            [0, 0],
        )
    ),
    *({"dtype": name} for name in ("|O", "<U9", "<f8", "evil", "|V0", None, "<M8[s]", "u1,u1")),
    *({"channels": count} for count in (0, -1, 10**9, "3", None, 1.5)),
)


def provenances(rng: Rng, entry: dict[str, Any], rounds: int) -> Iterator[Hostile]:
    """Pictures that hold the settings and the original as a refined one does, with a part of either changed."""
    png, packed = encoded(rng, "PNG"), zlib.compress(bytes(37 * 26 * 3))
    whole = json.dumps(_HEAD).encode() + b"\n" + packed

    def refined(settings: dict[str, Any], original: bytes) -> bytes:
        text = json.dumps(settings).encode("ascii", "replace")
        return with_chunks(png, text_chunk("handwright", text), chunk(b"haWr", original))

    yield Hostile("hostile settings", "sound.png", refined(entry, whole), "again")
    for k in range(rounds):
        yield Hostile("hostile settings", f"settings_{k}.png", refined(changed(entry, rng), whole), "again")
    for k, head in enumerate(_HEADS):
        original = json.dumps({**_HEAD, **head}).encode() + b"\n" + packed
        yield Hostile("hostile settings", f"head_{k}.png", refined(entry, original), "again")
    bomb = json.dumps(_HEAD).encode() + b"\n" + zlib.compress(bytes(600_000_000), 9)
    yield Hostile("hostile settings", "bomb.png", refined(entry, bomb), "again")
    text = json.dumps(entry).encode()
    for k, (size, data) in enumerate(((len(png), png), (5, png), (10**30, png), (3, b"abc"), (0, b""))):
        original = json.dumps({"file": size}).encode() + b"\n" + text + b"\n" + data
        yield Hostile("hostile settings", f"file_{k}.png", refined(entry, original), "again")


def sources(rng: Rng) -> Iterator[Hostile]:
    """Manifests and shards of a batch: names that lead out of the folder, broken and cut ones, others' kinds."""
    names = ("../../evil.png", "/evil.png", "a/../../evil.png", "..", "a\\..\\evil.png", "x" * 300 + ".png", ".png", "nul\0.png",
             "a.png/b.png", "a\nb.png", "con.png")  # fmt: skip
    for k, name in enumerate(names):
        data = f'path,name\nnone.png,"{name}"\n'.encode()
        yield Hostile("manifest or shard", f"name_{k}.csv", data, "sources")
        yield Hostile("manifest or shard", f"path_{k}.csv", f'path\n"{name}"\n'.encode(), "sources")
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as tar:
            member = tarfile.TarInfo(name)
            member.size = 9
            tar.addfile(member, io.BytesIO(b"123456789"))
        yield Hostile("manifest or shard", f"name_{k}.tar", file.getvalue(), "sources")
    sound = file.getvalue()
    linked = io.BytesIO()
    with tarfile.open(fileobj=linked, mode="w") as tar:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    broken = {
        "cut.tar": sound[:700], "bits.tar": flipped(sound[:1024], rng, 20) + sound[1024:], "noise.tar": rng.bytes(5000), "link.tar": linked.getvalue(),
        "noise.csv": rng.bytes(5000), "utf16.csv": "path\na.png\n".encode("utf-16"), "zeros.csv": bytes(3000), "empty.csv": b"", "none.csv": b"name\na.png\n",
        "long.csv": b"path\n" + b"x" * 2_000_000 + b"\n", "quote.csv": b'path\n"a.png\n', "more.csv": b"path\na.png,b,c,d\n", "scheme.csv": b"path\nno-such://a.png\n",
        "noise.parquet": rng.bytes(5000), "empty.parquet": b"", "cut.parquet": b"PAR1" + rng.bytes(200) + b"PAR1", "twice.csv": b"path,name\na.png,c.png\nb.png,c.png\n",
    }  # fmt: skip
    for name, data in broken.items():
        yield Hostile("manifest or shard", name, data, "sources")


def corpus(seed: int, sound: dict[str, dict[str, Any]], rounds: int = 3) -> list[Hostile]:
    """All of it, the same for the same seed."""
    rng = np.random.default_rng(seed)
    parts = (
        damaged(rng, rounds),
        lying(rng),
        heavy(rng),
        polyglots(rng),
        odd(rng),
        hostile_texts(rng),
        provenances(rng, sound.pop("again"), 12 * rounds),
        sources(rng),
    )
    return [*(one for part in parts for one in part), *jsons(rng, sound, 12 * rounds)]
