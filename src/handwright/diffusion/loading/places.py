"""Where a model's files are: the package, a folder, the Hugging Face hub's cache. Imports no torch."""

import re
from pathlib import Path

from handwright.errors import DiffusionError

EMBEDDED = {"tiny": Path(__file__).parents[2] / "weights" / "tiny"}  # Models that the package ships, by name

PIPELINE_FOLDERS = ("vae", "text_encoder", "tokenizer", "unet", "scheduler", "controlnet")
_PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ("*.json", "*.txt", "*.safetensors")
_SPARE = ("*.fp16.*", "*.non_ema.*", "*openvino*", "*flax*")


def model_folder(name: str) -> Path:
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
    folder = EMBEDDED.get(name) or _folder(
        name, [f"{part}/{kind}" for part in PIPELINE_FOLDERS for kind in _FILES]
    )
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


def refuse_pickle(path: Path) -> None:
    """Raise if a file is a pickle checkpoint.

    Raises:
        DiffusionError: It is one.
    """
    if path.suffix.lower() in _PICKLES:
        raise DiffusionError(
            f"{path} is a pickle checkpoint", "unpickling may run any code", "convert it to safetensors first"
        )


def _folder(name: str, patterns: list[str]) -> Path | None:
    """A directory of that name, else what the hub has under it, else None."""
    if Path(name).is_dir():
        return Path(name)
    if Path(name).exists() or not _HUB_ID.fullmatch(name):
        return None
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                name, allow_patterns=["model_index.json", *patterns], ignore_patterns=list(_SPARE)
            )
        )
    except (OSError, ValueError) as error:
        raise DiffusionError(
            f"the hub did not give {name!r}",
            (str(error).strip() or type(error).__name__).splitlines()[0],
            "check the name and the connection, or give a directory",
        ) from error
