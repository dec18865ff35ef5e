"""One training loop for every member of the family: accelerate, EMA, exact resume, a log that is seen.

Everything random in a step comes from (seed, step): a run that was killed and resumed makes the same losses
as one that was not. Several processes, started by ``torchrun``, share a step: each takes its own forward
passes of it, and their gradients are averaged.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import broadcast_object_list
from diffusers.training_utils import EMAModel
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.tensorboard import SummaryWriter

from handwright.diffusion.loading.devices import training_precision
from handwright.errors import UsageError
from handwright.image import write_atomically, write_png
from handwright.training.samples import draw_curve
from handwright.training.settings import TrainSettings

Batch = Mapping[str, Any]

_DRAWN_AHEAD = 4  # Batches that each worker process draws ahead


class Recipe(Protocol):
    """What one member trains: its modules, batches and objective."""

    @property
    def trained(self) -> nn.Module:
        """The weights that learn; its forward pass is the loss of a batch."""
        ...

    def batch(self, step: int, part: int, settings: TrainSettings) -> Batch:
        """The samples of a step's ``part``-th forward pass; the same for the same arguments."""
        ...

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """A fixed set of samples, made with the weights as they are."""
        ...

    def save(self, folder: Path) -> None:
        """Write the member in ``save_pretrained`` layout."""
        ...


@runtime_checkable
class EncodingRecipe(Protocol):
    """A recipe of which worker processes draw, as they cannot use CUDA, and the device's process encodes."""

    def drawn_batch(self, step: int, part: int, settings: TrainSettings) -> Batch:
        """What ``batch`` is made of, on the CPU; arguments as of ``batch``."""
        ...

    def encoded_batch(self, drawn: Batch, settings: TrainSettings) -> Batch:
        """The batch itself."""
        ...


@runtime_checkable
class MeasuredRecipe(Protocol):
    """A recipe that can measure itself on samples that it does not learn from."""

    def measures(self) -> Mapping[str, float]:
        """Figures of the weights as they are, by name; logged at every checkpoint."""
        ...


@dataclass(frozen=True)
class Progress:
    """Where a run stands."""

    step: int  # Steps done
    minutes: float  # Time spent on them, earlier slices included
    done: bool  # Whether ``max_train_steps`` was reached


def train(
    recipe: Recipe,
    settings: TrainSettings,
    output: Path,
    *,
    resume: bool = False,
    stop_requested: Callable[[], bool] = lambda: False,
) -> Progress:
    """Train until the steps or the minutes are used up; checkpoints and samples go below ``output``.

    Args:
        recipe: What to train.
        settings: How.
        output: Folder of the run: ``checkpoints/``, ``log.jsonl``, ``measures.jsonl``,
            ``tensorboard/``, ``grids/``, ``curve.png`` and ``model/``, the member as it stands.
        resume: Go on from the newest checkpoint, if there is one.
        stop_requested: Asked after every step; once it is true, a checkpoint is written and training ends.

    Raises:
        UsageError: The folder holds a run already and ``resume`` is off.
    """
    checkpoints = output / "checkpoints"
    if checkpoints.is_dir() and any(checkpoints.iterdir()) and not resume:
        raise UsageError(f"{output} holds a training run", "", "give --resume, or another folder")
    if settings.mixed_precision == "fp16" and not torch.cuda.is_available():
        raise UsageError("fp16 needs a CUDA device", "there is none", "give --mixed-precision bf16")
    run = _Run(recipe, settings, output, stop_requested)
    run.restore()
    if not run.accelerator.is_main_process:
        return run.go(None)
    with SummaryWriter(str(output / "tensorboard"), purge_step=run.step) as board:
        return run.go(board)


def _checkpoint_gradients(model: nn.Module) -> None:
    """Turn it on in every network of diffusers that can.

    Raises:
        UsageError: None can.
    """
    able = [part for part in model.children() if getattr(part, "_supports_gradient_checkpointing", False)]
    if not able:
        raise UsageError("this member cannot checkpoint gradients", "", "leave the option out")
    for part in able:
        cast("Any", part).enable_gradient_checkpointing()


class _Batches(Dataset[Batch]):
    """The batches of a run by number, those of a step's forward passes one after another.

    Args:
        recipe: That makes them.
        settings: Of the run.
        process: Which of several processes asks; each has forward passes of its own.
    """

    def __init__(self, recipe: Recipe, settings: TrainSettings, process: int) -> None:
        self.recipe, self.settings = recipe, settings
        self.parts = settings.gradient_accumulation_steps
        self.first = process * self.parts

    def __getitem__(self, number: int) -> Batch:
        """What is drawn for a forward pass of step ``number // parts``."""
        step, part = divmod(number, self.parts)
        recipe, at = self.recipe, (step, self.first + part, self.settings)
        return recipe.drawn_batch(*at) if isinstance(recipe, EncodingRecipe) else recipe.batch(*at)

    def since(self, step: int) -> Iterator[Batch]:
        """All batches from a step to the run's end, drawn ahead by worker processes if there are any."""
        workers = self.settings.dataloader_num_workers
        numbers = range(step * self.parts, self.settings.max_train_steps * self.parts)
        return iter(
            DataLoader(
                self,
                batch_size=None,
                sampler=cast("Any", numbers),  # any sequence of numbers will do
                num_workers=workers,
                prefetch_factor=_DRAWN_AHEAD if workers else None,
                multiprocessing_context="fork" if workers else None,
                generator=torch.Generator(),
            )
        )


class _Run:
    """The state of one run."""

    def __init__(
        self, recipe: Recipe, settings: TrainSettings, output: Path, stop_requested: Callable[[], bool]
    ) -> None:
        self.recipe, self.settings, self.output = recipe, settings, output
        self.stop_requested, self.step, self.minutes = stop_requested, 0, 0.0
        self.checkpoints, self.log = output / "checkpoints", output / "log.jsonl"
        self.accelerator = Accelerator(
            mixed_precision=training_precision(settings.mixed_precision),
            gradient_accumulation_steps=settings.gradient_accumulation_steps,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        model = recipe.trained.to(self.accelerator.device)
        if settings.gradient_checkpointing:
            _checkpoint_gradients(model)
        self.learnt = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            self.learnt, settings.learning_rate, weight_decay=settings.adam_weight_decay, betas=(0.9, 0.99)
        )
        averaging: dict[str, Any] = {"use_ema_warmup": True, "inv_gamma": 1.0, "power": 0.75, "foreach": True}
        self.ema = EMAModel(self.learnt, decay=settings.ema_decay, **averaging)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.accelerator.register_for_checkpointing(self.ema)

    def restore(self) -> None:
        """Load the newest checkpoint and drop log lines that are younger."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        done = self._kept()
        if done:
            self.accelerator.load_state(str(done[-1]))
            self.ema.to(self.accelerator.device)  # loaded on the CPU
            state = json.loads((done[-1] / "progress.json").read_text("utf-8"))
            self.step, self.minutes = int(state["step"]), float(state["minutes"])
        if not self.accelerator.is_main_process or not self.log.exists():
            return
        lines = self.log.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] < self.step]
        write_atomically(self.log, lambda file: file.write("".join(kept).encode()))

    def go(self, board: SummaryWriter | None) -> Progress:
        """Step until the end or the time limit."""
        settings, began = self.settings, time.monotonic()
        before, kept = self.minutes, time.monotonic()
        self.model.train()
        batches = _Batches(self.recipe, settings, self.accelerator.process_index).since(self.step)
        while self.step < settings.max_train_steps:
            loss, seconds = self._step(batches)
            self.minutes = before + (time.monotonic() - began) / 60
            if board:
                self._note(loss, seconds, board)
            now = time.monotonic()
            over, due = self._agreed(
                (settings.max_minutes > 0 and now - began >= 60 * settings.max_minutes)
                or self.stop_requested(),
                now - kept >= 60 * settings.checkpointing_minutes,
            )
            if over or due:
                self._keep(board)
                kept = time.monotonic()
            if over:
                break
        done = self.step >= settings.max_train_steps
        self._keep(board)
        return Progress(self.step, self.minutes, done)

    def _agreed(self, *decisions: bool) -> list[bool]:
        """The first process's decisions: clocks differ, and all must stop at the same step."""
        answer = list(decisions)
        if self.accelerator.num_processes > 1:
            broadcast_object_list(answer)
        return answer

    def _step(self, batches: Iterator[Batch]) -> tuple[float, float]:
        began = time.monotonic()
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_at(self.step)
        total = 0.0
        for part in range(self.settings.gradient_accumulation_steps):
            batch = next(batches)
            if isinstance(self.recipe, EncodingRecipe):
                batch = self.recipe.encoded_batch(batch, self.settings)
            device = self.accelerator.device
            placed = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.items()}
            with self.accelerator.accumulate(self.model):
                loss = self._loss(placed, part)
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    self.accelerator.clip_grad_norm_(self.learnt, self.settings.max_grad_norm)
                self.optimizer.step()
                self.optimizer.zero_grad()
            total += float(loss.detach()) / self.settings.gradient_accumulation_steps
        self.ema.step(self.learnt)
        self.step += 1
        mine = torch.tensor(total).to(self.accelerator.device)
        mean = cast("Tensor", self.accelerator.reduce(mine, "mean"))
        return mean.item(), time.monotonic() - began

    def _loss(self, batch: Batch, part: int) -> Tensor:
        """The forward pass; dropout knows only the global generator, which is forked and seeded for it."""
        place = [self.settings.seed, self.step, part, self.accelerator.process_index]
        with torch.random.fork_rng():
            torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1)[0]))
            return self.model(batch)

    def _note(self, loss: float, seconds: float, board: SummaryWriter) -> None:
        passes = self.settings.gradient_accumulation_steps * self.accelerator.num_processes
        samples = self.settings.train_batch_size * passes
        line = {
            "step": self.step - 1,
            "loss": loss,
            "lr": self.settings.learning_rate_at(self.step - 1),
            "samples_per_s": round(samples / seconds, 2),
            "minutes": round(self.minutes, 3),
        }
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name in ("loss", "lr", "samples_per_s"):
            board.add_scalar(name, line[name], self.step - 1)

    def _keep(self, board: SummaryWriter | None) -> None:
        """Checkpoint, samples and the member itself, each whole or not at all; old checkpoints go."""
        target = self.checkpoints / f"step-{self.step:08d}"
        if target.exists():
            return
        part = self.checkpoints / f"part-{self.step:08d}"
        if board:
            shutil.rmtree(part, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(part), safe_serialization=True)
        self.accelerator.wait_for_everyone()
        if board:
            progress = {"step": self.step, "minutes": self.minutes, "settings": asdict(self.settings)}
            (part / "progress.json").write_text(json.dumps(progress, indent=1), "utf-8")
            part.rename(target)
            for old in self._kept()[: -self.settings.checkpoints_total_limit]:
                shutil.rmtree(old)
            self._show(board)
        self.accelerator.wait_for_everyone()

    def _kept(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        return sorted(p for p in self.checkpoints.iterdir() if p.name.startswith("step-"))

    def _show(self, board: SummaryWriter) -> None:
        """Samples of the averaged weights, and the member as it stands."""
        self.ema.store(self.learnt)
        self.ema.copy_to(self.learnt)
        self.model.eval()
        try:
            (self.output / "grids").mkdir(exist_ok=True)
            grid = self.recipe.grid()
            write_png(self.output / "grids" / f"{self.step:08d}.png", grid)
            board.add_image("samples", grid, self.step, dataformats="HWC")
            part, target = self.output / "model.part", self.output / "model"
            shutil.rmtree(part, ignore_errors=True)
            self.recipe.save(part)
            self._measure(board)
            draw_curve(self.log, self.output / "curve.png")
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
        finally:
            self.ema.restore(self.learnt)
            self.model.train()

    def _measure(self, board: SummaryWriter) -> None:
        """Append what the recipe measures to ``measures.jsonl``."""
        if not isinstance(self.recipe, MeasuredRecipe):
            return
        measures = dict(self.recipe.measures())
        with (self.output / "measures.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, "minutes": round(self.minutes, 3), **measures}) + "\n")
        for name, value in measures.items():
            board.add_scalar(name, value, self.step)
