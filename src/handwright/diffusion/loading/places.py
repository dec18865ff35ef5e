"""Where a model's files are: the package, a folder, the Hugging Face hub's cache. Imports no torch."""

import re
from pathlib import Path

from handwright.diffusion.loading.presets import PRESETS, Download
from handwright.errors import DiffusionError

EMBEDDED = {"tiny": Path(__file__).parents[2] / "weights" / "tiny"}  # Models that the package ships, by name

PIPELINE_FOLDERS = (
    "vae", "text_encoder", "text_encoder_2", "text_encoder_3", "tokenizer", "tokenizer_2", "tokenizer_3",
    "unet", "transformer", "scheduler", "controlnet",
)  # fmt: skip
"""Parts of a pipeline that are fetched; weights lie in those that are networks."""

_PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
_PARTS = [f"{part}/{kind}" for part in PIPELINE_FOLDERS for kind in _FILES]
_SPARE = ("*.fp16.*", "*.non_ema.*", "*openvino*", "*flax*")


def model_folder(name: str, revision: str | None = None, variant: str | None = None) -> Path:
    """The folder in ``save_pretrained`` layout of an embedded model, a directory or a hub id.

    Raises:
        DiffusionError: There is none, it is no pipeline, or the hub does not give it.
    """
    if Path(name).is_file():
        refuse_pickle(Path(name))
        raise DiffusionError(
            f"{name} is not a diffusers pipeline",
            "it is a single file",
            "give a directory that save_pretrained wrote",
        )
    folder = EMBEDDED.get(name) or _folder(name, _PARTS, revision, variant)
    if folder is None:
        names = ", ".join(EMBEDDED)
        raise DiffusionError(
            f"there is no model {name!r}",
            "it is no embedded model, no directory and no name on the hub",
            f"choose {names}, a directory or OWNER/NAME",
        )
    if not (folder / "model_index.json").is_file():
        raise DiffusionError(
            f"{name} is not a diffusers pipeline",
            f"{folder} has no model_index.json",
            "give a directory that save_pretrained wrote",
        )
    return folder


def own_part(model: str | Path, part: str) -> Path | None:
    """A folder of ours beside a model's others, such as ``outpainter``; None where the model has none."""
    folder = EMBEDDED.get(str(model), Path(model)) / part
    return folder if folder.is_dir() else None


def controlnet_place(name: str) -> Path:
    """The folder or the .safetensors file of a ControlNet.

    Raises:
        DiffusionError: There is none, or the hub does not give it.
    """
    if Path(name).is_file():
        return Path(name)
    folder = _folder(name, list(_FILES))
    if folder is None:
        raise DiffusionError(
            f"there is no ControlNet {name!r}",
            "it is no directory, no file and no name on the hub",
            "give a directory, a .safetensors file or OWNER/NAME",
        )
    return folder


def model_place(name: str, revision: str | None = None, variant: str | None = None) -> Path:
    """The folder of a preset's base, of an embedded model, a directory or a hub id; or a single file.

    Raises:
        DiffusionError: There is none, or the hub does not give it.
    """
    if name in PRESETS:
        return preset_place(PRESETS[name].base, name, revision, variant)
    if Path(name).is_file():
        check_safetensors(Path(name))
        return Path(name)
    return model_folder(name, revision, variant)


def preset_place(
    download: Download, preset: str, revision: str | None = None, variant: str | None = None
) -> Path:
    """Where published weights are: in the hub's cache, or fetched into it.

    Raises:
        DiffusionError: In one line, what is missing, how large it is, its licence, and where to put it.
    """
    from huggingface_hub import hf_hub_download

    try:
        if download.file is not None:
            return Path(hf_hub_download(download.hub_id, download.file, revision=revision))
        base = download is PRESETS[preset].base
        folder = _fetched(download.hub_id, _PARTS if base else list(_FILES), revision, variant)
    except (OSError, ValueError) as error:
        what = download.hub_id if download.file is None else f"{download.hub_id}/{download.file}"
        option = "model" if download is PRESETS[preset].base else "controlnet"
        raise DiffusionError(
            f"{preset} needs {what}",
            f"{download.gigabytes:g} GB, {download.licence}; it is not in the hub's cache, and: "
            f"{_first_line(error)}",
            f"hf download {download.hub_id} where there is a connection, and give its place as `{option}`",
        ) from error
    return folder


def cached_folder(hub_id: str, what: str, todo: str) -> Path:
    """Configs and tokenizers of a pipeline, without weights, from the hub's cache or the hub.

    Raises:
        DiffusionError: ``what`` could not be had; ``todo``: the way out.
    """
    try:
        return _fetched(hub_id, [f"*/{kind}" for kind in _FILES[:-1]], None)
    except (OSError, ValueError) as error:
        raise DiffusionError(what, f"the hub did not give them: {_first_line(error)}", todo) from error


def check_safetensors(file: Path) -> None:
    """Raise unless there is such a file, and its name is that of safetensors.

    Raises:
        DiffusionError: It is missing, a pickle, or another kind of file.
    """
    if not file.is_file():
        raise DiffusionError(f"there is no file {file}", "", "check the path")
    refuse_pickle(file)
    if file.suffix != ".safetensors":
        raise DiffusionError(
            f"{file} cannot be read", "it is not a .safetensors file", "give a .safetensors file"
        )


def refuse_pickle(path: Path) -> None:
    """Raise if a file is a pickle checkpoint.

    Raises:
        DiffusionError: It is one.
    """
    if path.suffix.lower() in _PICKLES:
        raise DiffusionError(
            f"{path} is a pickle checkpoint", "unpickling may run any code", "convert it to safetensors first"
        )


def _folder(
    name: str, patterns: list[str], revision: str | None = None, variant: str | None = None
) -> Path | None:
    """A directory of that name, else what the hub has under it, else None."""
    if Path(name).is_dir():
        return Path(name)
    if Path(name).exists() or not _HUB_ID.fullmatch(name):
        return None
    try:
        return _fetched(name, patterns, revision, variant)
    except (OSError, ValueError) as error:
        raise DiffusionError(
            f"the hub did not give {name!r}",
            _first_line(error),
            "check the name and the connection, or give a directory",
        ) from error


def _fetched(hub_id: str, patterns: list[str], revision: str | None, variant: str | None = None) -> Path:
    from huggingface_hub import snapshot_download

    wanted = ["model_index.json", *patterns]
    spare = [pattern for pattern in _SPARE if variant is None or f".{variant}." not in pattern]
    return Path(snapshot_download(hub_id, revision=revision, allow_patterns=wanted, ignore_patterns=spare))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
