from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from handwright.workflow import Request, RunOptions, refine_files
from tests.workflow import fakes
from tests.workflow.fakes import picture

NASTY = "<script>alert(1)</script>".replace("/", "-") + " \"q\" & 'é' 100% #.png"
VOID = {"meta", "img", "link", "br", "path", "input"}


class Reader(HTMLParser):
    """Collects tags, links and text, and checks that every tag is closed."""

    def __init__(self):
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def page(here: Path) -> str:
    picture(here / "in" / NASTY, hands=2)
    picture(here / "in/none.png", hands=0)
    picture(here / "in/bug.png", corner=fakes.BREAKS)
    Path("in/bad <i>.png").write_bytes(b"GIF")
    refine_files(["in"], "out", Request(candidates=2), RunOptions(report=Path("r")))
    return Path("r/index.html").read_text(encoding="utf-8")


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_text_is_escaped(page: str):
    reader = read(page)
    assert "script" not in reader.tags
    assert "b" not in reader.tags
    assert any(NASTY in text for text in reader.text)


def test_nothing_outside_the_report_folder_is_referred_to(page: str):
    assert not re.search(r"(https?:)?//[a-z]", page)
    for link in read(page).links:
        assert link.startswith("#p") or Path("r", unquote(link)).is_file()


def test_every_refined_hand_is_shown_before_and_after(page: str):
    links = read(page).links
    for hand in (1, 2):
        for view in ("before", "after", "depth-view"):
            assert any(link.endswith(f"hand-{hand}-{view}.png") for link in links)


def test_reasons_numbers_and_errors_are_told(page: str):
    text = " ".join(read(page).text)
    for words in (
        "Painted & found again.",
        "lies 1.23 % of its size off",
        "review before: fail",
        "finger count: fail. Said to fail <i>here</i>.",
        "review after: pass",
        "as found",
        "0.02",
        "no hand found",
        "not processed",
        "ZeroDivision",
    ):
        assert words in text
