"""What the page's components show, as JSON: the editor's hands, and the result with its candidates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from handwright.apps.web import work
from handwright.apps.web.posing import PosedHand, Size, mesh_px
from handwright.apps.web.state import Json, Page, edited, picks_now, verdict_of
from handwright.hand.anatomy import LANDMARK_EDGES, LANDMARKS
from handwright.hand.files.hands_file import hands_to_json
from handwright.hand.rig import load_rig
from handwright.review.overlay import COLOURS
from handwright.workflow.report.words import ACTION_WORDS

Link = Callable[[str, str], str]
"""The address of a job's file, by the job's id and the file's name."""

_POINT_DECIMALS = 1


def rig_json() -> Json:
    """What every hand shares: triangles of the surface, bones, names of the joints, colours of verdicts."""
    return {
        "faces": load_rig().faces.ravel().tolist(),
        "edges": [list(edge) for edge in LANDMARK_EDGES],
        "joints": [name.replace("_", " ") for name in LANDMARKS],
        "colours": {verdict: "rgb({}, {}, {})".format(*colour) for verdict, colour in COLOURS.items()},
    }


def editor_json(page: Page, link: Link) -> Json | None:
    """What the editor shows; None: no picture."""
    if page.picture is None:
        return None
    job, mask = page.picture.job_id, page.edits.mask_png
    computed = link(job, work.MASK)
    width, height = page.picture.size
    return {
        "picture": job,
        "name": page.picture.name,
        "view": link(job, work.VIEW),
        "width": width,
        "height": height,
        "hands": [hand_json(hand, k, page.size) for k, hand in enumerate(page.edits.hands, start=1)],
        "undetected": [review_json(review) for review in page.picture.undetected],
        "notes": list(page.picture.notes),
        "mask": computed if mask is None else "data:image/png;base64," + base64.b64encode(mask).decode(),
        "brushed": mask is not None,
        "edited": edited(page),
        "undo": len(page.history),
    }


def hand_json(hand: PosedHand, number: int, size: Size) -> Json:
    """One hand for the editor; ``record`` is what comes back while a joint is dragged."""
    return {
        "id": number,
        "side": hand.observation.side,
        "box": [round(value, _POINT_DECIMALS) for value in hand.observation.bbox_xyxy_px],
        "wanted": hand.wanted,
        "edited": hand.edited,
        **posed_json(hand, size),
        **review_json(hand.review),
    }


def posed_json(hand: PosedHand, size: Size) -> Json:
    """What changes while a joint is dragged."""
    return {
        "record": hands_to_json([(1, hand.observation, hand.hand)], size)["hands"][0],
        "moved": sorted(hand.moved),
        "points": hand.observation.landmarks_px.round(_POINT_DECIMALS).tolist(),
        "mesh": mesh_px(hand.hand).ravel().tolist(),
    }


def review_json(review: Mapping[str, Any] | None) -> Json:
    """The verdict of a hand and what it did not pass, in the review's own words."""
    checks = {} if review is None else review["checks"]
    return {
        "verdict": verdict_of(review),
        "reasons": [
            {"check": name.replace("_", " "), "verdict": check["verdict"], "reason": check["reason"]}
            for name, check in checks.items()
            if check["verdict"] != "pass"
        ],
        **({} if review is None else {"place": review["bbox_xyxy_px"]}),
    }


def result_json(page: Page, link: Link) -> Json | None:
    """What the result shows; None: nothing was repaired."""
    if page.mended is None or page.picture is None:
        return None
    mended, stem = page.mended, page.picture.name.rpartition(".")[0] or page.picture.name
    width, height = page.picture.size
    picks, shown = picks_now(page), page.edits.shown or mended.job_id
    downloads = [
        ("Picture (PNG)", link(shown, work.OUTPUT), f"{stem}-mended.png"),
        ("Patches (ZIP)", link(shown, work.PATCHES), f"{stem}-patches.zip"),
        ("Report (ZIP)", link(mended.job_id, work.REPORT), f"{stem}-report.zip"),
    ]
    return {
        "before": link(mended.job_id, work.BEFORE),
        "after": link(shown, work.AFTER),
        "width": width,
        "height": height,
        "hands": [_repaired(hand, picks[hand["id"]], mended.job_id, link) for hand in mended.report["hands"]],
        "notes": list(mended.report["notes"]),
        "downloads": [{"label": label, "href": href, "name": name} for label, href, name in downloads],
    }


def _repaired(hand: Mapping[str, Any], pick: int, job: str, link: Link) -> Json:
    after = hand["review_after"] if pick and hand["action"] == "refined" else None
    choices: list[Json] = []
    if hand["candidates"]:
        choices.append({"pick": 0, "label": "as it was", "image": _file(job, hand["files"]["before"], link)})
    for k, one in enumerate(hand["candidates"], start=1):
        why = "; ".join(one["rejection_reasons"])
        choices.append(
            {
                "pick": k,
                "label": f"candidate {k}" + ("" if one["accepted"] else " (not accepted)"),
                "why": why,
                "image": _file(job, one["view"], link),
            }
        )
    return {
        "id": hand["id"],
        "side": hand["side"],
        "action": ACTION_WORDS[hand["action"]],
        "reason": hand["reason"],
        "verdict": verdict_of(after) if after else "",
        "pick": pick,
        "choices": choices,
    }


def _file(job: str, name: str, link: Link) -> str:
    return link(job, f"report/{name}")
