"""Steps learn, keep an average that lends itself for a while, and say why there is no graph."""

import pytest
import torch
from torch import nn

from handwright.training.in_memory.graphed_steps import GraphedSteps


class Line(nn.Module):
    """y = w x, to be learnt from y = 3 x."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        return ((self.weight - 3) * batch["x"]).square().mean()


def steps(**options):
    torch.manual_seed(0)
    return GraphedSteps(Line(), lambda: {"x": torch.randn(64)}, **options)


def test_it_learns_and_the_average_follows():
    run = steps(weight_decay=0.0)
    first = None
    for k in range(400):
        run.run(0.05, average=k % 10 == 9)
        first = float(run.loss) if first is None else first
    assert float(run.loss) < 0.01 * first
    assert float(run.average[0]) == pytest.approx(3, abs=0.3)
    assert run.graph is None
    assert run.why_not == "no CUDA device"


def test_the_average_stands_in_for_the_weights_during_a_block():
    run = steps()
    for _ in range(10):
        run.run(0.1, average=True)
    own = float(run.module.weight.detach())
    with run.averaged_weights():
        assert float(run.module.weight.detach()) == float(run.average[0])
        assert float(run.module.weight.detach()) != own
        assert not run.module.training
    assert float(run.module.weight.detach()) == own
    assert run.module.training


def test_a_fused_module_is_what_compile_makes_of_it(monkeypatch):
    asked = []

    def compiled(module, **options):
        asked.append(options)
        return lambda batch: module(batch) + 1

    monkeypatch.setattr(torch, "compile", compiled)
    plain, fused = steps(), steps(fuse=True)
    torch.manual_seed(0)
    plain.run(0.1, average=False)
    torch.manual_seed(0)
    fused.run(0.1, average=False)
    assert asked == [{"dynamic": False}]
    assert float(fused.loss) == pytest.approx(float(plain.loss) + 1)


def test_where_nothing_can_be_fused_steps_run_as_they_are(monkeypatch):
    def failing(_batch):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: failing)
    run = steps(fuse=True)
    for _ in range(2):
        run.run(0.1, average=False)
    assert float(run.module.weight.detach()) > 0
    assert run.why_not == "not fused: no compiler"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_graph_learns_what_single_steps_learn():
    found = []
    for capture in (False, True):
        torch.manual_seed(0)
        run = GraphedSteps(
            Line().cuda(), lambda: {"x": torch.ones(64, device="cuda")}, capture=capture, weight_decay=0.0
        )
        for _ in range(40):
            run.run(0.05, average=False)
        assert (run.graph is not None) == capture
        found.append(float(run.module.weight.detach()))
    assert found[0] == pytest.approx(found[1], rel=1e-3)
