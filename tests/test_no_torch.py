"""What needs no diffusion model imports none of its libraries: asked of a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as PILImage

from tests.drawn import flat_hand, shoot

ROOT = Path(__file__).parents[1]
PROBE = """
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import handwright.perception.models.download as models
from handwright.apps.cli import main

@contextmanager
def no_landmarker(_path):
    yield None

if "--help" not in sys.argv:
    from handwright.refine import pipeline, redetection
    from handwright.review import judge
    from tests.drawn import flat_hand, shoot

    models.ensure_models = lambda **_: SimpleNamespace(hand_landmarker=Path("task"))
    pipeline.HandLandmarker = no_landmarker
    pipeline.find_hands = lambda pixels, **_: [shoot(flat_hand()).observation()]
    judge.HandLandmarker, judge.find_hands = no_landmarker, pipeline.find_hands
    pipeline.open_appearance = judge.open_appearance = lambda landmarker: None
    pipeline.find_people = judge.find_people = lambda pixels, landmarker: []
    redetection.redetect_hand = lambda pixels, wanted, landmarker: wanted
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    heavy = ("torch", "diffusers", "transformers", "accelerate", "safetensors", "huggingface_hub", "anny")
    loaded = [name for name in heavy if name in sys.modules]
    sys.exit(f"loaded {loaded}" if loaded else stopped.code)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("refine", "a.png", "-o", "b.png", "--painter", "draw", "--hand", "1", "--report", "r"),
        ("hands", "a.png", "-o", "found"),
        ("review", "a.png", "--report", "r", "--json"),
        ("refine", "--help"),
        ("refine", "a.png", "-o", "b.png", "--painter", "diffuse", "--strength", "nan"),
    ],
    ids=["refine by drawing", "hands", "review", "help", "a strength that is no number"],
)
def test_torch_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments):
    PILImage.fromarray(shoot(flat_hand()).pixels).save(tmp_path / "a.png")
    monkeypatch.setenv("HANDWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    expected = 2 if "nan" in arguments else 0
    assert done.returncode == expected, done.stderr
    assert "loaded" not in done.stderr
    if "draw" in arguments:
        assert "hand 1 refined" in done.stdout


def test_the_diffusing_painter_is_what_imports_it():
    code = "import sys; import handwright.handrefiner.torch_network; sys.exit('torch' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


PIPELINES = ("HandRefinerPipeline", "TwoStagePipeline", "HanDiffuserPipeline")


def test_a_pipeline_is_imported_when_it_is_first_used_and_not_with_the_package():
    code = f"""
import sys, handwright
assert set({PIPELINES}) <= set(handwright.__all__)
assert not {{'torch', 'diffusers', 'numpy'}} & set(sys.modules)
assert all(callable(getattr(handwright, name).from_pretrained) for name in {PIPELINES})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
