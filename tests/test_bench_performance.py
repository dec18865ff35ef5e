"""The performance page: its network has the published size, its tables land between their markers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import mesh_graphormer
import performance


def test_the_backbone_with_a_classifier_has_hrnet_w64s_published_128_1_million_parameters():
    with torch.device("meta"):
        counted = mesh_graphormer.parameters(mesh_graphormer.HRNetW64())
    assert counted + 2048 * 1000 + 1000 == pytest.approx(128.1e6, abs=0.05e6)


def test_the_network_gives_joints_and_vertices_of_a_crop():
    with torch.device("meta"):
        joints, vertices = mesh_graphormer.MeshGraphormer().eval()(torch.zeros(2, 3, 224, 224))
    assert (joints.shape, vertices.shape) == ((2, 21, 3), (2, 778, 3))


def test_the_page_has_a_place_for_every_part_and_a_table_replaces_the_last_one():
    page = performance.PAGE.read_text("utf-8")
    for part in performance.PARTS:
        once = performance.put(page, part, ["| first |"])
        twice = performance.put(once, part, ["| second |"])
        assert "| second |" in twice
        assert "| first |" not in twice
        assert len(twice.splitlines()) == len(once.splitlines())
    with pytest.raises(ValueError, match="no markers"):
        performance.put(page, "no part", [])


def test_hands_stand_side_by_side_whole_in_the_middle_of_the_frame():
    squares = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30)]
    frame = performance.framed(squares, 12, 9)
    assert [(frame[..., 0] == value).sum() >= 16 for value in (20, 30)] == [True, True]
    assert frame[2:6, 0:4, 0].tolist() == [[10] * 4] * 4
    assert (frame[6:10, 0:4, 0] == 30).all()


def test_the_interval_of_equal_values_is_that_value():
    assert performance.interval([2.0, 2.0, 2.0]) == "2.00 [2.00, 2.00]"


@pytest.mark.parametrize("part", performance.PARTS)
def test_a_part_that_fails_leaves_the_page_as_it_is(part, monkeypatch, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("as it was")
    monkeypatch.setattr(performance, "PAGE", page)
    monkeypatch.setattr(performance, "BENCH", tmp_path)
    monkeypatch.setattr(sys, "argv", ["performance.py", "--only", part, "--write"])
    assert performance.main() == 1
    assert page.read_text() == "as it was"
    assert f"failed: {part}" in capsys.readouterr().err
