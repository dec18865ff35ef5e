"""Where a text counts for T2H: python bench/text_to_hand_levels.py POSES [--model RUN/model] [--n N].

POSES is a folder of `handwright synth --kind poses`; its held-out compositions are used. At each time t of
the way from people to noise, the mean squared error of the predicted velocity with the right technical
caption, and with another person's, the same noise for both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from handwright.handiffuser.objective import read_text
from handwright.handiffuser.text_to_hand_pipeline import EMBEDDED, open_text_to_hand
from handwright.handiffuser.tokens import USED
from handwright.training.streams.text_poses import TextPoseStream

TIMES = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("poses", type=Path)
    parser.add_argument("--model", type=Path, default=EMBEDDED)
    parser.add_argument("--n", type=int, default=384)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    pipeline, held_out = open_text_to_hand(args.model), TextPoseStream(args.poses).held_out
    chosen = np.random.default_rng(args.seed).permutation(len(held_out))[: args.n]
    people = [held_out[k] for k in chosen]
    texts = [person.text("technical", np.random.default_rng(k)) for k, person in enumerate(people)]
    read = pipeline.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    mask, used = read.attention_mask.bool(), torch.from_numpy(USED).float()
    numbers = torch.from_numpy(np.array([person.tokens for person in people], np.float32))
    generator = torch.Generator().manual_seed(args.seed)
    print("| t | right caption | another: so much more |\n|---|---|---|")
    with torch.no_grad():
        clean = pipeline.denoiser.standardised(numbers)
        text = read_text(pipeline.text_encoder, read.input_ids, mask)
        for t in TIMES:
            noise = torch.randn(clean.shape, generator=generator)
            noisy, times = (1 - t) * clean + t * noise, torch.full((len(clean),), 1000 * t)
            right, other = (
                float(
                    ((pipeline.denoiser(noisy, times, *given) - (noise - clean)).square() * used).sum()
                    / (used.sum() * len(clean))
                )
                for given in ((text, mask), (text.roll(1, 0), mask.roll(1, 0)))
            )
            print(f"| {t:.2f} | {right:.3f} | +{other - right:.3f} |", flush=True)


if __name__ == "__main__":
    main()
