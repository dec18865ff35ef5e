"""A trained network as one ONNX file: weights in half precision, what its reader needs in the metadata."""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from jaxtyping import Float
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.jit._trace import TracerWarning  # pyright: ignore[reportPrivateUsage]

from handwright.image import write_atomically

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


def with_features(model: onnx.ModelProto, scale: Float[np.ndarray, " d"]) -> onnx.ModelProto:
    """The same critic with the output ``features``, too: what its last linear layer reads times ``scale``."""
    last = [node for node in model.graph.node if node.op_type == "Gemm"][-1]
    model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), "features.scale"))
    model.graph.node.append(helper.make_node("Mul", [last.input[0], "features.scale"], ["features"]))
    shape = ["batch", len(scale)]
    model.graph.output.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    return model


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
