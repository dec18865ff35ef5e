"""Repair of hands in AUTOMATIC1111's web UI and its forks: in the Extras tab, and after every generation."""

import gradio as gr
from modules import scripts, scripts_postprocessing

from handwright.apps.a1111 import KEY, PAINTERS, WHICH, WebuiSettings, refine_picture, settings_from

TITLE = "Hands (handwright)"
DEFAULTS = WebuiSettings()


def widgets():
    """A switch and a widget for every setting, in the order of ``WebuiSettings``."""
    with gr.Accordion(TITLE, open=False):
        enable = gr.Checkbox(label="Repair hands", value=False)
        painter = gr.Radio(label="Painter", choices=list(PAINTERS), value=DEFAULTS.painter)
        which = gr.Radio(label="Hands", choices=list(WHICH), value=DEFAULTS.which)
        candidates = gr.Slider(
            label="Attempts per hand", minimum=1, maximum=16, step=1, value=DEFAULTS.candidates
        )
        seed = gr.Number(label="Seed", value=DEFAULTS.seed, precision=0)
        model = gr.Textbox(label="Model of a diffusing painter (empty: embedded)", value=DEFAULTS.model)
    return {
        "enable": enable,
        "painter": painter,
        "which": which,
        "candidates": candidates,
        "seed": seed,
        "model": model,
    }


class HandsAfterwards(scripts_postprocessing.ScriptPostprocessing):
    """The Extras tab: one picture, a batch of files, or a folder."""

    name = "Hands"
    order = 900  # before the upscaler (1000): a hand is judged as it was generated

    def ui(self):
        """The widgets by the names of ``process``'s arguments."""
        return widgets()

    def process(self, pp, enable=False, **values):
        """Repair the picture; settings and results go into its PNG info."""
        if enable:
            pp.image, written = refine_picture(pp.image, WebuiSettings(**values))
            pp.info.update(written)


class HandsAfterGeneration(scripts.Script):
    """txt2img and img2img: every picture before it is saved."""

    def title(self):
        """The name in the list of scripts."""
        return TITLE

    def show(self, is_img2img):
        """It is offered in both tabs, below the settings."""
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        """The widgets in the order of ``postprocess_image``'s arguments; the paste button fills them."""
        made = widgets()
        names = [name for name in made if name != "enable"]
        self.infotext_fields = [
            (made["enable"], lambda pasted: settings_from(pasted) is not None),
            *((made[name], f"{KEY} {name}") for name in names),
        ]
        self.paste_field_names = [f"{KEY} {name}" for name in names]
        return list(made.values())

    def postprocess_image(self, p, pp, enable=False, *values):
        """Repair the picture; settings and results go into its generation parameters."""
        if enable:
            settings = WebuiSettings(**dict(zip(vars(DEFAULTS), values, strict=True)))
            pp.image, written = refine_picture(pp.image, settings, getattr(p, "prompt", ""))
            p.extra_generation_params.update(written)
