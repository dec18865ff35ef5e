"""The two stages run after each other, and what they leave is a pipeline that paints and repaints."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from handwright.data.synthesise import synthesise
from handwright.diffusion.loading.zoo import load_models
from handwright.handiffuser.pipeline import HanDiffuserPipeline
from handwright.training.in_memory import packs
from handwright.two_stage.networks.outpainter import Outpainter
from tests.training.in_memory.test_posed_people import write_people
from tests.training.recipes.test_autoencoder import small_vae

SCRIPTS = Path(__file__).parents[2] / "scripts"


def called(name, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """Six rendered hands, every third held out, and three people, as packs."""
    synthesise(tmp_path / "data" / "hands", "hands", count=6, seed=3, size=64)
    write_people(tmp_path / "data" / "people")
    monkeypatch.setattr(packs, "held_out", lambda name: int(name[-1]) % 3 == 0)
    called("pack_pictures.py", monkeypatch, tmp_path / "data", "-o", tmp_path / "packs")
    return tmp_path / "packs"


def test_a_run_leaves_two_models_and_sheets_and_can_be_gone_on_from(packed, tmp_path, monkeypatch):
    small_vae().save_pretrained(tmp_path / "vae")
    run = tmp_path / "run"
    called(
        "train_base_in_memory.py", monkeypatch, "--packs", packed, "--vae", tmp_path / "vae", "-o", run,
        "--device", "cpu", "--capacity", "8,2,2", "--minutes", ".01,.01", "--batch", "2,3",
        "--widths", "32,32", "--mix", ".34,.33,0,.33",
    )  # fmt: skip
    log = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    assert log[0] == {
        "seconds": log[0]["seconds"],
        "stage": "data",
        "hands": 4,
        "people": 1,
        "photographs": 0,
    }
    assert not [line for line in log if "problem" in line]
    assert {line["side"] for line in log if "held_out_loss" in line} == {128, 256}
    assert log[-1]["stage"] == "base_256 kept"
    assert (run / "texts_128.png").exists()
    assert (run / "repairs_256_hands.png").exists()
    plain, wide = (
        load_models(str(run / f"base_{side}"), dtype="float32", device="cpu") for side in (128, 256)
    )
    assert not plain.inpainting
    assert wide.inpainting
    assert wide.controlnet is not None
    assert wide.resolution == 256
    further = tmp_path / "further"
    called(
        "train_base_in_memory.py", monkeypatch, "--packs", packed, "--vae", tmp_path / "vae",
        "--model", run / "base_256", "-o", further, "--device", "cpu", "--capacity", "8,2,2",
        "--minutes", "0,.01", "--batch", "2,4", "--mix", ".25,.25,.25,.25",
    )  # fmt: skip
    log = [json.loads(line) for line in (further / "log.jsonl").read_text("utf-8").splitlines()]
    assert any("held_out_loss_with_hands" in line for line in log)
    assert (further / "hands_256_hands.png").exists()
    assert HanDiffuserPipeline.from_pretrained(further / "base_256").text_hand_encoder is not None
    for folder in (run, further):  # that it learns: tests/training/in_memory/test_posed_people.py
        outpainter = Outpainter.from_pretrained(folder / "base_256" / "outpainter")
        assert outpainter.config["conditioning_channels"] == 4


def test_what_is_packed_stays(packed, tmp_path, monkeypatch):
    before = {pack.name: pack.stat().st_mtime_ns for pack in packed.glob("*.npz")}
    assert {name.split("-")[0] for name in before} == {"hands", "people"}
    called("pack_pictures.py", monkeypatch, tmp_path / "data", "-o", packed)
    assert {pack.name: pack.stat().st_mtime_ns for pack in packed.glob("*.npz")} == before
