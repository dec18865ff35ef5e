"""From trained members to what ships: half precision, small shards or one ONNX file, a card."""

import inspect
import io
import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.jit._trace import TracerWarning  # pyright: ignore[reportPrivateUsage]

from critic_calibration import Ask
from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.controlnets import OWN_FILE
from handwright.diffusion.loading.libraries import (
    CLIPTextModel,
    CLIPTokenizer,
    ControlNetModel,
    UNet2DConditionModel,
    quiet,
)
from handwright.diffusion.loading.zoo import load_vae
from handwright.errors import UsageError
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.image import write_atomically
from handwright.perception.models.onnx_session import open_session
from handwright.review.calibration.calibration import Calibration
from handwright.review.critic.onnx_critic import critic_logits
from handwright.training.networks.critic import CriticConfig, Judged
from handwright.training.streams.critic_batches import CONTEXT
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.outpainter import Outpainter

OPSET = 17
_LEAST_HALVED = 32  # Smaller arrays stay as they are: nothing is to be gained


def export_onnx(
    network: nn.Module, example: Tensor, outputs: Sequence[str], metadata: Mapping[str, str], path: Path
) -> None:
    """Write a network that takes one tensor, whole or not at all; computes in float32, any batch size.

    Raises:
        OutputError: It cannot be written.
    """
    name = next(iter(inspect.signature(network.forward).parameters))
    dynamic = {part: {0: "batch"} for part in (name, *outputs)}
    file = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", TracerWarning)
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)  # of EfficientNet's padding
        torch.onnx.export(
            network,
            (example,),
            file,  # pyright: ignore[reportArgumentType] - any writable file will do
            input_names=[name],
            output_names=list(outputs),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )
    model = halved(onnx.load_from_string(file.getvalue()))
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    write_atomically(path, lambda out: out.write(model.SerializeToString()))


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model with float32 arrays stored as float16, cast back where they are used."""
    graph, casts = model.graph, list[onnx.NodeProto]()
    for array in list(graph.initializer):
        if array.data_type != TensorProto.FLOAT or np.prod(array.dims) < _LEAST_HALVED:
            continue
        values, stored = numpy_helper.to_array(array).astype(np.float16), f"{array.name}.half"
        casts.append(helper.make_node("Cast", [stored], [array.name], to=TensorProto.FLOAT))
        graph.initializer.remove(array)
        graph.initializer.append(numpy_helper.from_array(values, stored))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


SHARD, FULL = "14MB", torch.float32
STEPS_A_DEVIATION = 32
"""Steps of the grid that weights are rounded to, in a standard deviation of their output channel: an error of
one per cent, after which a wheel compresses two bytes to less than 1.2."""


def on_grid(values: Tensor, steps: float = STEPS_A_DEVIATION) -> Tensor:
    """Weights rounded to a grid of its own for each output channel, whose step is a power of two.

    They stay float16 to whoever reads them, and a wheel's compression finds few different values in them.
    Vectors (biases, norms) stay as they are.
    """
    if values.ndim < 2:
        return values
    rows = values.float().flatten(1)
    deviation = rows.square().mean(1).sqrt().clamp(min=1e-12)
    step = torch.exp2((deviation / steps).log2().round())[:, None]
    return ((rows / step).round() * step).reshape(values.shape).to(values.dtype)


_KINDS: dict[str, Any] = {
    "unet": UNet2DConditionModel,
    "controlnet": ControlNetModel,
    "text_encoder": CLIPTextModel,
    "text_hand_encoder": TextHandEncoder,
    "hand_generator": HandGenerator,
    "outpainter": Outpainter,
}
OURS = ("text_hand_encoder", "hand_generator", "outpainter")  # Beside the parts of any pipeline


def release_network(trained: Path, output: Path, card: str) -> Mapping[str, int]:
    """Write one network that stands alone (features, clip) in half precision; bytes by file name.

    Raises:
        UsageError: The run's folder holds no network.
    """
    weights = next(trained.glob("*.safetensors"), None) if (trained / "config.json").is_file() else None
    if weights is None:
        raise UsageError(f"{output.name} is missing", f"{trained} holds no trained member", "train it first")
    part = _part(output)
    shutil.copytree(trained, part)
    halves = {name: v.half() if v.is_floating_point() else v for name, v in load_file(weights).items()}
    save_file(halves, part / weights.name, {"format": "pt"})
    return _shipped(part, output, card)


def release_critic(
    network: nn.Module, config: CriticConfig, calibrate: Callable[[Ask], Calibration], output: Path, card: str
) -> Mapping[str, int]:
    """Write critic.onnx, calibration.json and card, as ``review`` opens them, whole or not at all."""
    part = _part(output)
    part.mkdir(parents=True)
    metadata = {
        name: json.dumps(getattr(config, name)) for name in ("name", "defects", "poses", "fingers", "parts")
    }
    metadata |= {"size_px": str(config.size_px), "context": str(CONTEXT)}
    example = torch.zeros(2, 3, config.size_px, config.size_px)
    export_onnx(network, example, Judged._fields, metadata, part / "critic.onnx")
    session, _ = open_session(part / "critic.onnx")
    calibrate(partial(critic_logits, session)).save(part / "calibration.json")
    return _shipped(part, output, card)


def release(
    base: Path, controlnet: Path, output: Path, card: str, further: Mapping[str, Path | None] | None = None
) -> Mapping[str, int]:
    """Write the family whole or not at all; all but the autoencoder on a grid (``on_grid``).

    Args:
        base: The finished base.
        controlnet: Its ControlNet.
        output: Where it goes.
        card: The model card.
        further: Where other parts are: ``vae`` (None: the base's), and ``text_hand_encoder``,
            ``hand_generator``, ``outpainter`` (None: none is shipped).

    Returns:
        Bytes by file name.

    Raises:
        UsageError: A member is missing.
    """
    part = _part(output)
    places = {name: base / name for name in ("unet", "text_encoder")}
    given = further or {}
    places |= {"vae": given.get("vae") or base / "vae", "controlnet": controlnet}
    places |= {name: place for name in OURS if (place := given.get(name)) is not None}
    for name, folder in places.items():
        _check_trained(name, folder)
    for name, folder in places.items():
        _write_part(name, folder, part / name)
    with quiet():
        CLIPTokenizer.from_pretrained(base / "tokenizer").save_pretrained(part / "tokenizer")
    shutil.copytree(base / "scheduler", part / "scheduler")
    shutil.copyfile(base / "model_index.json", part / "model_index.json")
    return _shipped(part, output, card)


def release_part(name: str, trained: Path, family: Path) -> Mapping[str, int]:
    """Put one of the family's own parts (``OURS``) in its place, whole or not at all; bytes by file name.

    Raises:
        UsageError: The run's folder holds no network.
    """
    _check_trained(name, trained)
    part = _part(family / name)
    _write_part(name, trained, part)
    return _shipped(part, family / name)


def _check_trained(name: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise UsageError(f"{name} is missing", f"{folder} holds no trained member", "train it first")


def _write_part(name: str, folder: Path, output: Path) -> None:
    """Write a part in half precision, all but the autoencoder on a grid, with its own notes."""
    with quiet():
        is_vae = name == "vae"
        network = load_vae(folder, FULL) if is_vae else load_network(_KINDS[name], folder, FULL)
        if not is_vae:
            for values in network.parameters():
                values.data = on_grid(values.data)
        network.half().save_pretrained(output, max_shard_size=SHARD)
    if (folder / OWN_FILE).is_file():
        shutil.copyfile(folder / OWN_FILE, output / OWN_FILE)


def _part(output: Path) -> Path:
    """Where a release is put together, beside where it goes; not there yet."""
    part = output.with_name(f".{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    return part


def _shipped(part: Path, output: Path, card: str | None = None) -> Mapping[str, int]:
    """Put a finished release in its place, without the folders that it came from; bytes by file name."""
    for path in part.rglob("config.json"):
        config = json.loads(path.read_text("utf-8"))
        if config.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    if card is not None:
        (part / "README.md").write_text(card, "utf-8")
    shutil.rmtree(output, ignore_errors=True)
    part.rename(output)
    return {str(p.relative_to(output)): p.stat().st_size for p in sorted(output.rglob("*")) if p.is_file()}
