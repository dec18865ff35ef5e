"""A run is known by the judge's weights, too."""

from __future__ import annotations

import hashlib

import pytest

from handwright.review.critic import onnx_critic
from handwright.review.proposals import network as proposals
from handwright.workflow import Request, refine_files, weights
from handwright.workflow.report.document import versions
from tests.workflow.fakes import picture


@pytest.fixture
def packaged(monkeypatch, tmp_path_factory):
    """A folder of packaged weights that are a few bytes each; no proposal network is among them."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "critic").mkdir()
    (folder / "critic/critic.onnx").write_bytes(b"network")
    (folder / "critic/calibration.json").write_text("{}")
    (folder / "critic/README.md").write_text("words")
    monkeypatch.setattr(weights, "_PACKAGED", folder)
    return folder


def test_the_judge_is_made_of_the_files_that_it_loads():
    places = [weights._PACKAGED / name for name in weights.JUDGING]
    critics, calibration, proposer = places
    assert critics.parent == calibration.parent == onnx_critic.PACKAGED
    assert proposer == proposals.PACKAGED / proposals.FILE


@pytest.mark.usefixtures("packaged")
def test_the_digests_are_those_of_the_files_that_are_there():
    assert weights.judge_digests() == {
        "critic/critic.onnx": hashlib.sha256(b"network").hexdigest(),
        "critic/calibration.json": hashlib.sha256(b"{}").hexdigest(),
    }


@pytest.mark.parametrize("name", weights.JUDGING)
def test_other_weights_make_another_run(packaged, name):
    before = Request().fingerprint("refine")
    assert Request().fingerprint("refine") == before
    (packaged / name).parent.mkdir(exist_ok=True)
    (packaged / name).write_bytes(b"trained on")
    assert Request().fingerprint("refine") != before
    assert versions()[name] == hashlib.sha256(b"trained on").hexdigest()[:16]


def test_what_was_done_by_another_critic_is_done_again(here, packaged):
    picture(here / "a.png")
    refine_files(["a.png"], "b.png")
    assert refine_files(["a.png"], "b.png").outcomes[0].resumed
    (packaged / "critic/calibration.json").write_text("{ }")
    assert not refine_files(["a.png"], "b.png").outcomes[0].resumed


def test_onnx_runtime_is_among_the_versions():
    assert versions()["onnxruntime"][0].isdigit()


@pytest.mark.parametrize(
    "name", ["model_index.json", "scheduler/scheduler_config.json", "unet/weights.safetensors"]
)
def test_a_pipeline_is_known_by_its_networks_noise_levels_and_recommendations(tmp_path, name):
    for place in ("model_index.json", "scheduler/scheduler_config.json", "unet/weights.safetensors"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text('{"value": 1}')
    before = weights.folder_digests(str(tmp_path))
    (tmp_path / name).write_text('{"value": 2}')
    after = weights.folder_digests(str(tmp_path))
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert {key for key in before if before[key] != after[key]} == {name}


def test_who_wrote_a_pipeline_and_files_that_it_does_not_load_are_no_part_of_it(tmp_path):
    (tmp_path / "model_index.json").write_text('{"value": 1, "_diffusers_version": "0.36"}')
    before = weights.folder_digests(str(tmp_path))
    (tmp_path / "model_index.json").write_text('{"_diffusers_version": "0.42", "value": 1}')
    (tmp_path / "all_in_one.safetensors").write_bytes(b"not loaded")
    assert weights.folder_digests(str(tmp_path)) == before
