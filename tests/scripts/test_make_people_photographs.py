"""From LAION-Human's layout to what stage II is trained on: one person, their points, their hands' pixels."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from diffusers import ControlNetModel

import make_people_photographs as script
from handwright.apps.cli.main import run
from handwright.data.hands.body import hand_pixels
from handwright.data.people.sample import render_person
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import Body
from handwright.training.people_pictures import PeopleStream
from handwright.training.streams.photographs import is_test_only
from handwright.two_stage.networks.outpainter import Outpainter
from tests.diffusion.models import small_controlnet, small_unet, write_sd

SIZE = 192


@pytest.fixture(scope="module")
def person():
    """A rendered person whose hands fill a twentieth of the picture."""
    return render_person(7, 0, SIZE)


@pytest.fixture(name="root")
def _root(tmp_path, person):
    (tmp_path / "images").mkdir()
    (tmp_path / "pose").mkdir()
    mapping = {}
    for k in range(6):
        changed = np.clip(person.pixels.astype(int) + k, 0, 255).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"images/{k}.png"), changed[..., ::-1])
        np.savez(tmp_path / f"pose/{k}.npz", keypoints=np.full((1, 17, 3), 50.0))
        mapping[str(k)] = {
            "img_path": f"images/{k}.png", "pose_path": f"pose/{k}.npz", "prompt": f"a dancer {k}"
        }  # fmt: skip
    (tmp_path / "mapping_file_training.json").write_text(json.dumps(mapping))
    return tmp_path


def test_single_people_with_hands_are_kept_with_points_and_hands(root, person, tmp_path):
    points = person.person.wholebody
    body = Body(BodyPose.from_wholebody(points), person.mask, None, 1.0)
    found = iter([[body], [body, body], [], *[[body]] * 3])
    (tmp_path / "out").mkdir()
    lines = script.make(root, tmp_path / "out", lambda _: next(found), per_shard=4)
    left_out = " ".join(lines)
    assert "several people are found (such as 1)" in left_out
    assert "nobody is found (such as 2)" in left_out
    stream = PeopleStream(tmp_path / "out", 64)
    kept = [stored.record for stored in stream.stored]
    assert 1 <= len(kept) <= 4
    assert not any(is_test_only(record["sha256"]) for record in kept)

    assert all(record["caption"].startswith("a dancer") for record in kept)
    hands, truth = hand_pixels(parts_of(stream)), hand_pixels(person.parts)
    assert (hands & truth).sum() / (hands | truth).sum() > 0.6
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir())
    script.make(root, tmp_path / "out", None, per_shard=4)  # Nobody is looked for where shards are there
    assert sorted(path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()) == before


def test_an_outpainter_learns_from_them_with_the_settings_of_its_paper(root, person, tmp_path):
    body = Body(BodyPose.from_wholebody(person.person.wholebody), person.mask, None, 1.0)
    out, run_folder = tmp_path / "out", tmp_path / "run"
    out.mkdir()
    script.make(root, out, lambda _: [body])
    model, openpose = write_sd(tmp_path / "sd", 4, controlnet=False), tmp_path / "openpose"
    torch.manual_seed(3)
    small_controlnet(small_unet(4)).save_pretrained(openpose)
    command = ["train", "outpainter", "--as-published", "--data", str(out), "--model", str(model)]
    short = ["--train-batch-size", "2", "--max-train-steps", "2", "--mixed-precision", "no"]
    assert run([*command, *short, "--pose-controlnet", str(openpose), "-o", str(run_folder)]) == 0
    log = [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]
    assert [line["lr"] for line in log] == [1e-5, 1e-5]
    learnt = Outpainter.from_pretrained(run_folder / "model" / "outpainter").state_dict()
    begun = ControlNetModel.from_pretrained(openpose).state_dict()
    name = "controlnet_mid_block.weight"
    assert 0 < (learnt[name] - begun[name]).abs().max() < 1e-3


def parts_of(stream):
    data = np.frombuffer(stream.stored[0].parts.read(), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
