"""Train the base in minutes on one GPU: scripts/train_base_in_memory.py --packs DIR --vae DIR -o RUN.

All pictures lie in the GPU's memory and every step is a CUDA graph (`training/in_memory`). First a UNet on
latents alone learns to paint from text at 128 px; inflated by mask and masked picture, it then learns at
256 px to paint from text, or from text and hands (T-H2I, with a Text+Hand encoder), on skeletons around hands
(with an outpainter), and to repaint hands under their depth, together with a ControlNet. With --model the
second stage goes on from that family. Packs are those of scripts/pack_pictures.py; such as appear in --packs,
and shards of `handwright synth` that appear in --world, join while it runs. A stage takes its --minutes;
RUN/minutes_128 and RUN/minutes_256 change them meanwhile. RUN gets log.jsonl, sheets, and a model in the
middle and at the end of every stage (base_128/, base_256/). What is drawn depends on the clock: the same seed
does not make the same weights.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from handwright.data.synthesise import tiled
from handwright.diffusion.inflation import inflate
from handwright.diffusion.latents import decode, picture_array, pixels_per_latent
from handwright.diffusion.loading.components import load_tokenizer
from handwright.diffusion.loading.zoo import DiffusionModels, load_vae
from handwright.handiffuser.pipeline import ENCODER
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.image import write_png
from handwright.training.in_memory.graphed_steps import GraphedSteps
from handwright.training.in_memory.joint_base import (
    BatchMix,
    JointLoss,
    JointParams,
    held_out_batch,
    joint_batch,
    text_batch,
)
from handwright.training.in_memory.packs import captions_of_pack, pictures_of_pack, pictures_of_shard
from handwright.training.in_memory.picture_store import Lot, PictureStore, RepairParams, lots_of
from handwright.training.networks.family import (
    BASE_TEXT_LAYERS,
    BASE_TEXT_WIDTH,
    BASE_WIDTHS,
    flow_schedule,
    fresh_base_unet,
    fresh_text_encoder,
    general_controlnet,
    open_family,
    save_family,
    schedule_config,
    token_ids,
)
from handwright.training.networks.own_networks import outpainter_of, text_hand_encoder_of
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.recipes.text_to_image import PROMPT_SHEET, TextToImageParams
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import other_side
from handwright.training.streams.latent_shards import TEXT_LENGTH, VOCABULARY
from handwright.two_stage.networks.outpainter import Outpainter

PARAMS = JointParams()
SIDES = (128, 256)
"""Resolutions of the two stages."""

REPAIR_STEPS = 4
"""Recommended steps of a repaint: as exact as ten (docs/research/base.md)."""

_SHOWN = 10  # Held-out pictures of each kind on a sheet
_MEASURED = 24  # Held-out pictures of each kind whose loss is measured
_EVERY = 100  # Steps between lines of the log
_MEASURED_EVERY_S = 45


@dataclass(frozen=True)
class Stage:
    """One resolution."""

    side: int
    minutes: float
    batch: int  # Samples a step
    learning_rate: float
    final_share: float  # Of the time, in which the learning rate falls to nothing
    fused: bool = False  # Whether torch.compile fuses its steps
    warmup_steps: int = 300

    def rate(self, step: int, done: float) -> float:
        """Learning rate of a step, when a share ``done`` of the time is over."""
        return self.learning_rate * min(1.0, (step + 1) / self.warmup_steps, (1 - done) / self.final_share)


@dataclass
class Run:
    """A training under way."""

    folder: Path
    store: PictureStore
    packs: Path
    world: Path | None  # Where shards appear
    readers: ThreadPoolExecutor
    began: float = field(default_factory=time.monotonic)
    jobs: dict[Path, Future[list[Lot]] | None] = field(default_factory=dict)  # None: it was taken in
    seen: int = 0  # Samples of finished stages

    def note(self, **line: object) -> None:
        """Add a line to the log."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seconds": round(time.monotonic() - self.began, 1), **line}) + "\n")

    def take_in(self, *, wait: bool = False) -> None:
        """Add what has been read to the store; begin to read what is new."""
        shards = sorted(self.world.rglob("*.tar")) if self.world else []
        for path in [*sorted(self.packs.glob("*.npz")), *shards]:
            if path not in self.jobs:
                self.jobs[path] = self.readers.submit(_read, path, self.store.tokenizer)
        for path, job in list(self.jobs.items()):
            if job is not None and (wait or job.done()):
                self.jobs[path] = None
                try:
                    self.store.add(path.name.split("-")[0], job.result())
                except Exception as error:  # noqa: BLE001 - one bad file must not end a run
                    self.note(problem=f"{path.name}: {error}")


def _read(path: Path, tokenizer: Any) -> list[Lot]:
    pictures = pictures_of_pack(path) if path.suffix == ".npz" else pictures_of_shard(path)
    return lots_of(pictures, copy.deepcopy(tokenizer))  # one that pads is not safe between threads


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packs", type=Path, required=True)
    parser.add_argument("--world", type=Path, help="shards in hands/ and people/ that join meanwhile")
    parser.add_argument("--vae", type=Path, required=True, help="folder of an AutoencoderKL")
    parser.add_argument("--model", type=Path, help="a family whose second stage goes on")
    parser.add_argument("--capacity", default="40000,30000,6000", help="hands, people, photographs")
    parser.add_argument("--minutes", default="4,8", help="of the two stages")
    parser.add_argument("--batch", default="256,128", help="samples a step")
    parser.add_argument("--learning-rate", default="6e-4,4e-4")
    parser.add_argument("--final-share", type=float, default=0.4, help="of a stage: learning rate falls")
    parser.add_argument(
        "--mix",
        default=".5,.5,0,0",
        help="of the second stage: repaints, from text, from text and hands, on skeletons around hands",
    )
    parser.add_argument(
        "--frequencies", type=int, default=6, help="of joints' places, for a Text+Hand encoder without"
    )
    parser.add_argument("--fuse", action="store_true", help="let torch.compile fuse the second stage")
    parser.add_argument("--widths", default=",".join(map(str, BASE_WIDTHS)), help="of the UNet's levels")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--readers", type=int, default=4, help="threads that read packs")
    parser.add_argument("--seed", type=int, default=28)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    cv2.setNumThreads(1)
    device, widths = torch.device(args.device), tuple(map(int, args.widths.split(",")))
    precision = torch.float16 if device.type == "cuda" else torch.float32
    vae: Any = load_vae(args.vae, precision).to(device, memory_format=torch.channels_last)
    vae.requires_grad_(False)
    kinds = ("hands", "people", "photographs")
    tokenizer = (
        load_tokenizer(args.model / "tokenizer")
        if args.model
        else _tokenizer(args.output / "tokenizer", args.packs)
    )
    store = PictureStore(
        dict(zip(kinds, map(int, args.capacity.split(",")), strict=True)),
        vae, tokenizer,
        SIDES[1:] if args.model else SIDES,
    )  # fmt: skip
    repairs, _, with_hands, posed = (float(share) for share in args.mix.split(","))
    stages = [
        Stage(side, float(minutes), int(batch), float(rate), args.final_share, args.fuse and side == SIDES[1])
        for side, minutes, batch, rate in zip(
            SIDES, *(text.split(",") for text in (args.minutes, args.batch, args.learning_rate)), strict=True
        )
    ]
    with ThreadPoolExecutor(args.readers) as pool:
        run = Run(args.output, store, args.packs, args.world, pool)
        run.take_in()
        run.take_in(wait=True)
        run.note(stage="data", **store.counts())
        large = stages[-1]
        parts = [round(share * large.batch) for share in (repairs, with_hands, posed)]
        mix = BatchMix(parts[0], large.batch - sum(parts), *parts[1:])
        module = opened(args.model, store) if args.model else begun(run, stages[0], widths)
        if module.text_hand_encoder is not None and not module.text_hand_encoder.config["frequencies"]:
            module.text_hand_encoder = module.text_hand_encoder.with_frequencies(args.frequencies)
        go_on(run, large, module, mix)


def _tokenizer(folder: Path, packs: Path) -> Any:
    """The folder's, or one that learns from all captions of the packs and of mirrored pictures."""
    if not folder.is_dir():
        texts = [text for path in sorted(packs.glob("*.npz")) for text in captions_of_pack(path)]
        texts += [other_side(text) for text in texts]
        learn_tokenizer(texts, VOCABULARY, TEXT_LENGTH).save_pretrained(folder)
    return load_tokenizer(folder)


def begun(run: Run, small: Stage, widths: tuple[int, ...]) -> JointLoss:
    """Text to picture on latents alone; then inflated, with a ControlNet."""
    store = run.store
    cell, channels = pixels_per_latent(store.vae), int(store.vae.config["latent_channels"])
    held = {"held_out_loss": held_out_batch(store, small.side, False, _MEASURED)}
    unet: Any = fresh_base_unet(channels, small.side // cell, widths)
    text: Any = fresh_text_encoder(store.tokenizer, BASE_TEXT_WIDTH, BASE_TEXT_LAYERS).to(store.device)
    unet.to(store.device, memory_format=torch.channels_last)
    schedule = flow_schedule(small.side)
    learn(
        run, small, JointLoss(text, unet, None), held,
        lambda: text_batch(store, schedule, small.side, small.batch, PARAMS),
    )  # fmt: skip
    wide: Any = inflate(unet.cpu(), channels + 1)
    wide.register_to_config(sample_size=SIDES[1] // cell)
    control: Any = general_controlnet(wide, cell)
    encoder = TextHandEncoder(text_width=BASE_TEXT_WIDTH)
    return JointLoss(text, wide, control, encoder, Outpainter.from_controlnet(control))


def opened(folder: Path, store: PictureStore) -> JointLoss:
    """A family that was trained before; its autoencoder is the store's."""
    family = open_family(folder)
    if family.controlnet is None or family.text_encoder is None:
        raise SystemExit(f"{folder} has no ControlNet or no text encoder: give a family of the second stage")
    encoder, outpainter = (
        of(folder, family, TrainSettings()) for of in (text_hand_encoder_of, outpainter_of)
    )
    return JointLoss(family.text_encoder, family.unet, family.controlnet, encoder, outpainter)


def go_on(run: Run, large: Stage, module: JointLoss, mix: BatchMix) -> None:
    """Painting from text, from text and hands, on skeletons around hands, and repainting, at once."""
    store = run.store
    if not mix.with_hands:
        module.text_hand_encoder = None
    if not mix.posed:
        module.outpainter = None
    module.to(store.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    held = dict[str, dict[str, Tensor]]()
    for name, even in (("", False), ("_even", True)):
        held[f"held_out_loss{name}"] = held_out_batch(store, large.side, True, _MEASURED, even=even)
        if mix.with_hands:
            held[f"held_out_loss_with_hands{name}"] = held_out_batch(
                store, large.side, True, _MEASURED, with_hands=True, even=even
            )
    schedule, masks = flow_schedule(large.side), RepairParams()
    learn(
        run, large, module, held,
        lambda: joint_batch(store, schedule, large.side, mix, PARAMS, masks),
    )  # fmt: skip


def learn(
    run: Run,
    stage: Stage,
    module: JointLoss,
    held: Mapping[str, Mapping[str, Tensor]],
    draw: Callable[[], Mapping[str, Tensor]],
) -> None:
    """Steps for so many minutes, then the model; the module goes on with the averaged weights."""
    steps = GraphedSteps(module.train(), draw, fuse=stage.fused)
    began, lasts = time.monotonic(), 60 * stage.minutes
    looked, middle = began, False
    while (done := (time.monotonic() - began) / lasts) < 1:
        rate = stage.rate(steps.step, done)
        steps.run(rate, average=steps.step % 10 == 9)
        if steps.step % 10 == 0 and steps.device.type == "cuda":
            torch.cuda.synchronize()  # so that the queue stays short and the clock true
        if steps.step % _EVERY not in (0, 1):
            continue
        run.take_in()
        run.note(
            side=stage.side, step=steps.step, loss=round(float(steps.loss), 5), rate=rate,
            seen=run.seen + steps.step * stage.batch, graph=steps.graph is not None, why=steps.why_not,
            per_second=round(steps.step * stage.batch / (time.monotonic() - began)),
        )  # fmt: skip
        if time.monotonic() - looked >= _MEASURED_EVERY_S:
            looked = time.monotonic()
            measure(run, stage, steps, held)
        if not middle and done > 0.5:
            middle = True
            with steps.averaged_weights():
                keep(run, module, stage.side)
        told = run.folder / f"minutes_{stage.side}"
        lasts = 60 * float(told.read_text("utf-8")) if told.exists() else lasts
    run.seen += steps.step * stage.batch
    measure(run, stage, steps, held)
    steps.settle()
    module.eval()
    keep(run, module, stage.side)
    run.note(stage=f"base_{stage.side} kept", steps=steps.step, seen=run.seen, **run.store.counts())
    show(run, module, stage.side)


def measure(run: Run, stage: Stage, steps: GraphedSteps, held: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Note the averaged weights' loss of held-out pictures at fixed noise."""
    with steps.averaged_weights(), torch.no_grad(), run.store.autocast():
        losses = {name: round(float(steps.module(batch)), 5) for name, batch in held.items()}
    run.note(side=stage.side, step=steps.step, **losses)


def painted(
    module: JointLoss,
    store: PictureStore,
    side: int,
    tokens: Tensor,
    given: Mapping[str, Tensor],
    guidance: float,
) -> np.ndarray:
    """Pictures of captions, or hands repainted as ``PictureStore.repairs`` gives them, uint8 [N, S, S, 3]."""
    schedule, count = flow_schedule(side), len(tokens)
    schedule.set_timesteps(TextToImageParams().steps, device=store.device)
    cells, channels = side // pixels_per_latent(store.vae), int(store.vae.config["latent_channels"])
    noise = torch.randn(count, channels, cells, cells, generator=torch.Generator("cpu").manual_seed(0))
    latents = noise.to(store.device)
    with torch.no_grad(), store.autocast():
        texts = [
            module.text_encoder(ids).last_hidden_state for ids in (tokens, store.empty.expand(count, -1))
        ]
        away = {**given, "hands": torch.zeros_like(given["hands"])} if "hands" in given else given
        for timestep in schedule.timesteps:
            with_text, without = (
                module.velocity(latents, timestep.expand(count), text, known, store.blank)
                for text, known in zip(texts, (given, away), strict=True)
            )
            guided = without + guidance * (with_text - without)
            latents = schedule.step(guided, timestep, latents, return_dict=False)[0]
    return shown(store, latents.float())


def shown(store: PictureStore, latents: Tensor) -> np.ndarray:
    """Decoded latents, uint8 [N, S, S, 3]."""
    with torch.no_grad():
        pictures = torch.cat([decode(store.vae, part) for part in latents.split(8)])
    return np.rint(picture_array(pictures)).astype(np.uint8)


def show(run: Run, module: JointLoss, side: int) -> None:
    """Write the prompt sheet, and held-out hands: as they were, hidden, their depth, repainted."""
    store = run.store
    tokens = token_ids(store.tokenizer, list(PROMPT_SHEET)).to(store.device)
    pictures = painted(module, store, side, tokens, {}, TextToImageParams().guidance)
    write_png(run.folder / f"texts_{side}.png", tiled(list(pictures), 10))
    if module.controlnet is None:
        return
    if module.text_hand_encoder is not None:
        show_hands(run, module, side)
    for kind in store.kinds:
        rows = store.held_out[kind][:_SHOWN]
        if rows:
            given = store.repairs(torch.tensor(rows, device=store.device), RepairParams(), 0.0)
            depth = (given["control"] * 255).permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)
            before = [shown(store, given[name]) for name in ("clean", "masked_latents")]
            after = painted(module, store, side, given["tokens"], given, 1.0)
            columns = [tile for plane in (*before, depth, after) for tile in plane]
            write_png(run.folder / f"repairs_{side}_{kind}.png", tiled(columns, len(rows)))


def show_hands(run: Run, module: JointLoss, side: int) -> None:
    """Write held-out pictures: as they were, painted from text and hands, from the text alone."""
    store, guidance = run.store, TextToImageParams().guidance
    for kind in PARAMS.hand_shares:
        if rows := store.held_out[kind][:_SHOWN]:
            at = torch.tensor(rows, device=store.device)
            tokens = store.tokens[at, 0, 0].long()
            before = shown(store, store.latents[side][at, 0].float())
            both = painted(module, store, side, tokens, {"hands": store.hands[at, 0].float()}, guidance)
            alone = painted(module, store, side, tokens, {}, guidance)
            tiles = [tile for plane in (before, both, alone) for tile in plane]
            write_png(run.folder / f"hands_{side}_{kind}.png", tiled(tiles, len(rows)))


def keep(run: Run, module: JointLoss, side: int) -> None:
    """Write the model in half precision, as a pipeline in ``save_pretrained`` layout."""
    unet, text, control = (
        None if network is None else copy.deepcopy(network).half().cpu()
        for network in (module.unet, module.text_encoder, module.controlnet)
    )
    folder = run.folder / f"base_{side}"
    family = DiffusionModels(
        vae=run.store.vae, text_encoder=text, tokenizer=run.store.tokenizer, unet=unet, controlnet=control,
        scheduler_config=schedule_config(flow_schedule(side)), resolution=side, name="base",
        inpainting=control is not None,
    )  # fmt: skip
    sheet = TextToImageParams()
    save_family(family, folder, steps=REPAIR_STEPS, from_text=(sheet.guidance, sheet.steps))
    for name, network in ((ENCODER, module.text_hand_encoder), ("outpainter", module.outpainter)):
        if network is not None:
            half: Any = copy.deepcopy(network).half().cpu()
            half.save_pretrained(folder / name)


if __name__ == "__main__":
    main()
