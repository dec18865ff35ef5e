"""All hands of a picture: which of them meet, what depth they are painted by, what lies in front of which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.hand.depth import depth_control, meeting_groups
from handwright.handrefiner.strength import Strength
from handwright.refine.hand_task import HandTask
from handwright.refine.painters.contract import PaintJob
from handwright.types import DepthControl, Window


@dataclass(frozen=True, kw_only=True)
class SceneParams:
    """When hands are painted at the same time; chosen by eye."""

    # Gap between their repair masks, in sizes of the larger hand: another pose hypothesis may reach farther
    min_gap: float = 0.1


PARAMS = SceneParams()


@dataclass(frozen=True, eq=False)
class Scene:
    """The hands of a picture."""

    tasks: tuple[HandTask, ...]  # All of them; the task of id k stands at index k − 1
    depth: DepthControl  # Depth control image of all hands by their first pose hypothesis
    given: bool = False  # True when that image is the user's own

    def groups(self, tasks: Sequence[HandTask], together: bool) -> list[list[HandTask]]:
        """Hands to paint in one go, the farthest first; if ``together``, meeting masks make a group."""
        ordered = sorted(tasks, key=lambda task: -float(task.fit.hand.translation_m[2]))
        if not together or len(ordered) < 2:
            return [[task] for task in ordered]
        height, width = self.depth.depth.shape
        masks = [_moved(task.repair_mask, task.window, (0, 0, width, height)) for task in ordered]
        return [[ordered[k] for k in group] for group in sorted(meeting_groups(masks))]

    def rounds(self, groups: Sequence[list[HandTask]], side_by_side: bool) -> list[list[list[HandTask]]]:
        """The groups in rounds; where ``side_by_side``, a round holds all that lie apart from each other."""
        rounds: list[list[list[HandTask]]] = []
        for group in groups:
            last = rounds[-1] if rounds and side_by_side else None
            if last is not None and not any(_meet(a, b) for a in group for other in last for b in other):
                last.append(group)
            else:
                rounds.append([group])
        return rounds

    def control(self, tasks: Sequence[HandTask]) -> DepthControl:
        """The depth control image to paint these hands by; several of them share one depth range."""
        changed = any(self.tasks[task.id - 1] is not task for task in tasks)
        if self.given or (len(tasks) == 1 and not changed):
            return self.depth
        height, width = self.depth.depth.shape
        now = {task.id: task for task in (*self.tasks, *tasks)}
        depth = self.depth
        if changed:
            depth = depth_control([now[task.id].fit.hand for task in self.tasks], height, width)
        if len(tasks) == 1:
            return depth
        shared = depth_control([task.fit.hand for task in tasks], height, width, one_range=True).depth
        theirs = np.isin(depth.hand_id, [task.id - 1 for task in tasks])
        return DepthControl(np.where(theirs, shared, depth.depth), depth.hand_id)

    def job(
        self,
        picture: UInt8[np.ndarray, "H W 3"],
        tasks: Sequence[HandTask],
        control: DepthControl,
        seed: int,
        strength: Strength | str | None = None,
    ) -> PaintJob:
        """What a painter gets; ``picture`` as painted so far, ``tasks`` the farthest first."""
        painted = [task.id for task in tasks]
        window = _around([task.window for task in tasks])
        repair_mask = np.zeros((window[3] - window[1], window[2] - window[0]), np.bool_)
        others: list[Bool[np.ndarray, "_ _"]] = []
        for task in tasks:
            mates = [other for other in self.tasks if other.id in painted and other.id != task.id]
            strangers = [other for other in self.tasks if other.id not in painted]
            nearer = _nearer_hands(task, strangers, control)
            repair_mask |= _moved(task.repair_mask & ~nearer, task.window, window)
            others.append(nearer | _nearer_hands(task, mates, control))
        return PaintJob(
            picture=picture,
            control=control.depth,
            tasks=tuple(tasks),
            others=tuple(others),
            window=window,
            repair_mask=repair_mask,
            seed=seed,
            strength=strength,
        )


def _meet(a: HandTask, b: HandTask) -> bool:
    """Whether two repair masks come so near that other pose hypotheses of their hands may overlap."""
    room = PARAMS.min_gap * max(a.observation.size_px, b.observation.size_px)
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = (_reach(task) for task in (a, b))
    return ax0 - room < bx1 and bx0 - room < ax1 and ay0 - room < by1 and by0 - room < ay1


def _reach(task: HandTask) -> tuple[float, float, float, float]:
    """Box of what the repair of a hand may change, in the picture."""
    rows, columns = (np.flatnonzero(task.repair_mask.any(axis)) for axis in (1, 0))
    if not rows.size:
        return task.observation.bbox_xyxy_px
    x, y = task.window[:2]
    return x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1


def own_depth(task: HandTask, control: DepthControl) -> DepthControl:
    """A hand's part of a depth control image."""
    mine = control.hand_id == task.id - 1
    return DepthControl(np.where(mine, control.depth, 0).astype(np.uint8), control.hand_id)


def _nearer_hands(
    task: HandTask, others: Sequence[HandTask], control: DepthControl
) -> Bool[np.ndarray, "h w"]:
    """Pixels of other hands, old ones included, where this hand is not the nearest: bool in its window."""
    x0, y0, x1, y1 = task.window
    theirs = np.zeros((y1 - y0, x1 - x0), np.bool_)
    for other in others:
        theirs |= _moved(other.region.inside, other.window, task.window)
    return theirs & (control.hand_id[y0:y1, x0:x1] != task.id - 1)


def _moved(inside: Bool[np.ndarray, "_ _"], window: Window, into: Window) -> Bool[np.ndarray, "h w"]:
    """A mask of one window as seen in another one."""
    moved = np.zeros((into[3] - into[1], into[2] - into[0]), np.bool_)
    (x0, y0), (x1, y1) = map(max, window[:2], into[:2]), map(min, window[2:], into[2:])
    if x0 < x1 and y0 < y1:
        part = inside[y0 - window[1] : y1 - window[1], x0 - window[0] : x1 - window[0]]
        moved[y0 - into[1] : y1 - into[1], x0 - into[0] : x1 - into[0]] = part
    return moved


def _around(windows: Sequence[Window]) -> Window:
    x0, y0, x1, y1 = zip(*windows, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
