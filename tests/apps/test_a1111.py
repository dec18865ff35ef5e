"""The script for A1111 and Forge, with stand-ins for the classes of their documented interface."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps import a1111
from handwright.workflow.hand_refiner import HandRefiner
from tests.workflow import fakes

SCRIPT = Path(__file__).parents[2] / "integrations" / "a1111" / "scripts" / "handwright_hands.py"


class Widget:
    def __init__(self, label, value, **options):
        self.label, self.value, self.options = label, value, options


@pytest.fixture
def script(monkeypatch) -> ModuleType:
    """The script as the web UI loads it."""
    gradio = ModuleType("gradio")
    gradio.Accordion = lambda *_, **__: nullcontext()
    gradio.Checkbox = gradio.Radio = gradio.Slider = gradio.Number = gradio.Textbox = Widget
    scripts, afterwards = ModuleType("modules.scripts"), ModuleType("modules.scripts_postprocessing")
    scripts.Script, scripts.AlwaysVisible = type("Script", (), {}), object()
    afterwards.ScriptPostprocessing = type("ScriptPostprocessing", (), {})
    modules = ModuleType("modules")
    modules.scripts, modules.scripts_postprocessing = scripts, afterwards
    stands = {"gradio": gradio, "modules": modules, "modules.scripts": scripts}
    for name, module in {**stands, "modules.scripts_postprocessing": afterwards}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(a1111, "refiner", lambda: HandRefiner(engine=fakes.FakeEngine()))
    spec = importlib.util.spec_from_file_location("handwright_hands", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def picture(tmp_path) -> PILImage.Image:
    image = PILImage.open(fakes.picture(tmp_path / "a.png", hands=1)).convert("RGB")
    image.info["parameters"] = "a hand, Steps: 20"
    return image


def values(script, **changes) -> dict[str, object]:
    given = {name: widget.value for name, widget in script.HandsAfterwards().ui().items()}
    return {**given, "enable": True, **changes}


def test_the_extras_tab_repairs_and_notes_it(script, picture):
    pp = SimpleNamespace(image=picture, info={"Upscaler": "none"})
    script.HandsAfterwards().process(pp, **values(script, seed=5))
    before, after = np.asarray(picture), np.asarray(pp.image)
    hand = (before == fakes.MAGENTA).all(-1)
    assert (after[~hand] == before[~hand]).all() and (after[hand] != before[hand]).any()
    assert pp.info["Upscaler"] == "none" and pp.info["handwright seed"] == "5"
    assert pp.info["handwright hands"].startswith("1 ") and "refined" in pp.info["handwright hands"]
    assert pp.image.info["parameters"] == "a hand, Steps: 20"


def test_a_generated_picture_is_repaired_before_it_is_saved(script, picture):
    hands = script.HandsAfterGeneration()
    assert hands.show(False) is hands.show(True) is sys.modules["modules.scripts"].AlwaysVisible
    widgets = hands.ui(False)
    p = SimpleNamespace(prompt="a waving hand", extra_generation_params={})
    pp = SimpleNamespace(image=picture)
    hands.postprocess_image(p, pp, True, *[widget.value for widget in widgets[1:]])
    assert pp.image is not picture and p.extra_generation_params["handwright painter"] == "draw"


def test_switched_off_it_touches_nothing(script, picture):
    pp = SimpleNamespace(image=picture, info={})
    script.HandsAfterwards().process(pp, **values(script, enable=False))
    p = SimpleNamespace(prompt="", extra_generation_params={})
    script.HandsAfterGeneration().postprocess_image(p, pp, False, "draw", "failed", 1, 0, "")
    assert pp.image is picture and not pp.info and not p.extra_generation_params


def test_a_picture_without_hands_stays_the_same_object(script, tmp_path):
    plain = PILImage.open(fakes.picture(tmp_path / "b.png", hands=0)).convert("RGB")
    pp = SimpleNamespace(image=plain, info={})
    script.HandsAfterwards().process(pp, **values(script))
    assert pp.image is plain and pp.info["handwright hands"] == "none found"


def test_what_is_written_can_be_pasted_back(script, picture):
    settings = a1111.WebuiSettings(which="all", candidates=3, seed=9)
    _, parameters = a1111.refine_picture(picture, settings)
    assert a1111.settings_from(parameters) == settings and a1111.settings_from({"Steps": "20"}) is None
    hands = script.HandsAfterGeneration()
    hands.ui(True)
    assert set(hands.paste_field_names) <= {*parameters, "handwright model"}
    (_, pasted), *rest = hands.infotext_fields
    assert pasted(parameters) and not pasted({}) and len(rest) == len(hands.paste_field_names)


def test_widgets_stand_in_the_order_of_the_settings(script):
    assert list(values(script)) == ["enable", *vars(a1111.WebuiSettings())]


def test_a_diffusing_painter_gets_prompt_and_model(script, picture, monkeypatch):
    calls = []
    monkeypatch.setattr(
        a1111, "refiner", lambda: lambda image, **options: calls.append(options) or fakes_repair(image)
    )
    settings = a1111.WebuiSettings(painter="diffuse", model="sd15")
    a1111.refine_picture(picture, settings, "two hands")
    assert (calls[0]["prompt"], calls[0]["model"], calls[0]["painter"]) == ("two hands", "sd15", "diffuse")


def fakes_repair(image):
    return SimpleNamespace(hands=(), after=None)
