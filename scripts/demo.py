"""The whole way on one picture: refine it, report on it, and lay before and after side by side.

    python scripts/demo.py --output out/demo [picture]

Without a picture, a hand with a finger too many is rendered first, from formulas alone. Every hand is
attempted, so that there is something to see also where no critic is installed to fail it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from handwright.errors import HandwrightError
from handwright.workflow import Request, RunOptions, refine_files
from handwright.workflow.files import Record

GAP_PX = 24
PAPER = (250, 249, 247)
INK = (40, 42, 45)
ROW_PX = 420
SEED, SIZE_PX = 9, 768
"""Of the rendered picture."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("--output", type=Path, default=Path("out/demo"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    picture = options.picture or render_picture(options.output / "malformed.png")
    try:
        run = RunOptions(
            report=options.output / "report", force=True, notify=lambda line: print(line, file=sys.stderr)
        )
        result = refine_files([picture], f"{options.output / 'refined'}/", Request(all=True), run)
    except HandwrightError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_code
    record = result.report["pictures"][0]
    if record["error"]:
        print(
            "demo:", record["error"]["what"], record["error"]["why"], record["error"]["fix"], file=sys.stderr
        )
        return result.exit_code
    sheet = options.output / "sheet.png"
    before_after_sheet(record, options.output / "report").save(sheet)
    tell(record, picture, sheet, options.output / "report" / "index.html")
    return 0


def render_picture(path: Path) -> Path:
    from handwright.data.hands import render_one_hand
    from handwright.hand.defects import Defect

    Image.fromarray(render_one_hand(SEED, SIZE_PX, Defect.EXTRA).pixels).save(path)
    return path


def before_after_sheet(record: Record, report: Path) -> Image.Image:
    """Whole picture first, then a row per hand: before, after, depth."""
    rows = [[report / record["files"][name] for name in ("before", "after")]]
    rows += [
        [report / hand["files"][name] for name in ("before", "after", "depth")] for hand in record["hands"]
    ]
    panels = [[as_high_as(Image.open(path).convert("RGB"), ROW_PX) for path in row] for row in rows]
    widths = [sum(panel.width + GAP_PX for panel in row) + GAP_PX for row in panels]
    sheet = Image.new("RGB", (max(widths), len(panels) * (ROW_PX + 2 * GAP_PX) + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(panels):
        x, y = GAP_PX, GAP_PX + number * (ROW_PX + 2 * GAP_PX)
        for panel, caption in zip(row, ("before", "after", "depth"), strict=False):
            sheet.paste(panel, (x, y))
            draw.text((x, y + ROW_PX + 5), caption, INK)
            x += panel.width + GAP_PX
    return sheet


def as_high_as(picture: Image.Image, height: int) -> Image.Image:
    return picture.resize(
        (max(1, round(picture.width * height / picture.height)), height), Image.Resampling.LANCZOS
    )


def tell(record: Record, picture: Path, sheet: Path, page: Path) -> None:
    for hand in record["hands"]:
        print(f"hand {hand['id']} ({hand['side']}): {hand['action']}. {hand['reason']}")
    if not record["hands"]:
        print("no hand was found; the picture went through unchanged")
    print(f"before  {picture}\nafter   {record['output']}\nsheet   {sheet}\nreport  {page}")


if __name__ == "__main__":
    sys.exit(main())
