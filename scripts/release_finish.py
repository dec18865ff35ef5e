"""Write a trained finish as an ONNX file in half precision: scripts/release_finish.py RUN [-o DIR].

RUN is a folder that `handwright train finish` wrote. Prints how far the file's answers lie from the network's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from handwright.drawing.photo.finish_planes import PLANES, SIDE
from handwright.metrics.extractors.network import load_network
from handwright.perception.models.onnx_session import open_session
from handwright.refine.painters.learnt_finish import FILE, PACKAGED
from handwright.training.networks.finish import FinishConfig, FinishNetwork
from release_packaging import export_onnx

OUTPUTS = ("kept", "change")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    torch.set_num_threads(1)
    folder = args.run / "model" / "finish"
    network = load_network(folder, "a finish", lambda fields: FinishNetwork(FinishConfig(**fields))).eval()
    args.output.mkdir(parents=True, exist_ok=True)
    example = torch.rand(1, PLANES, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    export_onnx(network, example, OUTPUTS, {"name": network.config.name}, args.output / FILE)
    session, _ = open_session(args.output / FILE)
    with torch.no_grad():
        wanted = network(example)
    for name, part in zip(OUTPUTS, session.run(list(OUTPUTS), {"planes": example.numpy()}), strict=True):
        print(f"{name}: off by {np.abs(part - getattr(wanted, name).numpy()).max():.4f} at most")


if __name__ == "__main__":
    main()
