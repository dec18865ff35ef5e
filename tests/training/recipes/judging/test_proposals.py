"""``proposals``: maps of known hands give the hands back; what it learns from, and how it is kept and run."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from handwright.data.shards import Entry, write_shard
from handwright.errors import MissingModelError
from handwright.metrics.extractors.network import save_network
from handwright.review.proposals.network import FILE, MAPS, Proposer, decode
from handwright.training.networks.proposals import (
    ProposalConfig,
    ProposalNetwork,
    load_proposals,
)
from handwright.training.recipes.judging.proposals import ProposalRecipe, batch_of, heat_loss, target_maps
from handwright.training.streams.proposal_windows import Window, WindowStream, hand_free_cut
from handwright.training.streams.whole_pictures import (
    LabelledPicture,
    is_calibration,
    labelled,
    load_pictures,
)
from release_packaging import export_onnx
from tests.training.drawn_hands import overfit, settings

SIDE = 64
LITTLE = ProposalConfig("little", SIDE, joined=16)


def hand_at(x, y, size, angle):
    """21 points whose box has this middle and longer side, wrist to middle knuckle in that direction."""
    along, across = (
        np.array([math.cos(angle), math.sin(angle)]),
        np.array([-math.sin(angle), math.cos(angle)]),
    )
    shares = np.random.default_rng(1).uniform(-0.3, 0.3, (21, 2))
    shares[[0, 9]] = [[-0.5, 0], [0.1, 0]]
    points = shares[:, :1] * along + shares[:, 1:] * across
    points *= size / np.ptp(points, axis=0).max()
    return (points - (points.min(0) + points.max(0)) / 2 + [x, y]).astype(np.float32)


def told(hands, side=256):
    """Maps that say exactly what they should of these hands."""
    maps = target_maps(np.array(hands), np.ones(len(hands), np.bool_), side)
    heat = np.clip(maps.heat, 1e-6, 1 - 1e-6)
    logits = np.log(heat / (1 - heat))
    return {"heat": logits, "log_size": maps.log_size, "direction": maps.direction, "offset": maps.offset}


@pytest.mark.parametrize("size", [20.0, 60.0, 240.0, 330.0])
def test_decoding_the_target_maps_gives_the_hands_back(size):
    hands = (
        [(128.0, 120.0, size, 0.7)] if size > 100 else [(60.5, 70.0, size, -2.0), (190.0, 201.3, size, 1.5)]
    )
    found = decode(told([hand_at(*hand) for hand in hands]), 256, 0.5)
    assert len(found) == len(hands)
    for x, y, extent, angle in hands:
        best = min(found, key=lambda one: math.dist(one.region.center_px, (x, y)))
        assert math.dist(best.region.center_px, (x, y)) < 0.01
        assert best.region.size_px == pytest.approx(extent, rel=1e-4)
        assert best.region.toward_rad == pytest.approx(angle, abs=1e-4)
        assert best.score > 0.99


def test_a_target_is_one_in_exactly_the_cell_of_each_middle():
    maps = target_maps(
        np.stack([hand_at(60, 70, 40, 0), hand_at(190, 200, 90, 1)]), np.ones(2, np.bool_), 256
    )
    assert set(zip(*(part.tolist() for part in np.nonzero(maps.heat == 1)), strict=True)) == {
        (8, 7),
        (25, 23),
    }
    assert maps.here.sum() == pytest.approx(2, abs=1e-4)
    assert maps.here[8, 7] > 0.7, "a small hand's middle lies in one cell"
    assert maps.here[25, 23] < 0.5
    assert maps.near[8, 7] == 1
    assert maps.near[0, 31] == 0


def test_where_a_hand_points_does_not_count_if_nobody_knows():
    maps = target_maps(hand_at(60, 70, 40, 0)[None], np.zeros(1, np.bool_), 256)
    assert maps.near.any()
    assert not maps.directed.any()


def test_the_heats_loss_is_nothing_for_the_truth_and_ignores_what_is_not_counted():
    wanted = torch.zeros(1, 4, 4)
    wanted[0, 1, 1] = 1.0
    counted = torch.ones_like(wanted)
    right = torch.where(wanted == 1, 12.0, -12.0)
    assert float(heat_loss(right, wanted, wanted, counted)) < 1e-4
    wrong = right.clone()
    wrong[0, 3, 3] = 5.0
    assert float(heat_loss(wrong, wanted, wanted, counted)) > 1
    counted[0, 3, 3] = 0
    assert float(heat_loss(wrong, wanted, wanted, counted)) < 1e-4
    assert float(heat_loss(-right, wanted, wanted, counted)) > 5


def drawn_pictures(count=6, complete=True):
    """Bright fans on noise, each in the middle of its picture."""
    rng, pictures = np.random.default_rng(5), []
    for k in range(count):
        pixels = rng.integers(0, 60, (96, 96, 3), np.uint8)
        points = hand_at(48, 48, 40, k)
        for x, y in points.astype(int):
            pixels[y - 2 : y + 3, x - 2 : x + 3] = 230
        known = np.ones(1, np.bool_)
        pictures.append(LabelledPicture(pixels, points[None], known, known, complete, "defects"))
    return pictures


@pytest.fixture(scope="module")
def stream():
    return WindowStream(drawn_pictures(), SIDE)


def test_windows_are_the_same_for_the_same_generator_and_keep_hands_where_they_are_drawn(stream):
    bright, others = [], []
    for seed in range(40):
        one, two = (stream.draw(np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(one.pixels, two.pixels)
        assert np.array_equal(one.hands, two.hands)
        grey = one.pixels.astype(float).mean(2)
        for points in one.hands:
            at = np.floor(points).astype(int)
            inside = ((at >= 1) & (at < SIDE - 1)).all(1)
            bright.append(grey[at[inside, 1], at[inside, 0]].mean())
            others.append(grey.mean())
    assert len(bright) > 20
    assert np.mean(np.array(bright) > np.array(others)) > 0.9


def test_hands_come_in_all_sizes_and_some_windows_have_none(stream):
    windows = [stream.draw(np.random.default_rng(seed)) for seed in range(150)]
    sizes = np.array([np.ptp(points, axis=0).max() / SIDE for w in windows for points in w.hands])
    assert sizes.min() < 0.2
    assert sizes.max() > 1.0
    assert 0.1 < np.mean([len(w.hands) == 0 for w in windows]) < 0.4


def test_a_hand_free_part_holds_no_point_of_a_hand():
    picture, rng, cuts = drawn_pictures(1)[0], np.random.default_rng(2), 0
    for _ in range(60):
        cut = hand_free_cut(rng, picture, least=0.1)
        if cut is not None:
            cuts += 1
            assert cut.max() < 100
    assert cuts > 5


def test_what_is_not_labelled_counts_only_near_known_hands():
    stream = WindowStream(drawn_pictures(complete=False), SIDE)
    windows = [stream.draw(np.random.default_rng(seed)) for seed in range(40)]
    alone = [w for w in windows if len(w.hands) == 1 and np.ptp(w.hands[0], axis=0).max() > 0.5 * SIDE]
    assert any(not w.counted.all() for w in alone)
    for window in alone:
        low, high = window.hands[0].min(0), window.hands[0].max(0)
        x, y = np.clip((low + high) / 2 / 8, 0, SIDE // 8 - 1).astype(int)
        assert window.counted[y, x]


def test_hands_known_by_a_box_alone_have_its_middle_and_size_and_no_direction():
    record = {"kind": "photographs", "domain": "photograph", "complete": True, "hands": []}
    picture = labelled(np.zeros((80, 90, 3), np.uint8), record | {"boxes_xyxy_px": [[10, 20, 50, 80]]})
    assert np.allclose(picture.hands[0].min(0), [10, 20], atol=0.4)
    assert np.allclose(picture.hands[0].max(0), [50, 80], atol=0.4)
    assert picture.directed.tolist() == [False]
    assert picture.complete


def test_training_and_calibration_share_no_picture_and_no_photograph(tmp_path):
    records = [{"kind": "hands", "seed": 1, "index": k} for k in range(400)]
    kept = [is_calibration(record) for record in records]
    assert 0.05 < np.mean(kept) < 0.16
    name = "4d031b59"
    assert is_calibration({"sha256": name}) == is_calibration({"photograph": {"sha256": name}, "index": 5})
    hand = {"keypoints_px": hand_at(20, 20, 20, 0).tolist(), "visible": [True] * 21}
    rest = {"domain": "3D rendered image", "place": "desk", "hands": [hand]}
    entries = (
        Entry(f"{k:08d}", {"image": np.full((40, 40, 3), k, np.uint8)}, record | rest)
        for k, record in enumerate(records[:60])
    )
    write_shard(tmp_path / "hands.tar", entries)
    parts = [load_pictures(tmp_path, 40, calibration=part) for part in (True, False)]
    shown = [{int(picture.pixels[0, 0, 0]) for picture in part} for part in parts]
    assert shown[0] == {k for k in range(60) if kept[k]}
    assert shown[1] == set(range(60)) - shown[0]


def test_the_loss_on_a_batch_seen_again_and_again_falls_and_the_hands_are_found(stream, tmp_path):
    torch.manual_seed(0)
    recipe = ProposalRecipe(ProposalNetwork(LITTLE), stream)
    losses = overfit(recipe, tmp_path, 60, count=6)
    assert losses[-1] < 0.35 * losses[0]
    network = load_proposals(tmp_path / "model" / "proposals")
    assert sum(p.numel() for p in ProposalNetwork(ProposalConfig("x")).parameters()) <= 3_100_000
    with torch.no_grad():
        again = [network(torch.zeros(1, 3, SIDE, SIDE)).heat for _ in range(2)]
    assert torch.equal(*again)
    assert again[0].shape == (1, SIDE // 8, SIDE // 8)


def test_a_trained_network_can_go_on_with_larger_pictures(tmp_path):
    save_network(ProposalNetwork(LITTLE), LITTLE, tmp_path)
    larger = load_proposals(tmp_path, 2 * SIDE)
    assert larger.config.size_px == 2 * SIDE
    pictures = torch.zeros(1, 3, 2 * SIDE, 2 * SIDE)
    with torch.no_grad():
        told, again = larger(pictures).heat, load_proposals(tmp_path)(pictures).heat
    assert told.shape == (1, SIDE // 4, SIDE // 4)
    assert torch.equal(told, again)


def test_a_network_that_is_missing_or_damaged_is_said_to_be(tmp_path):
    with pytest.raises(MissingModelError, match="no proposal network"):
        load_proposals(tmp_path)
    with pytest.raises(MissingModelError, match="does not load"):
        Proposer.load(tmp_path)
    save_network(ProposalNetwork(LITTLE), LITTLE, tmp_path)
    data = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(data[: len(data) // 2])
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(MissingModelError, match="does not load"):
        load_proposals(tmp_path)
    with pytest.raises(MissingModelError, match="does not load"):
        Proposer.load(tmp_path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A random network, and the file that it was written to."""
    torch.manual_seed(3)
    network, folder = ProposalNetwork(LITTLE), tmp_path_factory.mktemp("onnx")
    network(torch.randn(16, 3, SIDE, SIDE))
    with torch.no_grad():
        network.head.weight.normal_(0, 0.3)
    meta = {"size_px": str(SIDE), "limit": "0.25", "sure": "0.5", "name": LITTLE.name}
    export_onnx(network.eval(), torch.zeros(1, 3, SIDE, SIDE), MAPS, meta, folder / FILE)
    return network, folder


def test_the_runner_says_what_torch_says(exported):
    network, folder = exported
    proposer = Proposer.load(folder)
    assert (proposer.size_px, proposer.threshold, proposer.sure) == (SIDE, 0.25, 0.5)
    pictures = torch.rand(3, 3, SIDE, SIDE) * 2 - 1
    with torch.no_grad():
        wanted = network(pictures)
    got = proposer.session.run(list(MAPS), {"pictures": pictures.numpy()})
    for one, other in zip(wanted, got, strict=True):
        assert np.abs(one.numpy() - other).max() < 0.01 * float(one.abs().max())


def test_the_file_is_small_because_weights_are_halved(exported):
    network, folder = exported
    numbers = sum(p.numel() for p in network.parameters())
    assert (folder / FILE).stat().st_size < 2 * numbers + 65_000


def test_windows_make_batches_that_the_loss_reads(stream):
    windows = [stream.draw(np.random.default_rng(k)) for k in range(4)]
    empty = Window(
        windows[0].pixels, np.zeros((0, 21, 2), np.float32), np.zeros(0, np.bool_), windows[0].counted
    )
    batch = batch_of([*windows, empty])
    assert batch["pictures"].shape == (5, 3, SIDE, SIDE)
    assert batch["heat"].shape == batch["counted"].shape == (5, SIDE // 8, SIDE // 8)
    recipe = ProposalRecipe(ProposalNetwork(LITTLE), stream)
    assert torch.isfinite(recipe.trained(batch))
    assert torch.equal(recipe.batch(3, 0, settings())["pictures"], recipe.batch(3, 0, settings())["pictures"])
