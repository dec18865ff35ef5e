from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import NotEnoughDataError, UsageError
from handwright.metrics.extractors.choose import RandomFilters
from handwright.metrics.sets.evaluation import Plan, evaluate_sets
from handwright.metrics.sets.items import file_item
from handwright.types import HandObservation
from tests.metrics.sets.picture_folders import MarkFinder, blots, hand_points, mark, named, write


def run(real: Path, fake: Path, finder=None, *, masks=None, versus=None, **plan):
    sets = [None if folder is None else named(folder, masks) for folder in (real, fake, versus)]
    return evaluate_sets(
        sets[0],
        sets[1],
        Plan(foreground=masks is not None, **plan),
        RandomFilters(),
        finder,
        versus=sets[2],
    )


@pytest.fixture
def marked(tmp_path):
    """12 pictures with a hand at (8, 6), and the same with it 3 px to the right; one lost its hand."""
    plain = blots(12, 60)
    real = write(tmp_path / "real", [mark(p, 8, 6) for p in plain])
    moved = [mark(p, 11, 6) for p in plain]
    moved[4] = plain[4]
    return real, write(tmp_path / "fake", moved)


def test_the_same_folder_twice_is_at_no_distance(tmp_path):
    folder = write(tmp_path / "a", blots(160))
    result = run(folder, folder)
    assert result["fid"].value == pytest.approx(0, abs=1e-6)
    assert result["kid"].value <= 0
    assert [e.name for e in result.estimates] == ["kid[rand-v1]", "fid[rand-v1]"]
    assert (result.n_real, result.n_fake, result.exit_code, result.notes) == (
        160,
        160,
        0,
        ("160 of the fake pictures are the real ones themselves.",),
    )


def test_a_set_against_itself_is_perfect_in_every_measure_of_hands(marked):
    real, _ = marked
    output = {e.name: e.value for e in run(real, real, MarkFinder(), hands=True).estimates}
    assert output["mpjpe[% hand]"] == output["mpjpe[px]"] == output["missed"] == 0
    assert output["pck@0.2"] == 1 and output["kid-h[rand-v1]"] <= 0
    assert output["hand-found fake"] == output["hand-found real"] == 1
    assert output["det-conf fake"] == output["det-conf real"] == pytest.approx(0.9)


def test_other_names_and_another_order_change_nothing_of_distributions(tmp_path):
    real, fake = write(tmp_path / "real", blots(160)), write(tmp_path / "fake", blots(160, seed=1, noise=9))
    before = run(real, fake)
    for number, path in enumerate(sorted(fake.iterdir(), reverse=True)):
        path.rename(fake / f"z{number:04d}.png")
    after = run(real, fake)
    for name in ("kid", "fid"):
        assert after[name].value == pytest.approx(before[name].value, rel=1e-6)


def test_worse_pictures_are_farther(tmp_path):
    real = write(tmp_path / "real", blots(40))
    kids = [
        run(real, write(tmp_path / f"f{noise}", blots(40, seed=1, noise=noise)), metrics=("kid",))[
            "kid"
        ].value
        for noise in (0, 30, 90)
    ]
    assert kids == sorted(kids)


def test_fid_is_left_out_with_a_note_where_pictures_are_too_few(tmp_path):
    folder = write(tmp_path / "a", blots(20))
    result = run(folder, folder)
    assert [e.name for e in result.estimates] == ["kid[rand-v1]"]
    assert result.notes[0].startswith("fid was left out: fid[rand-v1] needs at least 145")
    assert result.exit_code == 0


def test_a_metric_that_was_named_and_fails_is_an_error_beside_the_others(tmp_path):
    folder = write(tmp_path / "a", blots(20))
    result = run(folder, folder, metrics=("fid", "kid"))
    assert [f.metric for f in result.failed] == ["fid"] and len(result.estimates) == 1
    assert result.exit_code == 2


def test_three_pictures_are_too_few_for_anything(tmp_path):
    folder = write(tmp_path / "a", blots(3))
    with pytest.raises(NotEnoughDataError, match=r"nothing could be measured: kid.*reference set has 3"):
        run(folder, folder)


def test_a_text_file_called_png_is_a_counted_skip(tmp_path):
    real, fake = write(tmp_path / "real", blots(20)), write(tmp_path / "fake", blots(20, seed=1))
    (fake / "0007.png").write_text("hello")
    result = run(real, fake, metrics=("kid",))
    assert result["kid"].n == 19 and result.n_fake == 19
    assert [s.path.name for s in result.skipped] == ["0007.png"]
    assert "not a picture" in result.skipped[0].reason and result.exit_code == 2


def test_mixed_sizes_and_formats_are_measured_and_told(tmp_path):
    real = write(tmp_path / "real", blots(12) + blots(12, 60))
    fake = write(tmp_path / "fake", blots(24, seed=1), ".jpg")
    result = run(real, fake, metrics=("kid",))
    assert "2 sizes from 40 × 40 to 60 × 60 against 40 × 40" in result.notes[0]
    assert "png against jpeg" in result.notes[1]


def test_joint_errors_of_pairs_with_misses_and_floor(marked):
    result = run(*marked, MarkFinder(), metrics=("mpjpe", "pck"))
    assert result["mpjpe[% hand]"].value == pytest.approx((11 * 100 * 3 / 20 + 100) / 12)
    assert result["mpjpe-floor[px]"].value == pytest.approx(20 * 1.0)
    assert result["missed"].value == pytest.approx(1 / 12)
    assert result["missed-floor"].value == 1
    assert result["pck@0.2"].value == pytest.approx(11 / 12)
    assert result["mpjpe[% hand]"].n == 12


def test_a_finder_that_sees_the_same_in_the_mirror_has_no_floor(marked):
    class Upright:
        """Sees a hand as a line down from each red pixel, at its centre."""

        def __call__(self, pixels):
            marks = np.argwhere((pixels == [255, 0, 0]).all(-1))
            lines = [np.column_stack([np.full(21, x + 0.5), y + np.arange(21.0)]) for y, x in marks]
            return [
                HandObservation(
                    landmarks_px=line, depth_px=np.zeros(21), side="left", score=1.0, found_by="picture"
                )
                for line in lines
            ]

    result = run(*marked, Upright(), metrics=("mpjpe",))
    assert result["mpjpe-floor[px]"].value == 0
    assert result["mpjpe[px]"].value == pytest.approx((11 * 3 + 20) / 12)


def test_joints_that_are_hidden_in_the_truth_do_not_count(marked):
    real, fake = marked
    points, visible = hand_points(8, 6), [1] * 21
    points[3] += 9
    visible[3] = 0
    for path in real.glob("*.png"):
        hand = {"keypoints_px": points.tolist(), "visible": visible}
        path.with_suffix(".json").write_text(json.dumps({"hands": [hand]}))
    result = run(real, fake, MarkFinder(), metrics=("mpjpe", "pck"))
    assert result["mpjpe-floor[px]"].value == 0
    assert result["mpjpe[px]"].value == pytest.approx((11 * 3 + np.ptp(points, axis=0).max()) / 12)


def test_the_truth_beside_a_picture_is_used_and_the_floor_is_the_finders_own_error(marked):
    real, fake = marked
    for path in real.glob("*.png"):
        hand = {"keypoints_px": hand_points(8, 7).tolist(), "visible": [1] * 21}
        path.with_suffix(".json").write_text(json.dumps({"hands": [hand]}))
    result = run(real, fake, MarkFinder(), metrics=("mpjpe",))
    assert result["mpjpe-floor[px]"].value == pytest.approx(1)
    assert result["mpjpe[px]"].value == pytest.approx((11 * np.hypot(3, 1) + 20) / 12)


def test_a_truth_without_keypoints_is_a_counted_skip(marked):
    real, fake = marked
    (real / "0002.json").write_text('{"hands": [{"side": "left"}]}')
    result = run(real, fake, MarkFinder(), metrics=("mpjpe",))
    assert result["mpjpe[px]"].n == 11
    assert result.skipped[0].path.name == "0002.png"
    assert "its hands cannot be read" in result.skipped[0].reason


def test_a_true_hand_that_cannot_be_seen_is_not_missed(marked):
    real, fake = marked
    there = {"keypoints_px": hand_points(8, 6).tolist(), "visible": [1] * 21}
    hidden = {"keypoints_px": hand_points(8, 36).tolist(), "visible": [0] * 21}
    for path in real.glob("*.png"):
        path.with_suffix(".json").write_text(json.dumps({"hands": [there, hidden]}))
    result = run(real, fake, MarkFinder(), metrics=("mpjpe",))
    assert result["missed"].n == 12 and result["mpjpe-floor[px]"].value == 0


def test_labels_that_tell_of_no_hands_leave_the_truth_to_the_finder(marked):
    real, fake = marked
    (real / "0002.json").write_text('{"prompt": "a hand"}')
    assert run(real, fake, MarkFinder(), metrics=("mpjpe",))["mpjpe[px]"].n == 12
    (real / "0002.json").write_text("[1")
    broken = run(real, fake, MarkFinder(), metrics=("mpjpe",))
    assert broken["mpjpe[px]"].n == 11 and "not JSON" in broken.skipped[0].reason


def test_hands_without_extent_are_a_counted_skip_and_not_the_end(marked):
    real, fake = marked
    (real / "0002.json").write_text(json.dumps({"hands": [{"keypoints_px": [[5, 5]] * 21}]}))
    result = run(real, fake, MarkFinder(), metrics=("mpjpe",))
    assert result["mpjpe[px]"].n == 11 and "one place" in result.skipped[0].reason


def test_transparency_and_other_modes_are_told(tmp_path):
    real, fake = write(tmp_path / "real", blots(12)), write(tmp_path / "fake", blots(12, seed=1))
    pixels = PILImage.fromarray(blots(1)[0])
    pixels.convert("RGBA").save(fake / "0001.png")
    pixels.convert("P").save(fake / "0002.png")
    result = run(real, fake, metrics=("kid",))
    assert "(1 P, 1 RGBA)" in result.notes[0] and result.exit_code == 0


def test_what_is_named_and_missing_is_told_where_nothing_is_left(tmp_path):
    folder = write(tmp_path / "a", blots(12))
    gone = {"x": file_item(tmp_path / "nowhere.png")}
    with pytest.raises(NotEnoughDataError, match=r"nowhere\.png: No such file"):
        evaluate_sets(gone, named(folder), Plan(), RandomFilters(), None)


def test_labelled_poses_of_hands_are_a_set_of_poses(tmp_path):
    rng = np.random.default_rng(0)
    real, fake = (write(tmp_path / name, blots(30)) for name in ("real", "fake"))
    for scale, folder in ((0.5, real), (0.2, fake)):
        for i in range(30):
            hands = [{"pose": (scale * rng.normal(size=(1, 3))).tolist()} for _ in range(2)]
            (folder / f"{i:04d}.json").write_text(json.dumps({"hands": hands}))
    (fake / "0003.json").write_text('{"hands": [{"pose": [[1, 2, NaN]]}]}')
    result = run(real, fake, metrics=("pose-fid", "diversity"))
    assert (result["pose-fid"].n, result["pose-fid"].n_reference) == (58, 60)
    assert result["diversity[rot6d] real"].low > result["diversity[rot6d] fake"].high
    assert [s.path.name for s in result.skipped] == ["0003.png"]
    (fake / "0004.json").write_text('{"hands": [{"pose": [[1, 2, 3], [4, 5, 6]]}]}')
    with pytest.raises(NotEnoughDataError, match="different numbers of joints"):
        run(real, fake, metrics=("diversity",))


def test_points_are_scaled_when_the_fake_is_larger(tmp_path):
    real = write(tmp_path / "real", [mark(blots(1, 60)[0], 8, 6)])
    fake = write(tmp_path / "fake", [mark(blots(1, 120)[0], 16, 12)])

    class Twice(MarkFinder):
        def __call__(self, pixels):
            detected = super().__call__(pixels)
            if pixels.shape[0] == 60:
                return detected
            from dataclasses import replace

            return [replace(h, landmarks_px=hand_points(16, 12, 40)) for h in detected]

    result = evaluate_sets(named(real), named(fake), Plan(metrics=("mpjpe",)), None, Twice())
    assert result["mpjpe[px]"].value == pytest.approx(0)


def test_detection_counts_pictures_without_a_hand(marked):
    result = run(*marked, MarkFinder(), metrics=("det",))
    values = {e.name: e.value for e in result.estimates}
    assert values["hand-found real"] == 1 and values["hand-found fake"] == pytest.approx(11 / 12)
    assert values["det-conf fake"] == pytest.approx(0.9 * 11 / 12)
    assert values["det-conf[found] fake"] == pytest.approx(0.9)


def test_hand_crops_are_measured_under_their_own_name(marked):
    result = run(*marked, MarkFinder(), metrics=("kid-h",))
    kid = result["kid-h"]
    assert (kid.name, kid.n, kid.n_reference) == ("kid-h[rand-v1]", 11, 12)


def test_hands_add_to_what_is_measured_anyway(marked):
    result = run(*marked, MarkFinder(), hands=True)
    names = " ".join(e.name for e in result.estimates)
    for wanted in ("kid[", "kid-h[", "det-conf", "mpjpe[", "mpjpe-floor[", "pck@"):
        assert wanted in names


def test_nobody_looks_for_hands_that_nobody_asked_for(marked):
    finder = MarkFinder()
    run(*marked, finder, metrics=("kid",))
    assert finder.looks == 0


def test_background_does_not_count_in_the_foreground(tmp_path):
    things, rooms = blots(20, seed=1), [blots(20, seed=s) for s in (2, 3)]
    inside = np.zeros((40, 40), bool)
    inside[10:30, 10:30] = True
    sets = [
        write(
            tmp_path / str(i), [np.where(inside[..., None], t, r) for t, r in zip(things, room, strict=True)]
        )
        for i, room in enumerate(rooms)
    ]
    masks = tmp_path / "masks"
    masks.mkdir()
    for i in range(19):
        PILImage.fromarray(inside.astype(np.uint8) * 255).save(masks / f"{i:04d}.png")
    result = run(*sets, masks=masks)
    assert result["kid-fg"].value <= 0 < result["kid"].value
    assert result["kid-fg"].n == 19
    assert [s.path.name for s in result.skipped] == ["0019.png", "0019.png"]


def test_clipsim_wants_captions_and_an_extractor_that_reads(tmp_path):
    folder = write(tmp_path / "a", blots(12))
    with pytest.raises(UsageError, match="clip:DIR"):
        run(folder, folder, metrics=("clipsim",))

    class Reader(RandomFilters):
        def texts(self, texts):
            return np.ones((len(texts), 144), np.float32)

    with pytest.raises(NotEnoughDataError, match=r"NAME\.txt"):
        evaluate_sets(named(folder), named(folder), Plan(metrics=("clipsim",)), Reader(), None)
    for i in range(5):
        (folder / f"{i:04d}.txt").write_text("an open hand")
    (folder / "0007.txt").write_bytes(b"\xff\xfe\xff")
    result = evaluate_sets(named(folder), named(folder), Plan(metrics=("clipsim",)), Reader(), None)
    assert result["clipsim"].n == 5 and 0 < result["clipsim"].value <= 100
    assert [s.reason.split(": ")[0] for s in result.skipped] == [f"{folder / '0007.txt'} is no UTF-8 text"]


def test_unknown_metrics_are_told_the_known_ones():
    with pytest.raises(UsageError, match="no metric lpips; choose among kid"):
        Plan(metrics=("lpips",))


def test_foregrounds_want_masks(tmp_path):
    folder = write(tmp_path / "a", blots(12))
    with pytest.raises(UsageError, match="--masks"):
        run(folder, folder, metrics=("kid-fg",))


def test_json_holds_every_figure_and_no_nan(marked):
    output = json.loads(json.dumps(run(*marked, MarkFinder(), hands=True).to_json(), allow_nan=False))
    assert output["schema"] == "handwright/evaluation-1"
    assert {"name", "value", "low", "high", "n", "n_reference", "p"} == set(output["estimates"][0])
    assert (output["real"], output["fake"], output["failed"]) == (12, 12, [])
