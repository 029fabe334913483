"""A student's folder: the settings as YAML, and what is kept of an interrupted run."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import yaml  # type: ignore[import-untyped]
from seedkit.errors import RunError
from training import planned_runs, student_run


def test_small_numbers_are_numbers_in_yaml() -> None:
    for value in (1e-05, 1e-3, 5e-324, 1e22, 3.0, 42, True, "none", 'a "b": #c', "/with space/\u00fc"):
        (line,) = student_run.yaml_lines({"key": value})
        read = yaml.safe_load(line)["key"]
        assert read == pytest.approx(value) if isinstance(value, float) else read == value
        assert type(read) is type(value)


def test_what_a_kill_left_is_cleared_and_whole_checkpoints_are_kept(tmp_path: Path, partition: Path) -> None:
    (found,) = planned_runs.subsets([partition], "*_LOW", None, 2048)
    run = planned_runs.Run("r", found, 1, 9, {})
    folder = tmp_path / "r"
    assert student_run.state(folder, {}) == "new"
    assert student_run.begin(folder, run, {"format": 1}) == 0
    model = folder / "model"
    for step in (2, 4, 10):
        (model / f"checkpoint-{step}").mkdir(parents=True)
    (model / "checkpoint-2" / "trainer_state.json").write_text('{"global_step": 2}')
    (model / "checkpoint-4" / "trainer_state.json").write_text('{"global_st')
    assert student_run.begin(folder, run, {"format": 1}) == 2
    assert [path.name for path in model.iterdir()] == ["checkpoint-2"]
    (model / "checkpoint-2" / "trainer_state.json").unlink()
    assert student_run.begin(folder, run, {"format": 1}) == 0
    assert not model.exists()  # LLaMA-Factory refuses a folder with weights and no checkpoint


def test_two_commands_may_clear_the_same_run_at_the_same_time(tmp_path: Path) -> None:
    together = Barrier(2)

    def clear(folder: Path) -> None:
        together.wait()
        student_run.clear(folder)

    with ThreadPoolExecutor(2) as pool:
        for turn in range(20):
            folder = tmp_path / str(turn)
            for step in (5, 10):
                (folder / "model" / f"checkpoint-{step}").mkdir(parents=True)
                for number in range(20):
                    (folder / "model" / f"checkpoint-{step}" / str(number)).write_text("")
            for done in [pool.submit(clear, folder) for _ in range(2)]:
                done.result()
            assert list((folder / "model").iterdir()) == []


def test_a_checkpoint_that_gpus_share_goes_on_only_with_the_same_sharing(tmp_path: Path, partition: Path) -> None:
    """Without DeepSpeed's files the trainer would go on with a new optimizer and say nothing."""
    (found,) = planned_runs.subsets([partition], "*_LOW", None, 2048)
    runs = [
        planned_runs.Run("r", found, 1, 9, {"per_device_train_batch_size": 2, "gradient_accumulation_steps": number})
        for number in (1, 2)
    ]
    folder = tmp_path / "r"
    student_run.begin(folder, runs[0], {"format": 1}, 3)
    assert student_run.begin(folder, runs[1], {"format": 1}, 3) == 0  # there is no checkpoint yet
    checkpoint = folder / "model" / "checkpoint-2"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text('{"global_step": 2}')
    for run, stage, message in (
        (runs[0], 3, "is from ZeRO stage 3 with 4 samples of a step on each GPU, expected ZeRO stage 3 with 2 samples"),
        (runs[1], 2, "is from ZeRO stage 3 .* expected ZeRO stage 2"),
        (runs[1], None, "is from ZeRO stage 3 .* expected a run without DeepSpeed; go on with the same GPUs"),
    ):
        with pytest.raises(RunError, match=message):
            student_run.begin(folder, run, {"format": 1}, stage)
    assert student_run.begin(folder, runs[1], {"format": 1}, 3) == 2
    (folder / "deepspeed.json").unlink()
    with pytest.raises(RunError, match="is from a run without DeepSpeed, expected ZeRO stage 3"):
        student_run.begin(folder, runs[1], {"format": 1}, 3)
    assert student_run.begin(folder, runs[1], {"format": 1}) == 2
