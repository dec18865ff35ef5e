"""Which weights a run paints and judges with: their names, and the sha256 of their files."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from handwright.handrefiner.network_loader import check_installed
from handwright.workflow.files import fingerprint, sha256_of_file

NETWORKS = (
    "vae", "text_encoder", "text_encoder_2", "text_encoder_3", "unet", "transformer", "controlnet",
    "text_hand_encoder",
)  # fmt: skip
"""Folders of a pipeline that hold weights."""

_NOTES, _INDEX = "handwright.json", "model_index.json"
_KINDS = ("*.safetensors", _NOTES)
_SETTINGS = (_INDEX, "scheduler/scheduler_config.json")
"""What a pipeline recommends, and its noise levels: they decide what is painted, too."""

JUDGING = ("critic/critic.onnx", "critic/calibration.json", "proposals/proposals.onnx")
"""What the judge is made of, below the folder of packaged weights."""

_PACKAGED = Path(__file__).parents[1] / "weights"


def judge_digests() -> dict[str, str]:
    """Sha256 of the files that the packaged judge consists of, by their place; of those that are there."""
    return {name: _sha256(_PACKAGED / name) for name in JUDGING if (_PACKAGED / name).is_file()}


def weights_entries(model: str, controlnet: str | None) -> dict[str, Any]:
    """``model`` and ``controlnet`` as the report holds them; torch is not imported.

    Returns:
        ``{"model": {"name", "sha256": {file: hex}}, "controlnet": the like or None}``.

    Raises:
        DiffusionError: The libraries or the model are not there.
    """
    check_installed()
    from handwright.diffusion.loading.places import controlnet_place, model_place

    networks = [name for name in NETWORKS if controlnet is None or name != "controlnet"]
    entry = _entry(model, model_place(model), networks)
    if controlnet is None:
        return {"model": entry, "controlnet": None}
    return {"model": entry, "controlnet": _entry(controlnet, controlnet_place(controlnet))}


def folder_digests(place: str | None) -> dict[str, str] | str | None:
    """Sha256 of the weights in a file, a network's folder or a pipeline's, by name.

    A name on the hub is returned as it is, None of None.
    """
    if place is None or not Path(place).exists():
        return place
    networks = NETWORKS if (Path(place) / _INDEX).is_file() else ()
    return dict(_entry(place, Path(place), networks)["sha256"])


def controlnet_notes(model: str, controlnet: str | None) -> dict[str, Any]:
    """What is written beside the weights of a ControlNet in ``handwright.json``; nothing where there is none.

    Raises:
        DiffusionError: The model is not there.
    """
    from handwright.diffusion.loading.places import controlnet_place, model_place

    place = model_place(model) / "controlnet" if controlnet is None else controlnet_place(controlnet)
    return json.loads((place / _NOTES).read_text("utf-8")) if (place / _NOTES).is_file() else {}


def _entry(name: str, place: Path, networks: Sequence[str] = ()) -> dict[str, Any]:
    """Name and digests of a file, a network's folder or, where ``networks`` are named, a pipeline's."""
    if place.is_file():
        return {"name": name, "sha256": {place.name: _sha256(place)}}
    folders = networks or (".",)
    files = [file for folder in folders for kind in _KINDS for file in sorted((place / folder).glob(kind))]
    digests = {file.relative_to(place).as_posix(): _sha256(file) for file in files}
    if networks:
        digests |= {at: _values_sha256(place / at) for at in _SETTINGS if (place / at).is_file()}
    return {"name": name, "sha256": digests}


def _values_sha256(file: Path) -> str:
    """Sha256 of a JSON file's values, but for notes of the library that wrote it (``_diffusers_version``)."""
    try:
        values = json.loads(file.read_text("utf-8"))
        kept = {name: value for name, value in values.items() if not name.startswith("_")}
    except (ValueError, AttributeError):
        return _sha256(file)
    return fingerprint(kept)


def _sha256(file: Path) -> str:
    facts = file.stat()
    return _hashed(file, facts.st_size, facts.st_mtime_ns)


@cache
def _hashed(file: Path, size: int, changed_ns: int) -> str:
    del size, changed_ns  # part of the cache's key
    return sha256_of_file(file)
