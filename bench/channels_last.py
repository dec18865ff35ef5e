"""What channels last bring on a CPU: python bench/channels_last.py [--n N]. Measure on an idle machine.

The embedded family's networks and a whole repaint of 256² (``diffuse``, four steps with guidance on control)
run with their weights laid out as loaded from a file and with channels last, in turn in one process, one
thread. Medians of N with the bootstrap 95 % interval, ratios pair by pair.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image as PILImage

from handwright.diffusion import HandRefinerPipeline
from handwright.diffusion.free_painting import noise_source
from performance import interval, seconds

SIDE, STEPS, WARM = 256, 4, 2
LAYOUTS = torch.contiguous_format, torch.channels_last


def works(refiner: HandRefinerPipeline) -> dict[str, Callable[[], Any]]:
    """What is timed, by name."""
    pipe, rng = refiner.pipe, np.random.default_rng(0)
    picture = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[64:192, 64:192] = 255
    whole = torch.rand(1, 3, SIDE, SIDE)
    latents = torch.rand(1, pipe.vae.config.latent_channels, SIDE // 8, SIDE // 8)
    read = torch.rand(1, pipe.unet.config.in_channels, SIDE // 8, SIDE // 8, dtype=pipe.unet.dtype)
    words = torch.rand(1, 77, pipe.unet.config.cross_attention_dim, dtype=pipe.unet.dtype)
    vae = pipe.vae.float()
    return {
        "VAE, encode": lambda: vae.encode(whole),
        "VAE, decode": lambda: vae.decode(latents),
        f"UNet, one pass, {str(pipe.unet.dtype).removeprefix('torch.')}": lambda: pipe.unet(read, 500, words),
        "a repaint": lambda: refiner(
            "a photograph of a hand",
            PILImage.fromarray(picture),
            PILImage.fromarray(mask),
            PILImage.fromarray(picture),
            num_inference_steps=STEPS,
            control_guidance=2.0,
            generator=noise_source(0, 0),
            output_type="tensor",
        ),
    }


@torch.inference_mode()
def main() -> None:
    """Time them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=9, help="rounds")
    rounds = parser.parse_args().n
    torch.set_num_threads(1)
    refiner = HandRefinerPipeline.from_pretrained("tiny", device="cpu")
    networks = [one for one in refiner.pipe.components.values() if isinstance(one, torch.nn.Module)]
    print("| | as loaded, s | channels last, s | × |\n|---|---|---|---|")
    for name, work in works(refiner).items():
        taken = []
        for round_ in range(rounds + WARM):
            found = []
            for layout in LAYOUTS:
                for network in networks:
                    network.to(memory_format=layout)
                work()
                found.append(seconds(work))
            taken += [found] if round_ >= WARM else []
        loaded, last = np.array(taken).T
        print(f"| {name} | {interval(loaded)} | {interval(last)} | {interval(last / loaded)} |", flush=True)


if __name__ == "__main__":
    main()
