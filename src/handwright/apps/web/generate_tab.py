"""The generate tab's components, and which handler each of them calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from importlib.util import find_spec
from typing import Any

import gradio as gr

from handwright.apps.service.generation import MOST_PICTURES
from handwright.apps.web import generating
from handwright.apps.web.generating import Current, MakingStep
from handwright.apps.web.handlers import Step
from handwright.apps.web.sessions import Sessions
from handwright.errors import HandwrightError
from handwright.workflow.generate.generation import LEAST_SIDE

Status = Callable[[MakingStep | Step], str]
"""The line of a step as HTML."""

_SIDES = (256, 384, 512, 768, 1024)  # Longer sides that are offered, pixels


def generate_tab(
    sessions: Sessions,
    max_pixels: int,
    keep: float,
    progress: tuple[Any, Any],
    quiet: Mapping[str, Any],
    status: Status,
) -> tuple[gr.Button, gr.State]:
    """Text → plan → pose → picture, or pose file → picture.

    Args:
        sessions: Does the jobs.
        max_pixels: Pixels that a picture may have.
        keep: Seconds that a visitor's state is kept.
        progress: The line and the cancel button of the tab.
        quiet: What events of this page have in common.
        status: Makes the line.

    Returns:
        The button that sends the picture on, and what it sends; both to be wired by the caller.
    """
    line, cancel = progress
    now = gr.State(Current(), time_to_live=keep)
    text = gr.Textbox(
        label="What the picture shows", placeholder="a man waving with his left hand", lines=2,
        elem_id="hw-text",
    )  # fmt: skip
    pose = gr.File(
        label="Or a pose file: OpenPose, COCO-WholeBody, hands, parameters", file_types=[".json"],
        type="binary", height=150, elem_id="hw-pose-file",
    )  # fmt: skip
    with gr.Row():
        seed = gr.Number(
            0, label="Seed: which person", precision=0, minimum=0, maximum=2**32 - 1, min_width=140,
            elem_id="hw-generate-seed",
        )  # fmt: skip
        sides = [one for one in _SIDES if one * one <= max_pixels] or [LEAST_SIDE]
        side = gr.Dropdown(sides, value=sides[min(2, len(sides) - 1)], label="Side (pixels)", min_width=130)
        attempts = gr.Slider(
            1, MOST_PICTURES, value=1, step=1, label="Tries until the review passes", min_width=200
        )
        engines = ["render", "harmonise", "diffuse"] if find_spec("diffusers") else ["render"]
        engine = gr.Dropdown(engines, value="render", label="Engine", min_width=130)
    with gr.Row():
        plan = gr.Button("What it leaves open", elem_id="hw-plan")
        person = gr.Button("Show the pose", elem_id="hw-person")
        other = gr.Button("Another person", elem_id="hw-other")
        picture = gr.Button("Make the picture", variant="primary", elem_id="hw-make")
    wordings = gr.Radio([], label="Wordings: choose one to use it", visible=False, elem_id="hw-wordings")
    planned = gr.HTML("", elem_id="hw-planned")
    shown = gr.HTML("", elem_id="hw-made")
    send = gr.Button("Mend it by hand", visible=False, elem_id="hw-send")
    buttons = [person, other, picture]
    fields = {"text": text, "pose": pose, "seed": seed, "side": side, "attempts": attempts, "engine": engine}
    outputs = [line, cancel, *buttons, now, shown, send]

    def steps(kind: str, request: gr.Request, current: Current, *values: Any) -> Generator[dict[Any, Any]]:  # noqa: ANN401
        given = dict(zip(fields, values, strict=True))
        for step in generating.make(sessions, str(request.session_hash), kind, current, given, max_pixels):
            out: dict[Any, Any] = {line: status(step), cancel: gr.update(visible=step.busy)}
            out |= {button: gr.update(interactive=not step.busy) for button in buttons}
            if isinstance(step, MakingStep) and step.current is not None:
                out |= {now: step.current, shown: generating.picture_html(sessions, step.current)}
                out |= {send: gr.update(visible=bool(step.current.picture_job))}
            yield out

    def plans(words: str) -> dict[Any, Any]:
        try:
            found = generating.planned(words or "")
        except HandwrightError as error:
            words = str(error)
            return {line: status(MakingStep(f"{words[:1].upper()}{words[1:]}", bad=True))}
        choices = [(f"{name}: {prompt}", prompt) for name, prompt in found.prompts.items()]
        return {
            line: status(MakingStep("What the text leaves open about hands is below.")),
            planned: generating.plan_html(found),
            wordings: gr.update(choices=choices, value=None, visible=bool(choices)),
        }

    def handler(kind: str) -> Callable[..., Generator[dict[Any, Any]]]:
        def handle(request: gr.Request, current: Current, *values: Any) -> Generator[dict[Any, Any]]:  # noqa: ANN401
            yield from steps(kind, request, current, *values)

        return handle

    given = [now, *fields.values()]
    plan.click(plans, [text], [line, planned, wordings], **quiet)
    wordings.input(lambda words: words, [wordings], [text], **quiet)
    person.click(handler("person"), given, outputs, **quiet)
    picture.click(handler("generate"), given, outputs, **quiet)
    other.click(_next_seed, [seed], [seed], **quiet).then(handler("person"), given, outputs, **quiet)
    return send, now


def _next_seed(seed: float | None) -> int:
    return (int(seed or 0) + 1) % 2**32
