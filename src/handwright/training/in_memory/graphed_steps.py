"""Training steps that a GPU repeats without waiting for the CPU: each is a replay of a captured CUDA graph.

A small network's step is hundreds of short kernels; launching them one by one takes longer than running them.
On other devices, and where a step cannot be captured, steps run as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_WARM_UP = 5  # Steps before the capture, as PyTorch's notes on CUDA graphs advise (3 or more)


class GraphedSteps:
    """Steps of one module: batch, loss, gradients, AdamW; and a moving average of the weights.

    Args:
        module: Its forward pass is the loss of a batch. On the device.
        draw: Makes a batch on the device from the default generator; always of the same shapes.
        max_grad_norm: Gradients are clipped to this norm.
        weight_decay: Decoupled weight decay.
        ema_decay: Of the moving average, once it is warm.
        capture: Whether to try a CUDA graph.
        fuse: Whether to have ``torch.compile`` fuse the module's kernels first: on a GPU most of a small
            network's step is reading and writing for norms and activations. Where it fails, steps run
            as they are, and ``why_not`` is the reason.
    """

    def __init__(
        self,
        module: nn.Module,
        draw: Callable[[], Mapping[str, Tensor]],
        *,
        max_grad_norm: float = 1.0,
        weight_decay: float = 0.01,
        ema_decay: float = 0.9995,
        capture: bool = True,
        fuse: bool = False,
    ) -> None:
        self.module, self.draw, self.max_grad_norm, self.ema_decay = module, draw, max_grad_norm, ema_decay
        self.learnt = [p for p in module.parameters() if p.requires_grad]
        self.device = self.learnt[0].device
        on_gpu = self.device.type == "cuda"
        self.rate = torch.tensor(0.0, device=self.device)
        self.optimizer = torch.optim.AdamW(
            self.learnt,
            lr=self.rate if on_gpu else 0.0,
            betas=(0.9, 0.99),
            weight_decay=weight_decay,
            fused=True,
            capturable=on_gpu,
        )
        self.average = [p.detach().clone() for p in self.learnt]
        self.capture, self.graph, self.loss = capture and on_gpu, None, torch.zeros((), device=self.device)
        self.loss_of: Callable[[Mapping[str, Tensor]], Tensor] = module
        if fuse:
            self.loss_of = torch.compile(module, dynamic=False)
        self.step, self.averaged = 0, 0
        self.why_not: str | None = None if self.capture else "no CUDA device"

    def run(self, learning_rate: float, average: bool) -> None:
        """One step; the loss lies in ``loss``. ``average``: move the average by the steps since it moved."""
        if self.device.type == "cuda":
            self.rate.fill_(learning_rate)
        else:
            self.optimizer.param_groups[0]["lr"] = learning_rate
        if self.capture and self.graph is None and self.step >= _WARM_UP:
            self._capture()
        if self.graph is not None:
            self.graph.replay()
        elif self.step == 0 and self.loss_of is not self.module:
            try:
                self._aside()
            except Exception as error:  # noqa: BLE001 - a compiler's errors are of many kinds
                self.loss_of, self.why_not = self.module, f"not fused: {error}"
                self._aside()
        else:
            self._aside()
        self.step += 1
        if average:
            since = self.step - self.averaged
            decay = min(self.ema_decay, 1 - (1 + self.step) ** -0.75) ** since
            for mean, own in zip(self.average, self.learnt, strict=True):
                mean.mul_(decay).add_(own.detach(), alpha=1 - decay)
            self.averaged = self.step

    def _aside(self) -> None:
        """A step on a stream of its own where a capture is to follow, else a plain one."""
        if not self.capture:
            self._once()
            return
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._once()
        torch.cuda.current_stream().wait_stream(stream)

    def _once(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        batch = self.draw()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = self.loss_of(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, self.max_grad_norm, foreach=True)
        self.optimizer.step()
        self.loss.copy_(loss.detach())

    def _capture(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._once()
        except RuntimeError as error:  # a step that waits for the CPU cannot be captured
            self.capture, self.why_not = False, str(error)
            torch.cuda.synchronize()
            return
        self.graph = graph

    @contextmanager
    def averaged_weights(self) -> Generator[None]:
        """The moving average in the module's place during the block."""
        kept = [p.detach().clone() for p in self.learnt]
        self._put(self.average)
        self.module.eval()
        try:
            yield
        finally:
            self.module.train()
            self._put(kept)

    def settle(self) -> None:
        """Give the module the moving average for good."""
        self._put(self.average)

    def _put(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for own, value in zip(self.learnt, values, strict=True):
                own.copy_(value)
