"""Let the shipped referee tell its features: scripts/referee_features.py --data DIR.

To be run after release_critic.py --referee. Each feature is divided by its standard deviation over the sound
hands of DIR, so that none rules ``kid[referee-v1]``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from handwright.image import write_atomically
from handwright.metrics.crops import hand_crop
from handwright.metrics.extractors.referee import FOLDER, RefereeExtractor
from handwright.training.streams.crops import load_crops

_LEAST, _HANDS, _SIDE = 0.05, 1500, 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="shards of rendered hands")
    args = parser.parse_args()
    file = FOLDER / "critic.onnx"
    plain = onnx.load(str(file))
    width = next(
        a for a in plain.graph.initializer if a.name.startswith(("heads.0.bias", "told.0.bias"))
    ).dims[0]
    _write(file, with_features(onnx.load(str(file)), np.ones(width)))
    try:
        crops = load_crops(args.data, _SIDE)
        sound = crops.where(np.flatnonzero(~crops.defects.any(1))[:_HANDS])
        boxes = [(*p.min(0), *p.max(0)) for p in sound.landmarks_px]
        cut = [hand_crop(p, box) for p, box in zip(sound.pixels, boxes, strict=True)]
        spread = RefereeExtractor()(np.stack(cut)).std(0)
    except BaseException:
        _write(file, plain)
        raise
    _write(file, with_features(plain, 1 / (spread + _LEAST)))
    print(f"{file.name}: {width} features of {len(cut)} hands")


def with_features(model: onnx.ModelProto, scale: np.ndarray) -> onnx.ModelProto:
    """The same critic with the output ``features``, too: what its last linear layer reads times ``scale``."""
    last = [node for node in model.graph.node if node.op_type == "Gemm"][-1]
    model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), "features.scale"))
    model.graph.node.append(helper.make_node("Mul", [last.input[0], "features.scale"], ["features"]))
    shape = ["batch", len(scale)]
    model.graph.output.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, shape))
    onnx.checker.check_model(model)
    return model


def _write(file: Path, model: onnx.ModelProto) -> None:
    write_atomically(file, lambda out: out.write(model.SerializeToString()))


if __name__ == "__main__":
    main()
