"""The finish learns, keeps to what was painted, and a run that was cut off goes on exactly."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from handwright.errors import UsageError
from handwright.metrics.extractors.network import load_network
from handwright.training.finish_pairs import FinishPairs
from handwright.training.finish_planes import OLD, PAINTED, PLANES, SHARE, SIDE
from handwright.training.loop import train
from handwright.training.networks.finish import (
    Finish,
    FinishConfig,
    FinishNetwork,
    chosen,
    finished_picture,
)
from handwright.training.recipes.finish import (
    FinishLossParams,
    FinishRecipe,
    fine_detail,
    slope,
    tensors,
    unlike_detail,
)
from handwright.training.settings import TrainSettings

SMALL = FinishConfig(widths=(8, 8), detail=4)


class SquaredDistance(nn.Module):
    """Stands in for the perceptual distance, whose weights are an extra package."""

    def forward(self, a, b):
        return (a - b).square().mean()


def drawn_pairs(count=45):
    """Discs drawn grey that were photographed redder; in the left half the old picture is right already.

    Every third is rendered; two of each kind are held out.
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE]
    disc = np.hypot(y - SIDE / 2, x - SIDE / 2) < 70
    planes = np.zeros((count, SIDE, SIDE, PLANES), np.float32)
    planes[..., :3] = rng.uniform(-0.4, 0.4, (count, 1, 1, 1))
    planes[..., SHARE] = planes[..., PAINTED] = disc
    photograph = planes[..., :3] + disc[..., None] * np.array([0.3, 0.0, -0.1])
    wrong = disc & (x > SIDE / 2)
    planes[..., OLD] = photograph * ~wrong[..., None] + 0.8 * wrong[..., None]
    return FinishPairs(
        planes.astype(np.float16),
        np.rint((photograph + 1) * 127.5).astype(np.uint8),
        np.array([f"picture {k} left" for k in range(count)]),
        np.arange(count) % 3 == 1,
    )


PAIRS = drawn_pairs()


def recipe(**params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return FinishRecipe(FinishNetwork(SMALL), PAIRS, FinishLossParams(**params), SquaredDistance())


def settings(**changes):
    common = {
        "train_batch_size": 2,
        "max_train_steps": 6,
        "lr_warmup_steps": 1,
        "resolution": 64,
        "learning_rate": 4e-3,
        "mixed_precision": "no",
    }
    return TrainSettings(**(common | changes))


def losses(output):
    return [json.loads(line)["loss"] for line in (output / "log.jsonl").read_text("utf-8").splitlines()]


def test_a_run_that_was_cut_off_goes_on_with_the_same_losses(tmp_path):
    early = {"discriminator_from": 2, "adversarial_from": 3}
    train(recipe(**early), settings(), tmp_path / "whole")
    partly = tmp_path / "partly"
    first = train(recipe(**early), settings(max_minutes=1e-9), partly)
    assert first.step == 1
    train(recipe(**early), settings(), partly, resume=True)
    assert losses(partly) == losses(tmp_path / "whole")


def test_it_learns_and_what_is_saved_loads_and_does_the_same(tmp_path):
    made = recipe()
    train(made, settings(max_train_steps=60, lr_decay_steps=1, ema_decay=0.5), tmp_path)
    measures = json.loads((tmp_path / "measures.jsonl").read_text("utf-8").splitlines()[-1])
    for kind in ("photographs", "renders"):
        assert measures[f"colour_finished_{kind}"] < 0.7 * measures[f"colour_drawn_{kind}"]
        assert measures[f"colour_finished_{kind}"] < 0.7 * measures[f"colour_old_{kind}"]
    folder = tmp_path / "model" / "finish"
    saved = load_network(folder, "a finish", lambda fields: FinishNetwork(FinishConfig(**fields)))
    planes, _ = tensors(PAIRS.where(np.arange(1)))
    with torch.no_grad():
        finish = saved(planes)
    assert float(finish.change.abs().max()) > 0.02
    painted, wrong = planes[0, PAINTED] > 0, planes[0, OLD].amax(0) > 0.7
    kept = finish.kept[0, 0]
    assert float(kept[painted & ~wrong].mean()) > float(kept[painted & wrong].mean()) + 0.3


def test_it_begins_near_the_drawn_hand_and_never_changes_what_was_not_painted():
    network = FinishNetwork(SMALL)
    planes = torch.rand(1, PLANES, 64, 64)
    planes[:, PAINTED] = 1
    planes[:, PAINTED, :, 32:] = 0
    with torch.no_grad():
        finish = network(planes)
        assert float(finish.change.abs().max()) == 0
        assert float(finish.kept.max()) < 0.2
        nn.init.normal_(network.last[-1].weight)
        picture = finished_picture(planes, network(planes))
    assert torch.equal(picture[..., 32:], planes[:, OLD, :, 32:])
    assert float((picture - planes[:, OLD])[..., :32].abs().max()) > 0


def test_what_is_kept_are_the_old_pixels_and_the_rest_is_drawn_and_changed():
    planes = torch.rand(1, PLANES, 8, 8)
    planes[:, PAINTED] = 1
    kept = torch.zeros(1, 1, 8, 8)
    kept[..., :4] = 1
    picture = finished_picture(planes, Finish(kept, torch.full((1, 3, 8, 8), 0.1)))
    assert torch.equal(picture[..., :4], planes[:, OLD, :, :4])
    assert torch.allclose(picture[..., 4:], planes[:, :3, :, 4:] + 0.1)


def test_a_choice_is_old_or_new_with_soft_borders_and_learns_as_if_it_were_the_share():
    shares = torch.full((1, 1, 8, 8), 0.3)
    shares[..., 4:] = 0.6
    shares.requires_grad_()
    kept = chosen(Finish(shares, torch.zeros(1, 3, 8, 8))).kept
    assert torch.equal(kept[0, 0, 0].detach(), torch.tensor([0, 0, 0, 1 / 3, 2 / 3, 1, 1, 1]))
    kept.sum().backward()
    assert torch.equal(shares.grad, torch.ones_like(shares))


def test_a_border_costs_what_old_and_new_differ_there():
    shares = torch.zeros(1, 1, 8, 8)
    shares[..., 4:] = 1
    assert torch.equal(slope(shares).sum((0, 1, 2)), torch.tensor([0.0, 0, 0, 8, 0, 0, 0, 0]))
    assert torch.equal(slope(shares.mT), slope(shares).mT)


def test_detail_counts_where_it_is_stronger_or_weaker_than_wanted_and_only_there():
    noise = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    everywhere = torch.ones(1, 1, 64, 64)
    smooth = torch.zeros(1, 3, 64, 64)
    assert float(unlike_detail(noise, noise, everywhere)) == 0
    speckled = float(unlike_detail(noise, smooth, everywhere))
    assert speckled == pytest.approx(float((fine_detail(noise) - fine_detail(smooth)).mean()), rel=1e-4)
    smudged = float(unlike_detail(smooth, noise, everywhere))
    assert 0.5 * speckled < smudged < speckled
    assert float(unlike_detail(noise, smooth, everywhere * 0)) == 0


def test_samples_show_one_place_in_every_picture_and_are_shrunk_at_most_as_said():
    ramped = drawn_pairs()
    ramped.planes[..., 7] = np.arange(SIDE) / SIDE
    made = FinishRecipe(FinishNetwork(SMALL), ramped, None, SquaredDistance())
    zooms = []
    for step in range(6):
        batch = made.batch(step, 0, settings())
        planes, photograph = batch["planes"], batch["photograph"]
        assert planes.shape == (2, PLANES, 64, 64)
        sound = (planes[:, PAINTED] == 1) & ((planes[:, OLD] - photograph).abs().amax(1) < 0.01)
        wrong = (planes[:, PAINTED] == 1) & ((planes[:, OLD] - photograph).abs().amax(1) > 0.1)
        assert sound.any() or wrong.any()
        redder = (photograph[:, 0] - planes[:, 0]) > 0.1
        assert (redder != (planes[:, PAINTED] > 0.5)).float().mean() < 0.03
        assert (planes[:, 1] - photograph[:, 1]).abs().max() < 0.02
        zooms += (planes[:, 7].diff(dim=-1).abs().median(-1).values.median(-1).values * SIDE).tolist()
    assert 0.99 < min(zooms) < max(zooms) < 1.01 / made.params.least_zoom
    assert max(zooms) > 1.1


def test_mirrored_samples_have_mirrored_normals():
    slanted = drawn_pairs(8)  # the seventh is held out
    slanted.planes[..., 4] = 0.5
    made = FinishRecipe(FinishNetwork(SMALL), slanted, None, SquaredDistance())
    signs = set()
    for step in range(8):
        planes = made.batch(step, 0, settings())["planes"]
        signs |= set(torch.sign(planes[:, 4]).unique().tolist())
    assert signs == {-1.0, 1.0}


def test_hands_of_one_picture_are_held_out_together():
    names = np.array([f"p{k} {side}" for k in range(200) for side in ("left", "right")])
    empty = np.zeros((400, 1))
    held = FinishPairs(empty, empty, names, np.zeros(400, np.bool_)).held_out()
    assert (held[::2] == held[1::2]).all()
    assert 0 < held.mean() < 0.15


def test_too_few_pairs_to_hold_any_out_are_refused():
    with pytest.raises(UsageError, match="too few"):
        FinishRecipe(FinishNetwork(SMALL), drawn_pairs(2), None, SquaredDistance())
