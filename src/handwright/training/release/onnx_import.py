"""From a packaged critic back to one that goes on learning: folded norms are no dead end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from handwright.errors import MissingModelError


def unfolded(path: Path, network: nn.Module, batches: Sequence[Tensor]) -> None:
    """Give a network the weights of its own ONNX export, whose norms are folded into the convolutions.

    Folding forgets the norms' statistics. They are measured again on ``batches``, and each norm gets
    the gain and offset that undo them: in eval mode the network says what the export says, in training
    mode nearly the same.

    Args:
        path: What ``onnx_export.export_onnx`` wrote.
        network: As it was before; its layers run in the same order. Changed in place, left in eval mode.
        batches: What it takes, some hundred samples like those that it learns from.

    Raises:
        MissingModelError: The file is no export of such a network.
    """
    told = _layers(path)
    order: list[nn.Module] = []
    norms: dict[nn.Module, nn.BatchNorm2d] = {}

    def ran(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.BatchNorm2d):
            norms[order[-1]] = module
        elif module not in order:
            order.append(module)

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.BatchNorm2d)]
    network.eval()
    hooks = [layer.register_forward_hook(ran) for layer in layers]
    with torch.no_grad():
        network(batches[0][:1])
    for hook in hooks:
        hook.remove()
    if [tuple(layer.state_dict()["weight"].shape) for layer in order] != [w.shape for w, _ in told]:
        raise MissingModelError(
            f"{path.name} is no export of this network", "its layers have other shapes", "take the same build"
        )
    for layer, (weight, bias) in zip(order, told, strict=True):
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        layer.weight.data.copy_(torch.from_numpy(weight))
        if layer in norms:
            _as_is(norms[layer], torch.from_numpy(bias))
        elif layer.bias is not None:
            layer.bias.data.copy_(torch.from_numpy(bias))
    _restore_statistics(network, norms, batches)


def _layers(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of every convolution and linear layer of an export, in the order in which they run."""
    graph = onnx.load(str(path)).graph
    arrays = {array.name.removesuffix(".half"): numpy_helper.to_array(array) for array in graph.initializer}
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            weight, bias = (arrays[name].astype(np.float32) for name in node.input[1:3])
            found.append((weight, bias))
    return found


def _as_is(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """A norm that only adds."""
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0)
    norm.weight.data.fill_((1.0 + norm.eps) ** 0.5)
    norm.bias.data.copy_(bias)


def _restore_statistics(
    network: nn.Module, norms: dict[nn.Module, nn.BatchNorm2d], batches: Sequence[Tensor]
) -> None:
    """Measure what comes out of every convolution; its norm takes that away and gives it back."""
    sums: dict[nn.Module, list[Tensor]] = {}

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        values = output.double()
        part = [torch.tensor(float(values[:, 0].numel())), values.sum((0, 2, 3)), (values**2).sum((0, 2, 3))]
        so_far = sums.get(module)
        sums[module] = part if so_far is None else [a + b for a, b in zip(so_far, part, strict=True)]

    hooks = [layer.register_forward_hook(count) for layer in norms]
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for hook in hooks:
        hook.remove()
    for layer, norm in norms.items():
        number, total, squares = sums[layer]
        assert norm.running_mean is not None and norm.running_var is not None
        mean = total / number
        variance = (squares / number - mean**2).clamp(min=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.data.copy_((variance + norm.eps).sqrt())
        norm.bias.data.add_(mean)
