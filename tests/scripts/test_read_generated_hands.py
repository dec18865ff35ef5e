"""Pictures and hands come back from a manifest and clones, with the boxes in the pixels that it means."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from make_generated_scenes import fits
from read_generated_hands import main

HEADER = "repository,commit,path,panel,licence,generator,box,first,second,kinds\n"


def git(folder, *words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def clones(tmp_path):
    """A clone of someone/pictures with one wide picture whose right half is white."""
    folder = tmp_path / "clones" / "someone+pictures"
    folder.mkdir(parents=True)
    pixels = np.zeros((800, 2000, 3), np.uint8)
    pixels[:, 1000:] = 255
    Image.fromarray(pixels).save(folder / "wide.png")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "a picture")
    return folder.parent, git(folder, "rev-parse", "HEAD")


def read(tmp_path, monkeypatch, clones, text):
    manifest = tmp_path / "hands.csv"
    manifest.write_text(HEADER + text, "utf-8")
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["read", str(manifest), str(clones), "-o", str(out)])
    main()
    return out, [json.loads(line) for line in (out / "hands.jsonl").read_text("utf-8").splitlines()]


def test_a_panel_is_cut_out_of_the_picture_itself_and_then_made_smaller(
    tmp_path, monkeypatch, clones, capsys
):
    folder, commit = clones
    rows = [
        f"someone/pictures,{commit},wide.png,,MIT,SD,10 20 30 40,malformed,malformed,melted; extra finger\n",
        f"someone/pictures,{commit},wide.png,1000 0 2000 800,MIT,SD,1 2 3 4,good,unclear,\n",
        f"someone/pictures,{commit},none.png,,MIT,SD,1 2 3 4,good,good,\n",
    ]
    out, (whole, panel) = read(tmp_path, monkeypatch, folder, "".join(rows))
    assert whole["size_px"] == [1280, 512]
    assert panel["size_px"] == [1000, 800]
    assert np.asarray(Image.open(out / panel["file"])).min() > 250
    assert whole["hands"][0]["box"] == [10, 20, 30, 40]
    assert whole["hands"][0]["kinds"] == ["melted", "extra_finger"]
    assert panel["hands"][0]["second"] == {"label": "unclear"}
    assert "2 pictures, 2 hands; 1 hands missing" in capsys.readouterr().out


def test_landmarks_of_another_hand_that_reaches_into_a_box_are_not_its_own():
    box = np.array([10.0, 10.0, 50.0, 60.0])
    own = np.array([[12.0, 12.0], [48.0, 58.0], [30.0, 30.0]])
    assert fits(box, own)
    assert not fits(box, own + np.array([35.0, 0.0]))
    assert not fits(box, own + np.array([300.0, 0.0]))
