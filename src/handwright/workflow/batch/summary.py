"""What a batch did: counts, the worst hundred, the quarantine list, and the page of all that."""

from __future__ import annotations

import csv
import heapq
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WORST = 100

_COUNTED = ("hands", "refined", "fail", "unsure")


class Summary:
    """Adds up results as they come; its memory does not grow with their number, but for the quarantine list.

    Args:
        run: Name of this run; what others did counts as done before.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.counts = Counter[str]()
        self.internal = False  # Whether one of the errors is a bug of ours
        self.seconds = 0.0  # Worked in this run, over all workers
        self.quarantine: list[tuple[str, str]] = []  # Keys and reasons
        self._worst: list[tuple[int, int, str, str]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one result; see ``worker.summary_row``."""
        self.counts["pictures"] += row["pictures"]
        if row["run"] == self.run:
            self.seconds += row["seconds"]
        else:
            self.counts["done_before"] += row["pictures"]
        if row["error"]:
            self.internal |= row["internal"]
            self.counts["quarantined"] += row["pictures"]
            self.quarantine.append((row["key"], row["error"]))
            return
        self.counts.update({name: row[name] for name in _COUNTED})
        if row["fail"] or row["unsure"]:
            heapq.heappush(self._worst, (row["fail"], row["unsure"], row["key"], row["output"]))
            if len(self._worst) > WORST:
                heapq.heappop(self._worst)

    @property
    def worst(self) -> list[dict[str, Any]]:
        """The hundred pictures with most hands that fail, then most that are unclear, the worst first."""
        return [
            {"key": key, "fail": fail, "unsure": unsure, "output": output}
            for fail, unsure, key, output in sorted(self._worst, key=lambda one: (-one[0], -one[1], one[2]))
        ]

    def to_json(self, about: Mapping[str, Any]) -> str:
        """The report as JSON; ``about`` stands before the rest."""
        names = ("pictures", "done_before", "quarantined", *_COUNTED)
        body = {
            **about,
            "counts": {name: self.counts[name] for name in names},
            "worker_seconds": round(self.seconds, 2),
            "worst": self.worst,
        }
        return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def quarantine_csv(self) -> str:
        """The quarantine list: key and reason, in the order of keys."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("key", "reason"))
        writer.writerows(sorted(self.quarantine))
        return text.getvalue()

    def page(
        self, title: str, counted: Sequence[str] = _COUNTED, figures: Sequence[tuple[str, str]] = ()
    ) -> str:
        """The report as HTML, beside ``pictures/``.

        Args:
            title: Its heading.
            counted: Which counts of hands the task has; without any, there are no worst pictures either.
            figures: What was measured over all pictures, each by its name.
        """
        from handwright.workflow.report.page import STYLE, whole_page

        counts = ", ".join(f"{self.counts[name]} {name}" for name in ("pictures", *counted))
        rows = "".join(
            f"<tr><td>{_link(one)}</td><td>{one['fail']}</td><td>{one['unsure']}</td></tr>"
            for one in self.worst
        )
        bad = "".join(
            f"<tr><td>{escape(key)}</td><td>{escape(reason)}</td></tr>"
            for key, reason in sorted(self.quarantine)[:WORST]
        )
        measured = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(text)}</td></tr>" for name, text in figures
        )
        tables = f"""<h2>The worst {len(self.worst)}</h2>
<table><tr><th>picture</th><th>hands that fail</th><th>unclear</th></tr>{rows}</table>"""
        body = f"""<p>{escape(counts)}; {self.counts["done_before"]} done by earlier runs.</p>
{f"<table>{measured}</table>" if figures else ""}
{tables if counted else ""}
<h2>{self.counts["quarantined"]} in quarantine</h2>
<table><tr><th>picture</th><th>reason</th></tr>{bad}</table>"""
        return whole_page("batch", title, STYLE.read_text("utf-8"), body)


def _link(one: Mapping[str, Any]) -> str:
    name = escape(one["key"])
    return f'<a href="{escape(one["output"])}">{name}</a>' if one["output"] else name
