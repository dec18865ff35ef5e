"""The page: gradio's components, and which handler each of them calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from html import escape
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import themes

from handwright import __version__
from handwright.apps.service.bodies import MOST_CANDIDATES
from handwright.apps.service.settings import ServiceSettings
from handwright.apps.web import folder, generating, handlers, state, view
from handwright.apps.web.generate_tab import generate_tab
from handwright.apps.web.generating import Current, MakingStep
from handwright.apps.web.handlers import Step, Work
from handwright.apps.web.sessions import Sessions
from handwright.apps.web.state import Json, Page
from handwright.errors import HandwrightError
from handwright.options import DIFFUSING, OPTIONS, PAINTERS

STATIC, EXAMPLES = (Path(__file__).with_name(name) for name in ("static", "examples"))
ACCEPT = "image/*,.heic,.heif,.tif,.tiff,.jp2,.tga,.psd,.qoi"

_revision = count(1)  # Makes every value of the editor a new one, so that its script hears of it
_QUIET: Any = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}


def theme() -> Any:  # noqa: ANN401 - gradio's themes have no stubs
    """Gradio's own look with the fonts of the visitor's system: none is fetched."""
    system = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return themes.Default(
        primary_hue="blue", secondary_hue="blue", font=system, font_mono=["ui-monospace", "monospace"]
    )


def build(sessions: Sessions, settings: ServiceSettings) -> gr.Blocks:
    """The page's components, wired to their handlers."""
    keep = settings.keep_seconds
    with gr.Blocks(title="handwright", analytics_enabled=False, delete_cache=(60, int(keep))) as page:
        gr.HTML(_HEAD)
        with gr.Tabs() as tabs:
            with gr.Tab("Mend", id="picture"):
                opened = _picture_tab(sessions, keep)
            with gr.Tab("Generate", id="generate"):
                progress = _progress("hw-generate-status", "hw-generate-cancel")
                pixels = settings.max_pixels
                send, current = generate_tab(sessions, pixels, keep, progress, _QUIET, _making_html)
                progress[1].click(
                    _for_visitor(sessions.cancel), None, None, queue=False, api_visibility="private"
                )
            with gr.Tab("Folder", id="folder"):
                _folder_tab(sessions)
        _send_on(sessions, opened, send, current, tabs)
        page.unload(_for_visitor(sessions.forget))
    return page


def _picture_tab(sessions: Sessions, keep: float) -> tuple[_Shown, gr.State, list[Any]]:
    """One picture: its hands, edits, repair and result; what a picture from elsewhere needs to be shown."""
    now = gr.State(Page(), time_to_live=keep)
    picker = gr.HTML(None, html_template=_picker(), js_on_load=_script("picker"), several=False, most=1)
    status, cancel = _progress("hw-status", "hw-cancel")
    editor = gr.HTML(
        None,
        html_template=(STATIC / "editor.html").read_text("utf-8"),
        js_on_load=_script("editor"),
        server_functions=[drag],
    )
    with gr.Column(visible=False) as form:
        fields = _form()
        repair = gr.Button("Repair", variant="primary", elem_id="hw-repair")
    result = gr.HTML(None, html_template=_RESULT, js_on_load=_script("result"))
    parts: dict[str, Any] = {"now": now, "status": status, "editor": editor, "result": result}
    parts |= {"form": form, "repair": repair, "cancel": cancel}
    shown = _Shown(sessions.link, parts, fields)
    outputs = [*parts.values(), *fields.values()]
    listen = partial(_listen, sessions, shown)
    many: Any = {**_QUIET, "trigger_mode": "multiple"}
    picker.picked(listen(_open), [now], outputs, **_QUIET)
    editor.edited(listen(handlers.edit), [now], outputs, **many)
    result.picked(listen(handlers.choose), [now], outputs, **many)
    repair.click(_mending(sessions, shown, list(fields)), [now, *fields.values()], outputs, **_QUIET)
    cancel.click(_for_visitor(sessions.cancel), None, None, queue=False, api_visibility="private")
    return shown, now, outputs


def _send_on(
    sessions: Sessions,
    opened: tuple[_Shown, gr.State, list[Any]],
    send: gr.Button,
    current: gr.State,
    tabs: gr.Tabs,
) -> None:
    """Let a generated picture be opened on the first tab."""
    shown, now, outputs = opened

    def handle(request: gr.Request, page: Page, one: Current) -> Generator[dict[Any, Any]]:
        yield {tabs: gr.Tabs(selected="picture")}
        yield from _steps(sessions, shown, _open_generated, page, str(request.session_hash), one)

    send.click(handle, [now, current], [tabs, *outputs], **_QUIET)


def _making_html(step: MakingStep | Step) -> str:
    return status_html(Step(step.line, busy=step.busy, bad=step.bad))


def _open_generated(sessions: Sessions, page: Page, owner: str, current: Current) -> handlers.Steps:
    """A picture of the generate tab."""
    name, data = generating.picture_bytes(sessions, current)
    yield from handlers.open_picture(sessions, page, owner, {"name": name, "data": data})


def _folder_tab(sessions: Sessions) -> None:
    """Many pictures: a row each with its verdict and reasons."""
    most = folder.MOST_PICTURES
    picker = gr.HTML(
        None, html_template=_picker(several=True), js_on_load=_script("picker"), several=True, most=most
    )
    generated = gr.Checkbox(
        label="They are of image generators: hands that look malformed do not pass", elem_id="hw-generated"
    )
    status, cancel = _progress("hw-folder-status", "hw-folder-cancel")
    rows = gr.HTML("", elem_id="hw-rows")

    def handle(of_generators: bool, event: gr.EventData, request: gr.Request) -> Generator[dict[Any, Any]]:
        given = event._data if isinstance(event._data, dict) else {}  # pyright: ignore[reportPrivateUsage]
        owner = str(request.session_hash)
        for step in folder.review_uploads(sessions, owner, given, generated=bool(of_generators)):
            line = status_html(Step(step.line, busy=step.busy, bad=step.bad))
            yield {
                status: line,
                rows: folder.rows_html(step.review),
                cancel: gr.update(visible=step.busy),
            }

    picker.picked(handle, generated, [status, rows, cancel], **_QUIET)
    cancel.click(_for_visitor(sessions.cancel), None, None, queue=False, api_visibility="private")


def _progress(line: str, button: str) -> tuple[gr.HTML, gr.Button]:
    """The line of what is being done, which stays in sight, and the button that ends it."""
    with gr.Row(equal_height=True, elem_classes="hw-progress"):
        status = gr.HTML(status_html(Step("")), elem_id=line, scale=4)
        cancel = gr.Button("Cancel", visible=False, scale=0, min_width=110, elem_id=button)
    return status, cancel


def drag(given: Json) -> Json | None:
    """While a joint is dragged: the hand that follows it; None where there is none."""
    try:
        hand, size = handlers.dragged(given)
    except HandwrightError:
        return None
    return view.posed_json(hand, size)


def status_html(step: Step) -> str:
    """The line of a step, announced to those who do not see it."""
    bar = '<progress aria-label="working"></progress>' if step.busy else ""
    kind = " bad" if step.bad else ""
    role = "alert" if step.bad else "status"
    return f'<p class="hw-status{kind}" role="{role}">{bar}{escape(step.line)}</p>'


class _Shown:
    """What every component shows after a step."""

    def __init__(self, link: view.Link, parts: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
        self._link, self._parts, self._fields = link, parts, fields

    def first(self, page: Page) -> dict[Any, Any]:
        """Before a job: nothing can be changed until it ends."""
        return {self._parts["editor"]: self._editor_value(page, busy=True), **self._buttons(busy=True)}

    def step(self, step: Step, *, new_picture: bool) -> dict[Any, Any]:
        """After a step; a busy one changes nothing but its line."""
        out: dict[Any, Any] = {self._parts["status"]: status_html(step)}
        if step.busy:
            return out
        out |= self._buttons(busy=False)
        if step.page is None:
            return out
        out |= {
            self._parts["now"]: step.page,
            self._parts["editor"]: self._editor_value(step.page, busy=False),
            self._parts["result"]: view.result_json(step.page, self._link),
            self._parts["form"]: gr.update(visible=step.page.picture is not None),
        }
        return {**out, **(self._from_file(step.page) if new_picture and not step.bad else {})}

    def _buttons(self, *, busy: bool) -> dict[Any, Any]:
        return {
            self._parts["cancel"]: gr.update(visible=busy),
            self._parts["repair"]: gr.update(interactive=not busy),
        }

    def _editor_value(self, page: Page, *, busy: bool) -> Json | None:
        value = view.editor_json(page, self._link)
        return None if value is None else {**value, "busy": busy, "revision": next(_revision)}

    def _from_file(self, page: Page) -> dict[Any, Any]:
        """Seed and words that the picture's generator wrote into it."""
        written = page.picture.generation if page.picture else None
        words = written or {}
        values = {
            "seed": state.seed_of(written),
            "prompt": words.get("prompt", ""),
            "negative_prompt": words.get("negative_prompt", ""),
        }
        return {self._fields[name]: value for name, value in values.items()}


def _listen(sessions: Sessions, shown: _Shown, work: Work) -> Callable[..., Generator[dict[Any, Any]]]:
    """A handler as gradio calls it: with the page and what the browser sent."""

    def handle(page: Page, event: gr.EventData, request: gr.Request) -> Generator[dict[Any, Any]]:
        given = event._data if isinstance(event._data, dict) else {}  # pyright: ignore[reportPrivateUsage]
        yield from _steps(sessions, shown, work, page, str(request.session_hash), given)

    return handle


def _mending(sessions: Sessions, shown: _Shown, names: list[str]) -> Callable[..., Generator[dict[Any, Any]]]:
    def handle(request: gr.Request, page: Page, *values: Any) -> Generator[dict[Any, Any]]:  # noqa: ANN401
        options = handlers.form_options(dict(zip(names, values, strict=True)))
        yield from _steps(sessions, shown, handlers.mend, page, str(request.session_hash), options)

    return handle


def _steps(
    sessions: Sessions,
    shown: _Shown,
    work: Work,
    page: Page,
    owner: str,
    given: Any,  # noqa: ANN401
) -> Generator[dict[Any, Any]]:
    busy = False
    for step in handlers.reported(work, sessions, page, owner, given):
        if step.busy and not busy:
            busy = True
            yield shown.first(page)
        yield shown.step(step, new_picture=work in (_open, _open_generated))


def _open(sessions: Sessions, page: Page, owner: str, given: Json) -> handlers.Steps:
    """A picture of the visitor's own, or one of the examples."""
    example = given.get("example")
    if example is not None:
        name = next((path.name for path in EXAMPLES.glob("*.jpg") if path.name == example), "")
        given = {"name": name, "data": (EXAMPLES / name).read_bytes() if name else b""}
    elif given.get("uploads"):
        name, data = sessions.taken(given["uploads"][0])
        given = {"name": name, "data": data}
    yield from handlers.open_picture(sessions, page, owner, given)


def _for_visitor(act: Callable[[str], None]) -> Callable[..., None]:
    """A function of a visitor's name as gradio calls it."""

    def handle(request: gr.Request) -> None:
        act(str(request.session_hash))

    return handle


def _form() -> dict[str, Any]:
    """Fields by the names of the options."""
    diffusion = all(find_spec(name) for name in ("torch", "diffusers"))
    painters = [name for name in PAINTERS if diffusion or name not in DIFFUSING]
    with gr.Accordion("Options", open=False):
        with gr.Row():
            painter = gr.Dropdown(painters, value=OPTIONS["painter"].default, label="Painter", min_width=150)
            candidates = gr.Slider(
                1, MOST_CANDIDATES, value=1, step=1, label="Candidates: attempts per hand", min_width=200
            )
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**32 - 1, min_width=130)
        prompt = gr.Textbox(label="Prompt (read from the file; for harmonise and diffuse)", lines=1)
        negative = gr.Textbox(label="Negative prompt", lines=1)
    fields = painter, candidates, seed, prompt, negative
    return dict(zip(("painter", "candidates", "seed", "prompt", "negative_prompt"), fields, strict=True))


def _script(name: str) -> str:
    return (STATIC / f"{name}.js").read_text("utf-8")


def _picker(*, several: bool = False) -> str:
    """Where pictures are dropped; of one picture with the examples below it."""
    words, attribute = ("Choose pictures", " multiple") if several else ("Choose a picture", "")
    drop = (
        f'<div class="hw-drop"><b>{words}</b><span class="hw-quiet">or drop them here, or paste them</span>'
        f'<input type="file"{attribute} accept="{ACCEPT}" aria-label="{words}"></div>'
    )
    if several:
        return drop
    examples = "".join(
        f'<button type="button" data-example="{path.name}" aria-label="Example: {path.stem}">'
        f'<img src="/examples/{path.name}" alt="{path.stem}" width="72" height="72"></button>'
        for path in sorted(EXAMPLES.glob("*.jpg"))
    )
    shown = f'<div class="hw-examples"><span class="hw-quiet">Examples (rendered):</span>{examples}</div>'
    return drop.replace("them", "it") + shown


_RESULT = '<div class="hw-result" hidden></div>'
_HEAD = (
    '<div class="hw-head"><h1>handwright</h1><p>Finds the hands of a picture, reviews them, '
    "and repaints those that fail; every other pixel stays. "
    f"Version {__version__}; everything runs on this server.</p></div>"
)
