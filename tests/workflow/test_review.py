"""Reviews of files: the schema, the page, exit codes, one bad file that stops nothing."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import UsageError
from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview, Where
from handwright.review.judge import Judge
from handwright.review.review_json import SCHEMA_FILE
from handwright.types import HandObservation
from handwright.workflow.review import ReviewOptions, review_files

SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
RED, YELLOW, GREEN, BLACK = (250, 0, 0), (250, 250, 0), (0, 250, 0), (0, 0, 0)


class BlindLandmarker:
    def detect(self, pixels, *, max_hands, confidence, presence):
        return []

    def landmarks_in_crop(self, crop):
        points = np.stack([np.linspace(0, 50, 21), np.linspace(0, 50, 21) ** 1.1], 1)
        return 0.0, HandObservation(
            landmarks_px=points, depth_px=np.zeros(21), side="right", score=0.5, found_by="picture"
        )

    def people(self, pixels):
        return []


@contextmanager
def open_blind() -> Iterator[Judge]:
    yield Judge(BlindLandmarker())


def hand(number, verdict):
    points = np.random.default_rng(number).uniform(10, 50, (21, 2))
    said = Check(verdict, 0.9 if verdict != "cannot tell" else 0.0, "Six <fingers>.", Where(((20.0, 30.0),)))
    sound = Check("pass", 0.8, "Sound.", value={"state": "open", "odd": float("nan")})
    checks = {**dict.fromkeys(CHECKS, sound), "finger_count": said}
    return HandReview(
        id=number,
        bbox_xyxy_px=(10.0, 10.0, 50.0, 50.0),
        side="left",
        checks=checks,
        observation=HandObservation(
            landmarks_px=points, depth_px=np.zeros(21), side="left", score=0.9, found_by="picture"
        ),
    )


@pytest.fixture
def by_colour(monkeypatch: pytest.MonkeyPatch):
    """A judge that goes by the colour of the first pixel; a bug where it is white.

    Green hands pass, unless the picture is known to be generated.
    """

    def review_picture(image, judge, expected=None, *, look_limit=None):
        corner = tuple(int(v) for v in image.pixels[0, 0])
        if corner == (255, 255, 255):
            raise ZeroDivisionError("a bug")
        verdicts = {RED: ("pass", "fail"), YELLOW: ("cannot tell",), GREEN: ("pass", "pass")}.get(corner, ())
        verdicts = ("cannot tell",) if look_limit is not None and corner == GREEN else verdicts
        hands = tuple(hand(k, verdict) for k, verdict in enumerate(verdicts, start=1))
        return PictureReview(hands, image.width, image.height)

    monkeypatch.setattr(sys.modules["handwright.review.judge"], "review_picture", review_picture)


def paint(path, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((64, 80, 3), 120, np.uint8)
    pixels[0, 0] = colour
    PILImage.fromarray(pixels).save(path)


def run(*inputs, **options):
    return review_files(inputs or ["in"], ReviewOptions(open_judge=open_blind, **options))


@pytest.mark.parametrize(
    ("colours", "fail_on", "code"),
    [
        ((GREEN,), "unsure", 0),
        ((BLACK,), "unsure", 0),
        ((GREEN, YELLOW), "fail", 0),
        ((GREEN, YELLOW), "unsure", 1),
        ((GREEN, RED), "fail", 1),
        ((GREEN, RED), "unsure", 1),
    ],
)
def test_the_exit_code_says_whether_there_are_findings(here: Path, by_colour, colours, fail_on, code):
    for k, colour in enumerate(colours):
        paint(here / f"in/{k}.png", colour)
    result = run(fail_on=fail_on)
    assert result.exit_code == code
    jsonschema.validate(result.review, SCHEMA)


def test_a_file_that_is_no_picture_stops_nothing(here: Path, by_colour):
    paint(here / "in/a.png", RED)
    (here / "in/b.png").write_bytes(b"no picture")
    result = run()
    assert result.exit_code == 2
    assert [picture["verdict"] for picture in result.review["pictures"]] == ["fail"]
    (bad,) = result.review["unreadable"]
    assert bad["path"] == "in/b.png"
    assert "\n" not in bad["error"]
    jsonschema.validate(result.review, SCHEMA)


def test_a_bug_is_an_internal_error_of_that_picture_alone(here: Path, by_colour):
    paint(here / "in/a.png", (255, 255, 255))
    paint(here / "in/b.png", GREEN)
    result = run()
    assert result.exit_code == 70
    assert "could not be reviewed" in result.review["unreadable"][0]["error"]
    assert "ZeroDivisionError" in result.traces[0]
    assert len(result.review["pictures"]) == 1


def test_the_schema_is_a_schema_and_refuses_what_it_does_not_know(here: Path, by_colour):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    paint(here / "in/a.png", RED)
    review = run().review
    review["pictures"][0]["hands"][0]["checks"]["grasp"]["verdict"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(review, SCHEMA)


def test_the_page_opens_offline_with_the_worst_hands_first(here: Path, by_colour):
    for name, colour in (("a.png", GREEN), ("b.png", YELLOW), ("c&d.png", RED), ("e.png", BLACK)):
        paint(here / "in" / name, colour)
    result = run(report=here / "report")
    page = (here / "report/index.html").read_text("utf-8")
    order = re.findall(r"<h3>(\S+) · hand \d.*?</h3>\s*<span class=\"tag (\w+)\"", page)
    assert [verdict for _, verdict in order] == ["fail", "unsure", "pass", "pass", "pass"]
    assert order[0][0] == "c&amp;d.png"
    assert page.count('src="data:image/jpeg;base64,') == 5
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "http" not in page.replace("image/", "")
    assert "Six &lt;fingers&gt;." in page
    assert page.count(">disagree</button>") == 20
    assert "e.png" in page
    stored = json.loads((here / "report/review.json").read_text("utf-8"))
    assert stored == result.review
    assert (here / "report/overlays/c&d.png").is_file()


def test_a_report_inside_the_input_folder_is_no_input(here: Path, by_colour):
    paint(here / "in/a.png", GREEN)
    first = run(report=here / "in/report")
    again = run(report=here / "in/report")
    assert first.review == again.review
    assert again.review["summary"]["pictures"] == 1


def test_any_number_of_workers_says_the_same(here: Path):
    for k in range(3):
        paint(here / f"in/{k}.png", BLACK)
    one, two = run(workers=1), run(workers=2)
    assert one.review == two.review
    assert two.review["summary"]["no_hands"] == 3
    assert two.exit_code == 0


@pytest.mark.parametrize("options", [{"workers": 0}, {"fail_on": "pass"}])
def test_options_that_make_no_sense_are_refused(here: Path, options):
    paint(here / "in/a.png", GREEN)
    with pytest.raises(UsageError):
        run(**options)


def test_no_input_is_refused(here: Path):
    with pytest.raises(UsageError):
        review_files([])
