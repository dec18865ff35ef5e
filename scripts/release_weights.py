"""Ship what was trained: the family (--base RUN/model --controlnet RUN/model/controlnet), lone networks.

--vae RUN/model/vae: an autoencoder that learnt after its base; --text-hand-encoder, --hand-generator and
--outpainter: the family's other members; without --base those of the last three alone are put in place.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from handwright.handiffuser.text_pose_embedder import open_text_pose_embedder
from handwright.handiffuser.text_to_hand_pipeline import open_text_to_hand
from release_packaging import OURS, release, release_network, release_part

WEIGHTS = Path(__file__).parent.parent / "src" / "handwright" / "weights"
LONE = ("features", "clip")
PARTS = ("vae", *OURS)
PIPELINES = {"text_to_hand": open_text_to_hand, "text_pose_embedder": open_text_pose_embedder}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--controlnet", type=Path)
    for name in PARTS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, help=f"folder of the family's {name}")
    for name in LONE:
        parser.add_argument(f"--{name}", type=Path, help=f"folder of the {name} in a finished RUN/model")
    for name in PIPELINES:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, help=f"RUN/model of train {name}")
    parser.add_argument("--card", type=Path, help="the model card to ship; without it, the one that is there")
    parser.add_argument("-o", "--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()

    def card(name: str) -> str:
        return (args.card or args.output / name / "README.md").read_text("utf-8")

    sizes: dict[str, int] = {}
    if args.base and args.controlnet:
        further = {name: getattr(args, name) for name in PARTS}
        family = release(args.base, args.controlnet, args.output / "tiny", card("tiny"), further)
        sizes |= {f"tiny/{file}": size for file, size in family.items()}
    else:
        for name in OURS:
            if trained := getattr(args, name):
                files = release_part(name, trained, args.output / "tiny")
                sizes |= {f"tiny/{name}/{file}": size for file, size in files.items()}
    for name in LONE:
        if trained := getattr(args, name):
            network = release_network(trained, args.output / name, card(name))
            sizes |= {f"{name}/{file}": size for file, size in network.items()}
    for name, opened in PIPELINES.items():
        if trained := getattr(args, name):
            folder = args.output / name
            opened(trained).to(torch.float16).save_pretrained(folder)
            for config in (folder / "model_index.json", *folder.glob("*/config.json")):
                values = json.loads(config.read_text("utf-8"))
                values.pop("_name_or_path", None)  # the folder that it was trained in
                config.write_text(json.dumps(values, indent=2) + "\n", "utf-8")
            (folder / "README.md").write_text(card(name), "utf-8")
            shipped = (file for file in folder.rglob("*") if file.is_file())
            sizes |= {str(file.relative_to(args.output)): file.stat().st_size for file in shipped}
    for name, size in sizes.items():
        print(f"{size:10d}  {name}")
    print(f"{sum(sizes.values()):10d}  all")


if __name__ == "__main__":
    main()
