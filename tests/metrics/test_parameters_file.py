from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import DataError, InvalidValueError, NotEnoughDataError, UsageError
from handwright.metrics.poses import evaluate_parameters, pose_measures, read_parameters


def poses(n: int, seed: int = 0, scale: float = 0.5, joints: int = 2) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=(n, joints, 3))


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_arrays_come_back_as_they_were_saved(tmp_path, suffix):
    arrays = {"poses": poses(9).astype(np.float32), "texts": np.eye(9)}
    file = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        np.savez(file, **arrays)
    else:
        pytest.importorskip("safetensors.numpy").save_file(arrays, file)
    result = read_parameters(file)
    assert set(result) == set(arrays) and all(np.array_equal(result[key], arrays[key]) for key in arrays)


def test_all_that_the_arrays_allow_is_measured_and_the_rest_named():
    result = evaluate_parameters({"poses": poses(60)}, {"poses": poses(50, 1)})
    assert [e.name for e in result.estimates] == [
        "pose-fid[rot6d]",
        "diversity[rot6d] real",
        "diversity[rot6d] fake",
    ]
    assert [note.split()[0] for note in result.notes] == ["r-precision", "multimodality"]
    assert (result.n_real, result.n_fake, result.counted, result.exit_code) == (60, 50, "poses", 0)


def test_stiffer_poses_are_farther_and_less_diverse():
    real = {"poses": poses(80)}
    result = [
        evaluate_parameters(real, {"poses": poses(80, 1, s)}, ("pose-fid", "diversity"))
        for s in (0.5, 0.3, 0.1)
    ]
    far = [t["pose-fid"].value for t in result]
    varied = [t["diversity[rot6d] fake"].value for t in result]
    assert far == sorted(far) and varied == sorted(varied, reverse=True)


def test_texts_and_their_poses_in_one_space_give_r_precision():
    texts = np.random.default_rng(0).normal(size=(64, 8))
    right = {"poses": poses(64), "texts": texts, "embedded": texts}
    strangers = {**right, "embedded": np.roll(texts, 1, axis=0)}
    result = evaluate_parameters(right, strangers, ("r-precision",))
    values = {e.name: e.value for e in result.estimates}
    assert values["r-precision@1[given, pool 32] real"] == 1
    assert values["r-precision@1[given, pool 32] fake"] < 0.3


def test_several_poses_a_text_give_multimodality_and_count_one_by_one_elsewhere():
    base = poses(40)
    several = {"poses": np.stack([base, base], 1)}
    result = evaluate_parameters({"poses": base}, several, ("multimodality", "pose-fid"))
    assert result["multimodality[rot6d] fake"].value == 0
    assert result["pose-fid"].n == 80 and result["pose-fid"].value == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"poses": np.where(np.arange(10)[:, None, None] == 3, np.nan, poses(10))}, "1 of 10 rows of poses"),
        ({"poses": poses(10), "texts": np.full((4, 2), np.inf)}, "4 of 4 rows of texts are not finite"),
        ({"poses": poses(10)[..., :2]}, r"poses is float64 \[10, 2, 2\]"),
        ({"pose": poses(10)}, "holds no poses: it holds pose"),
        ({"poses": np.array([["a"]])}, r"poses is <U1 \[1, 1\]"),
        ({"poses": np.array([{}], object)}, "Object arrays"),
    ],
)
def test_arrays_that_are_no_poses_are_one_clear_line(tmp_path, arrays, why):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=why):
        read_parameters(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors"])
def test_files_that_are_no_archives_are_one_clear_line(tmp_path, name):
    for content in (None, b"", b"hello" * 9):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot read") as result:
            read_parameters(tmp_path / name)
        assert "pickle" not in str(result.value)


def test_poses_of_other_joints_and_measures_of_pictures_are_refused():
    with pytest.raises(InvalidValueError, match="got 2 joints and 3"):
        pose_measures(poses(10), poses(10, joints=3), "diversity", 0)
    with pytest.raises(NotEnoughDataError, match="got 2 joints and 3"):
        evaluate_parameters({"poses": poses(10)}, {"poses": poses(10, joints=3)}, ("pose-fid", "diversity"))
    with pytest.raises(UsageError, match="kid is no measure of parameters"):
        evaluate_parameters({"poses": poses(10)}, {"poses": poses(10)}, ("kid",))
