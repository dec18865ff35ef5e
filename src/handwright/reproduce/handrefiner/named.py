"""The model, the weights and the extractors behind the figures of a page, in words."""

from pathlib import Path

from handwright.metrics.extractors import embedded, referee
from handwright.reproduce.handrefiner.study import REFEREE, Study
from handwright.workflow.files import sha256_of_file
from handwright.workflow.weights import weights_entries

_SHOWN = 12  # Hexadecimal digits of a SHA-256 on a page

_OWN_EXTRACTORS = {
    "hw-v2": embedded.FOLDER / "model.safetensors",
    REFEREE: referee.FOLDER / "critic.onnx",
}
"""Files of the extractors that ship with the package."""


def model_line(study: Study) -> str:
    """Model, sampler, steps, guidance and prompt, one sentence."""
    d = study.diffusion
    own, steps = ("its own" if value is None else f"{value:g}" for value in (d.guidance, d.steps))
    return (
        f"Model `{Path(d.model).name}`, sampler {d.sampler}, {steps} steps, guidance {own}, "
        f'prompt "{d.prompt}", painting seed {study.seed}.'
    )


def weights_line(study: Study) -> str:
    """SHA-256 of every file of weights that paints, and of the extractors that measure, one sentence.

    Raises:
        DiffusionError: The model is not there.
    """
    entries = weights_entries(study.diffusion.model, study.diffusion.controlnet)
    files: dict[str, str] = {}
    for entry in (entries["model"], entries["controlnet"]):
        files |= {} if entry is None else entry["sha256"]
    painting = _listed({name: digest for name, digest in files.items() if name.endswith(".safetensors")})
    measuring = _listed({name: sha256_of_file(file) for name, file in _files(study).items()})
    return f"Weights by SHA-256: {painting}. Extractors: {measuring}."


def _files(study: Study) -> dict[str, Path]:
    """Files of the extractors, as far as they are files."""
    name, _, argument = study.extractor.partition(":")
    given = Path(argument.partition("@")[0]) if argument else None
    files = {name: _OWN_EXTRACTORS[name] for name in (study.extractor, REFEREE) if name in _OWN_EXTRACTORS}
    if given is not None:
        file = given / "model.safetensors" if given.is_dir() else given
        files |= {f"{name}:{given.name}": file} if file.is_file() else {}
    return files


def _listed(digests: dict[str, str]) -> str:
    return ", ".join(f"{name} `{digest[:_SHOWN]}`" for name, digest in digests.items())
