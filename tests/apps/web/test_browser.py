"""The page in a real Chromium: every path of a visitor, on a server as ``handwright web`` starts it."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL.PngImagePlugin import PngInfo

from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.workflow import Request, RunOptions, refine_files

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.models,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"),
]
PATIENCE_MS = 240_000  # A slow machine's repair; a page that works is done long before
SRC = Path(__file__).parents[3] / "src"
NAME = """(({ tagName, id, dataset }) => id || dataset.key || dataset.tool || tagName)
    (document.activeElement)"""
PARAMETERS = "a waving hand\nNegative prompt: blurry\nSteps: 20, Seed: 41, Model: some"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(folder, *options, **variables):
    """Address of a running page; its folder for temporary files must be empty once it has ended."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(SRC), "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "handwright", "web", "--port", str(port), *options]
    with subprocess.Popen(command, env={**environment, **variables}, stdout=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None
                time.sleep(0.2)
        yield address
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert list(folder.glob("handwright-*")) == []


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, server):
    """A function that opens the page; in the end nothing was fetched from elsewhere and no script failed."""
    opened, faults = [], []

    def open_page(width=1280, height=900, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: elsewhere(request.url))
        page.goto(server)
        page.wait_for_selector(".hw-drop")
        opened.append(context)
        return page

    def elsewhere(url):
        if not url.startswith((server, "data:", "blob:")):
            faults.append(f"fetched {url}")

    yield open_page
    for context in opened:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def picture():
    """A rendered hand with six fingers, 256 px, with what a generator writes into its pictures."""
    text = PngInfo()
    text.add_text("parameters", PARAMETERS)
    data = io.BytesIO()
    PILImage.fromarray(render_one_hand(9, 256, Defect.EXTRA).pixels).save(data, "PNG", pnginfo=text)
    return data.getvalue()


def upload(name, data):
    return {"name": name, "mimeType": "image/png", "buffer": data}


def line(page, words):
    """Wait until the page's line holds these words."""
    page.wait_for_function(
        "words => document.querySelector('#hw-status')?.innerText.includes(words)", arg=words
    )


def load(page, data, name="hand.png"):
    page.set_input_files(".hw-drop input", upload(name, data))
    line(page, "1 hand found")
    page.wait_for_selector("canvas[data-drawn=all]")


def hands(page):
    return page.locator(".hw-hands > li[data-hand]")


def to_view(page, x, y, side=256):
    """A pixel of the picture as a place in the window."""
    page.locator(".hw-editor canvas").scroll_into_view_if_needed()
    box = page.locator(".hw-editor canvas").bounding_box()
    return box["x"] + x / side * box["width"], box["y"] + y / side * box["height"]


def idle(page):
    page.wait_for_selector(".hw-editor:not(.busy)")


def undo(page):
    page.click("[data-key=undo]")
    idle(page)


def downloaded(page, label):
    with page.expect_download() as download:
        page.click(f".hw-downloads >> text={label}")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_picture_is_reviewed_repaired_compared_and_downloaded(visit, picture, tmp_path, monkeypatch):
    page = visit()
    load(page, picture)
    assert "fail" in hands(page).first.inner_text()
    assert "finger count:" in hands(page).first.inner_text()
    page.click("text=Options")
    assert page.input_value("label:has-text('Seed') input, input[aria-label='Seed']") == "41"
    assert (
        page.locator("textarea, input[type=text]")
        .evaluate_all("all => all.map(one => one.value)")
        .count("a waving hand")
    )
    page.click("#hw-repair")
    page.wait_for_selector("#hw-cancel:visible")
    page.wait_for_selector(".hw-result:not([hidden])")
    slider = page.locator(".hw-compare-box input")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator(".hw-compare").evaluate("one => one.style.getPropertyValue('--at')") == "0%"
    name, data = downloaded(page, "Picture (PNG)")
    assert name == "hand-mended.png"
    monkeypatch.chdir(tmp_path)
    Path("input.png").write_bytes(picture)
    refine_files(["input.png"], "output.png", Request(seed=41), RunOptions(patches=True))
    assert data == Path("output.png").read_bytes()
    _, patches = downloaded(page, "Patches (ZIP)")
    _, report = downloaded(page, "Report (ZIP)")
    written = sorted(path.name for path in tmp_path.glob("output.hand-*.png"))
    assert sorted(zipfile.ZipFile(io.BytesIO(patches)).namelist()) == written
    archive = zipfile.ZipFile(io.BytesIO(report))
    assert "index.html" in archive.namelist()
    assert json.loads(archive.read("report.json"))["pictures"][0]["settings"]["seed"] == 41


def test_candidates_are_chosen_put_back_and_the_choice_undone(visit, picture):
    page = visit()
    load(page, picture)
    page.click("#hw-repair")
    page.wait_for_selector(".hw-choices")
    first = page.input_value(".hw-choices input:checked")
    other = "1" if first != "1" else "0"
    original = np.asarray(PILImage.open(io.BytesIO(picture)))
    page.check(f".hw-choices input[value='{other}']")
    line(page, "Hand 1 is")
    idle(page)
    if other == "0":
        page.check(".hw-choices input[value='1']")
        line(page, "now candidate 1")
        idle(page)
    _, changed = downloaded(page, "Picture (PNG)")
    assert (np.asarray(PILImage.open(io.BytesIO(changed))) != original).any()
    page.click("[data-back='1']")
    line(page, "as it was")
    idle(page)
    _, back = downloaded(page, "Picture (PNG)")
    assert (np.asarray(PILImage.open(io.BytesIO(back))) == original).all()
    undo(page)
    assert page.input_value(".hw-choices input:checked") == "1"


def test_a_repair_is_cancelled_and_the_page_goes_on(visit, picture):
    page = visit()
    load(page, picture)
    page.click("#hw-repair")
    page.click("#hw-cancel")
    line(page, "Cancelled.")
    assert page.is_enabled("#hw-repair")
    assert not page.is_visible(".hw-result")
    page.click("[data-key=flip]")
    idle(page)
    assert "left" in hands(page).first.inner_text()


def test_joints_are_dragged_by_pointer_and_by_keys_and_the_surface_follows(visit, picture):
    page = visit()
    load(page, picture)
    canvas, drags = page.locator(".hw-editor canvas"), []
    page.on(
        "request", lambda request: drags.append(request.url) if "component_server" in request.url else None
    )
    value = "() => document.querySelector('.hw-editor canvas').toDataURL()"
    before = page.evaluate(value)
    canvas.focus()
    hint = page.inner_text(".hw-hint")
    assert "index tip" in hint
    page.keyboard.press("n")
    assert "middle mcp" in page.inner_text(".hw-hint")
    page.keyboard.press("p")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector("[data-key=undo]:enabled")
    idle(page)
    assert drags and page.evaluate(value) != before
    assert "edited" in hands(page).first.inner_text()
    undo(page)
    assert page.is_disabled("[data-key=undo]")
    assert page.evaluate(value) == before
    x, y = render_one_hand(9, 256, Defect.EXTRA).hands[0].keypoints_px[12]
    page.mouse.move(*to_view(page, x, y))
    page.mouse.down()
    page.mouse.move(*to_view(page, x + 20, y + 10), steps=5)
    page.mouse.up()
    page.wait_for_selector("[data-key=undo]:enabled")
    idle(page)
    assert "middle tip" in page.inner_text(".hw-hint")
    assert "edited" in hands(page).first.inner_text()


def test_boxes_are_drawn_and_hands_flipped_removed_and_brought_back(visit, picture):
    page = visit()
    load(page, picture)
    page.click("[data-tool=box]")
    for k, (x, y) in enumerate([(4, 4), (40, 30), (70, 70)]):
        page.mouse.move(*to_view(page, x, y))
        if k == 0:
            page.mouse.down()
    page.mouse.up()
    line(page, "box")
    idle(page)
    page.wait_for_function("() => document.querySelectorAll('.hw-hands > li[data-hand]').length === 2")
    assert "drag its joints" in page.inner_text("#hw-status")
    page.click("[data-key=remove]")
    idle(page)
    assert hands(page).count() == 1
    undo(page)
    assert hands(page).count() == 2
    undo(page)
    assert hands(page).count() == 1


def test_a_box_is_drawn_with_the_keyboard(visit, picture):
    page = visit()
    load(page, picture)
    page.focus("[data-tool=box]")
    page.keyboard.press("Enter")
    page.focus(".hw-editor canvas")
    for key in ["Shift+ArrowLeft", "Space", *["Shift+ArrowDown"] * 2, *["Shift+ArrowRight"] * 2, "Space"]:
        page.keyboard.press(key)
    line(page, "box")
    page.wait_for_function("() => document.querySelectorAll('.hw-hands > li[data-hand]').length === 2")


def test_the_mask_is_brushed_and_only_there_pixels_change(visit, picture):
    page = visit()
    load(page, picture)
    page.click("[data-tool=paint]")
    page.mouse.move(*to_view(page, 100, 100))
    page.mouse.down()
    page.mouse.move(*to_view(page, 120, 110))
    page.mouse.up()
    page.wait_for_selector("[data-key=unmask]:enabled")
    idle(page)
    page.click("[data-tool=erase]")
    page.locator("[data-brush]").fill("30")
    for row in range(0, 256, 20):
        page.mouse.move(*to_view(page, 130, row))
        page.mouse.down()
        page.mouse.move(*to_view(page, 250, row))
        page.mouse.up()
        idle(page)
    page.click("#hw-repair")
    page.wait_for_selector(".hw-result:not([hidden])")
    _, data = downloaded(page, "Picture (PNG)")
    before, after = (np.asarray(PILImage.open(io.BytesIO(one)).convert("RGB")) for one in (picture, data))
    assert (before[:, 150:] == after[:, 150:]).all()
    page.click("[data-key=unmask]")
    idle(page)
    assert page.is_disabled("[data-key=unmask]")


def test_a_pose_comes_from_a_photograph(visit, picture):
    page = visit()
    load(page, picture)
    data = io.BytesIO()
    PILImage.fromarray(render_one_hand(21, 256).pixels).save(data, "PNG")
    page.set_input_files("[data-key=pose]", upload("other.png", data.getvalue()))
    line(page, "has the pose of other.png")
    assert "edited" in hands(page).first.inner_text()


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(visit, picture, way):
    page = visit()
    page.evaluate(
        """([data, way]) => {
          const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], "carried.png", { type: "image/png" }));
          if (way === "drop")
            document.querySelector(".hw-drop").dispatchEvent(
              new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
          else
            document.dispatchEvent(
              new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true }));
        }""",
        [base64.b64encode(picture).decode(), way],
    )
    line(page, "1 hand found")


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"no picture at all", "not a picture"), (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "annot read")],
)
def test_what_is_no_picture_is_one_line(visit, data, words):
    page = visit()
    page.set_input_files(".hw-drop input", upload("<img src=x onerror=alert(1)>.png", data))
    line(page, words)
    assert "\n" not in page.inner_text("#hw-status").strip()
    assert not page.is_visible(".hw-editor")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_everything_without_scrolling_sideways(visit, picture, scheme):
    page = visit(360, 740, color_scheme=scheme, has_touch=True)
    load(page, picture)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.locator(".hw-editor button:visible, .hw-editor label.hw-button").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height).filter(height => height < 40)"
    )
    assert small == []
    ground = page.evaluate("getComputedStyle(document.querySelector('.hw-list > li')).backgroundColor")
    brightness = sum(map(float, ground.removeprefix("rgb(").removesuffix(")").split(",")[:3])) / 3
    assert (brightness < 90) == (scheme == "dark")


SHIFTS = """() => new Promise(done => {
    let sum = 0;
    const add = list => list.getEntries().forEach(one => { if (!one.hadRecentInput) sum += one.value; });
    new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});
    setTimeout(() => done(sum), 2000);
})"""
"""The cumulative layout shift so far, in Chromium's measure; up to .1 is called good."""


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_the_page_loads(visit, width):
    assert visit(width, 740).evaluate(SHIFTS) <= 0.1


def test_an_example_is_mended_with_the_keyboard_alone(visit):
    page = visit()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.example !== undefined"):
            break
    page.keyboard.press("Enter")
    line(page, "found")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(NAME))
        if "hw-repair" in reached:
            break
    assert {"hand", "box", "paint", "erase", "CANVAS", "flip", "zoom", "hw-repair"} <= reached


def test_a_folder_is_reviewed_row_by_row(visit, picture):
    page = visit()
    page.click("role=tab[name='Folder']")
    files = [upload("six.png", picture), upload("<b>none.png", b"no picture")]
    page.set_input_files(".hw-drop:visible input", files)
    page.wait_for_function("document.querySelector('#hw-folder-status')?.innerText.includes('2 reviewed')")
    rows = page.locator("#hw-rows li:has(.hw-verdict)").all_inner_texts()
    assert rows[0].startswith("<b>none.png") and "unreadable" in rows[0]
    assert rows[1].startswith("six.png") and "finger count" in rows[1]
    with page.expect_download() as download:
        page.click("text=Review (JSON)")
    review = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert review["summary"]["pictures"] == 1 and review["summary"]["unreadable"] == 1


def test_a_text_becomes_a_plan_a_pose_a_picture_and_a_picture_to_mend(visit):
    pytest.importorskip("anny")
    pytest.importorskip("diffusers")
    page = visit(360, 740)
    page.click("role=tab[name='Generate']")
    page.click("#hw-make")
    page.wait_for_function("document.querySelector('#hw-generate-status')?.innerText.includes('othing to')")
    page.fill("#hw-text textarea", "a man waving with his left hand")
    page.focus("#hw-plan")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hw-planned li:has-text('Left hand')")
    page.click("#hw-other")
    page.wait_for_selector("#hw-made img")
    assert page.input_value("#hw-generate-seed input") == "1"
    assert "seed 1" in page.inner_text("#hw-generate-status")
    page.click("#hw-make")
    page.wait_for_selector("#hw-send:visible")
    assert page.locator("#hw-made img").count() == 2
    assert "hand" in page.inner_text("#hw-generate-status")
    with page.expect_download() as download:
        page.click("#hw-made >> text=Picture (PNG)")
    with PILImage.open(download.value.path()) as made:
        assert made.size == (512, 512)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#hw-send")
    line(page, "hand")


def test_a_pose_file_is_downloaded_and_given_back(visit, tmp_path):
    pytest.importorskip("anny")
    page = visit()
    page.click("role=tab[name='Generate']")
    page.fill("#hw-text textarea", "a man waving with his left hand")
    page.click("#hw-person")
    with page.expect_download() as download:
        page.click("#hw-made >> text=Pose (JSON)")
    pose = Path(download.value.path()).read_bytes()
    assert len(json.loads(pose)["people"]) == 1
    page.fill("#hw-text textarea", "")
    given = {"name": "pose.json", "mimeType": "application/json", "buffer": pose}
    page.set_input_files("#hw-pose-file input", given)
    page.wait_for_selector("#hw-pose-file .file-preview")
    page.click("#hw-person")
    page.wait_for_function("document.querySelector('#hw-generate-status')?.innerText.includes('of the file')")
    with page.expect_download() as download:
        page.click("#hw-made >> text=Pose (JSON)")
    again = json.loads(Path(download.value.path()).read_bytes())
    points = [
        np.reshape(one["people"][0]["hand_left_keypoints_2d"], (-1, 3)) for one in (json.loads(pose), again)
    ]
    np.testing.assert_allclose(*points, atol=0.5)


def test_a_page_with_a_key_lets_in_who_has_it_and_refuses_large_bodies(chromium, tmp_path):
    key = "k" * 20
    with running(tmp_path, "--max-bytes", "100000", HANDWRIGHT_API_KEYS=key) as address:
        for path in ("/config", "/gradio_api/upload", "/gradio_api/file=/etc/passwd"):
            assert status_of(f"{address}{path}", b"{}" if "upload" in path else None) == 401
        assert status_of(f"{address}/gradio_api/upload", b"x" * 200_000) == 413
        page = chromium.new_page()
        page.goto(address)
        for password, landed in (("w" * 20, "text=Incorrect"), (key, ".hw-drop")):
            page.locator("input").nth(0).fill("me")
            page.locator("input[type=password]").fill(password)
            page.click("button:has-text('Login')")
            page.wait_for_selector(landed)
        page.close()


def status_of(address, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data), timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
