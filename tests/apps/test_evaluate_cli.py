from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from handwright.apps.cli.main import main
from tests.metrics.sets.picture_folders import blots, write


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["evaluate", *map(str, arguments)])
        captured = capfd.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sets")
    return write(folder / "real", blots(20)), write(folder / "fake", blots(20, seed=1, noise=40))


def test_the_table_names_measure_interval_and_n(cli, sets):
    code, out, err = cli(*sets, "--extractor", "rand-v1")
    assert (code, err) == (0, "")
    line = next(line for line in out.splitlines() if line.startswith("kid[rand-v1]"))
    assert "[" in line.split("kid[rand-v1]")[1] and line.endswith("20 / 20")
    assert "20 real and 20 fake pictures" in out and "fid was left out" in out


def test_json_is_all_there_is_on_stdout_and_patterns_work(cli, sets):
    code, out, err = cli(f"{sets[0]}/*.png", sets[1], "--extractor", "rand-v1", "--json", "--metrics", "kid")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert [e["name"] for e in result["estimates"]] == ["kid[rand-v1]"]


def test_equal_seeds_give_equal_bytes(cli, sets):
    runs = [cli(*sets, "--extractor", "rand-v1", "--json", "--seed", s)[1] for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_a_bad_file_is_told_counted_and_leaves_with_2(cli, sets, tmp_path):
    fake = write(tmp_path / "fake", blots(20))
    (fake / "note.png").write_text("no picture")
    code, out, err = cli(sets[0], fake, "--extractor", "rand-v1", "--metrics", "kid")
    assert code == 2 and "note.png" in err and "not a picture" in err
    assert "20 fake pictures, 1 skipped" in out and "kid[rand-v1]" in out


@pytest.mark.parametrize(
    ("make", "arguments", "result"),
    [
        (lambda folder: folder.mkdir(), (), "FAKE: the inputs hold no picture"),
        (lambda folder: None, (), "nothing could be measured"),
        (lambda folder: write(folder, blots(3)), (), "measured set has 3"),
        (lambda folder: write(folder, blots(12)), ("--extractor", "vgg"), "choose one of: hw-v2"),
        (lambda folder: write(folder, blots(12)), ("--metrics", "lpips"), "no metric lpips"),
        (lambda folder: write(folder, blots(12)), ("--metrics", "clipsim"), "clip:DIR"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, sets, tmp_path, make, arguments, result):
    fake = tmp_path / "fake"
    make(fake)
    code, out, err = cli(sets[0], fake, "--extractor", "rand-v1", *arguments)
    assert code == 2 and result in err and out == ""
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if not line.startswith("handwright: skipped")]) == 1


def test_another_treatment_adds_paired_rows(cli, sets, tmp_path):
    other = write(tmp_path / "other", blots(20, seed=1, noise=60))
    code, out, err = cli(*sets, "--versus", other, "--extractor", "rand-v1", "--json")
    assert (code, err) == (0, "")
    delta = next(e for e in json.loads(out)["estimates"] if e["name"] == "Δ kid[rand-v1]")
    assert delta["high"] < 0 and delta["n"] == 20 and delta["p"] is None
    assert "Δ kid[rand-v1]" in cli(*sets, "--versus", other, "--extractor", "rand-v1")[1]


def test_files_of_poses_are_measured_as_poses(cli, tmp_path):
    rng = np.random.default_rng(0)
    for name, scale in (("real", 0.5), ("fake", 0.2)):
        np.savez(tmp_path / f"{name}.npz", poses=scale * rng.normal(size=(40, 1, 3)))
    code, out, err = cli(tmp_path / "real.npz", tmp_path / "fake.npz")
    assert (code, err) == (0, "")
    assert "pose-fid[rot6d]" in out and "40 real and 40 fake poses" in out
    np.savez(tmp_path / "nan.npz", poses=np.full((40, 1, 3), np.nan))
    code, out, err = cli(tmp_path / "real.npz", tmp_path / "nan.npz")
    assert (code, out) == (2, "") and "40 of 40 rows of poses are not finite" in err
    code, _, err = cli(tmp_path / "real.npz", tmp_path)
    assert code == 2 and "give two of a kind" in err


def test_a_thousand_bad_files_are_not_a_thousand_lines(cli, sets, tmp_path):
    fake = write(tmp_path / "fake", blots(12))
    for number in range(50):
        (fake / f"bad {number} ü.png").write_bytes(b"")
    code, out, err = cli(sets[0], fake, "--extractor", "rand-v1", "--metrics", "kid")
    assert code == 2 and len(err.splitlines()) == 21 and "skipped 30 more" in err
    assert "50 skipped" in out
    skipped = json.loads(cli(sets[0], fake, "--extractor", "rand-v1", "--metrics", "kid", "--json")[1])[
        "skipped"
    ]
    assert len(skipped) == 50 and skipped[0]["path"].endswith("bad 0 ü.png")


def test_a_file_that_may_not_be_read_is_a_counted_skip(cli, sets, tmp_path, monkeypatch):
    fake = write(tmp_path / "fake", blots(12))
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == fake / "0003.png":
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    code, out, err = cli(sets[0], fake, "--extractor", "rand-v1", "--metrics", "kid")
    assert code == 2 and "0003.png: Permission denied" in err and "11 fake pictures, 1 skipped" in out


def test_the_function_is_lazily_there():
    import handwright

    assert handwright.evaluate.__module__ == "handwright.workflow.evaluation"
