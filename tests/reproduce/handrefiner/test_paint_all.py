from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from handwright.reproduce.handrefiner.paint_all import TABLE, UNTOUCHED
from handwright.reproduce.handrefiner.study import GRID, TABLE_FROM
from handwright.reproduce.subjects import Picture

NAMES = tuple(f"{TABLE_FROM + k}" for k in range(2))


def files(folder: Path) -> dict[str, bytes]:
    """All units; of records everything but the time they took."""
    result = {}
    for path in sorted(folder.rglob("*.*")):
        record = json.loads(path.read_text()) if path.suffix == ".json" else None
        if record is not None:
            record.pop("seconds", None)
        result[path.relative_to(folder).as_posix()] = path.read_bytes() if record is None else str(record)
    return result


def test_every_row_of_every_picture_is_painted_once(open_bench, network):
    bench = open_bench()
    assert bench.table() == NAMES
    first = len(network.requests)
    assert bench.table() == NAMES
    assert len(network.requests) == first
    record = bench.store.record(TABLE, f"{NAMES[0]}/adaptive")
    assert [s for s, _ in record["tried"]] == [1.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert bench.store.record(TABLE, f"{NAMES[0]}/{UNTOUCHED}")["error"] == 0.01
    assert bench.store.record(TABLE, f"{NAMES[0]}/fixed")["strength"] == network.fixed_strength


def test_what_two_rows_share_is_painted_once_and_counts_in_the_time_of_both(open_bench, network):
    bench = open_bench(table=1)
    bench.table()
    kept = {path.stem for path in (bench.store.folder / "diffuse" / NAMES[0]).glob("*.json")}
    tried = {"1", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"}
    assert kept == {*tried, f"{network.fixed_strength:g}", "auto"}
    seconds = {name: bench.store.record("diffuse", f"{NAMES[0]}/{name}")["seconds"] for name in kept}
    adaptive, full = (bench.store.record(TABLE, f"{NAMES[0]}/{row}") for row in ("adaptive", "full"))
    assert adaptive["seconds"] == pytest.approx(sum(seconds[name] for name in tried))
    assert (full["seconds"], full["paintings"]) == (seconds["1"], 1)


def test_the_phase_figure_uses_what_the_table_painted(open_bench, network):
    bench = open_bench(table=1)
    bench.table()
    before = len(network.requests)
    bench.phases()
    of_depth = len({0.0, 0.1, 0.2, 0.3})
    others = 2 * (len(GRID) + 1)  # 'bare' and 'harmonise', each after a painting that only warms up
    assert len(network.requests) - before == of_depth + others


def test_killed_and_resumed_gives_the_same_to_the_byte(open_bench, network, monkeypatch):
    whole = open_bench("whole")
    whole.table()
    units, rule = len(network.requests), network.rule
    network.requests.clear()

    def killed(request):
        if len(network.requests) == units // 2:
            raise KeyboardInterrupt
        return rule(request)

    network.rule = killed
    with pytest.raises(KeyboardInterrupt):
        open_bench("stopped").table()
    network.rule = rule
    again = open_bench("stopped")
    assert again.table() == NAMES
    assert files(again.store.folder) == files(whole.store.folder)


def test_more_pictures_add_to_what_is_there(open_bench):
    first = open_bench(table=1)
    first.table()
    before = files(first.store.folder)
    assert open_bench(table=2).table() == NAMES
    after = files(first.store.folder)
    assert before.items() < after.items()
    assert len(after) - 1 == 2 * (len(before) - 1)


def test_a_picture_without_a_hand_is_left_out_and_not_looked_at_again(open_bench, monkeypatch):
    from handwright.reproduce import subjects

    bench, looked = open_bench(), []
    monkeypatch.setattr(subjects, "find_hands", lambda pixels, *, landmarker: looked.append(1) or [])
    assert bench.table() == ()
    assert bench.table() == ()
    assert len(looked) == 2


def test_the_grid_knows_its_strengths_and_stripes_die_of_control(open_bench):
    bench = open_bench()
    phase = bench.phases()["diffuse"]
    records = [bench.store.record(phase.group, f"{phase.names[0]}/{s:g}") for s in GRID]
    assert [record["strength"] for record in records] == list(GRID)
    textures = [record["texture"] for record in records]
    assert textures == sorted(textures, reverse=True)
    assert textures[0] > 5 > 0.1 > textures[-1]


def test_pictures_of_a_folder_are_split_between_reference_and_repainted(tmp_path, open_bench):
    import cv2
    import numpy as np

    from handwright.reproduce.subjects import REAL, TO_REPAINT, of_folder

    for k in range(5):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((8, 8, 3), k, np.uint8))
    made, real = of_folder(tmp_path, TO_REPAINT), of_folder(tmp_path, REAL)
    assert [int(p.read()[0, 0, 0]) for p in made] == [1, 3]
    assert [int(p.read()[0, 0, 0]) for p in real] == [0, 2, 4]
    assert all(isinstance(p, Picture) for p in made)


def test_the_phase_figure_is_drawn_of_both_painters_and_of_every_other_control_there_is(open_bench, tmp_path):
    (tmp_path / "normals").mkdir()
    painted = {"diffuse", "diffuse, bare", "harmonise"}
    bench = open_bench(strengths=(0.0, 1.0))
    assert set(bench.phases()) == painted
    steered = replace(bench, study=replace(bench.study, variants=tmp_path)).phases()
    assert set(steered) == {*painted, "diffuse, normals"}
    assert len({phase.group for phase in steered.values()}) == 4


def test_a_boxed_subject_may_change_all_of_its_box_and_nothing_else_of_it_changes(network):
    from handwright.reproduce.subjects import read_subject
    from tests.reproduce.conftest import SHOT

    subject = read_subject(Picture("a", lambda: SHOT.pixels), None)
    boxed = subject.boxed()
    rows, columns = (boxed.task.repair_mask.any(axis) for axis in (1, 0))
    assert boxed.task.repair_mask.sum() == rows.sum() * columns.sum() > subject.task.repair_mask.sum()
    assert (rows == subject.task.repair_mask.any(1)).all()
    assert boxed.scene.tasks == (boxed.task,)
    assert boxed.scene.control([boxed.task]) is subject.scene.depth
