"""``handwright train`` on the command line: one line for what is wrong, and a run that can be taken up."""

from __future__ import annotations

import pytest

from handwright.apps.cli.main import run


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (("critics",), "there is no member 'critics'"),
        (("base",), "holds no crops"),
        (("base", "--train-batch-size", "0"), "train_batch_size is 0"),
        (("base", "--mixed-precision", "fp8"), "there is no precision 'fp8'"),
        (("base", "--learning-rate", "nan"), "learning_rate is nan"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path, capsys, changes, said):
    (tmp_path / "crops").mkdir()
    code = run(["train", *changes, "--data", str(tmp_path / "crops"), "-o", str(tmp_path / "run")])
    captured = capsys.readouterr()
    assert code == 2
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_step_is_trained_and_a_second_run_wants_to_be_told_to_resume(tmp_path, capsys):
    from tests.training.rendered_crops import shard

    shard(tmp_path / "crops", 2)
    short = (
        "--train-batch-size",
        "1",
        "--max-train-steps",
        "1",
        "--mixed-precision",
        "no",
        "--resolution",
        "64",
    )
    command = ["train", "base", "--data", str(tmp_path / "crops"), "-o", str(tmp_path / "run"), *short]
    assert run(command) == 0
    assert "step 1" in capsys.readouterr().out
    assert (tmp_path / "run" / "model" / "unet" / "config.json").is_file()
    assert run(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert run([*command, "--resume"]) == 0
