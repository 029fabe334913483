"""The runs of a study: their steps, their batches, their GPU hours, and data that change under way."""

from pathlib import Path

import pytest
from seedkit.errors import InputError
from training import planned_runs, presets, student_run
from training.presets import Student


def test_data_that_change_under_way_are_noticed(
    tmp_path: Path, partition: Path, tiny_llama: Path, environment: Path
) -> None:
    (found,) = planned_runs.subsets([partition], "*_LOW", None, 2048)
    assert planned_runs.unchanged(found)
    path = partition / "LOW.jsonl"
    path.write_bytes(path.read_bytes().replace(b"add 1", b"add 2"))
    assert not planned_runs.unchanged(found)


def test_hours_by_hand() -> None:
    subset = planned_runs.Subset("s", Path("s"), "", 1000, "", tokens=1_000_000)
    student = Student("m", "default", 8, "full", {"batch_size": 100}, 1_000_000_000)
    run = planned_runs.Run("r", subset, 1, 30, {})
    # 3 passes x 1e6 tokens x 1e9 parameters x 8 operations at 124.8e12 a second
    hours = 3e6 * 1e9 * 8 / 124.8e12 / 3600
    assert planned_runs.training_hours(run, student, 30, planned_runs.A100_FLOPS) == pytest.approx(hours)
    assert planned_runs.training_hours(run, student, 10, planned_runs.A100_FLOPS) == pytest.approx(hours / 3)
    assert planned_runs.training_hours(run, student, 0, planned_runs.A100_FLOPS) == 0
    lora = Student("m", "default", 8, "lora", {"batch_size": 100}, None)
    assert planned_runs.training_hours(run, lora, 30, planned_runs.A100_FLOPS) is None
    # the measurement that the constant is from: a step of 332 tokens took 2.4 s on two cores
    step = planned_runs.Run("r", planned_runs.Subset("s", Path("s"), "", 4, "", tokens=332), 1, 1, {})
    small = Student("m", "default", 8, "lora", {"batch_size": 4}, 134_500_000)
    seconds = (planned_runs.training_hours(step, small, 1, 2 * planned_runs.CORE_FLOPS) or 0) * 3600
    assert seconds == pytest.approx(2.4, rel=0.01)


def test_equal_steps_and_batches_over_gpus(partition: Path, tiny_llama: Path) -> None:
    found = planned_runs.subsets([partition], "*", None, 2048)
    student = presets.student(str(tiny_llama), "full").with_settings(None, batch_size=12)

    def made(gpus: int = 1, equal_steps: bool = False, max_steps: int | None = None) -> list[planned_runs.Run]:
        return planned_runs.plan_runs(
            found, [1], student, gpus=gpus, cpu=False, equal_steps=equal_steps, max_steps=max_steps, save_steps=None
        )

    assert [run.steps for run in made()] == [3, 3, 6]
    assert [run.steps for run in made(equal_steps=True)] == [3, 3, 3]
    assert [run.steps for run in made(equal_steps=True, max_steps=5)] == [5, 5, 5]
    for gpus, split in ((1, (6, 2)), (2, (6, 1)), (3, (4, 1)), (4, (3, 1))):
        settings = made(gpus)[0].settings
        assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == split
        assert settings["bf16"]
    with pytest.raises(InputError, match="expected a multiple of the 5 GPUs"):
        made(5)
    # the same student, however its batch is spread
    plans = [student_run.plan(made(gpus)[0], {}, 12) for gpus in (1, 4)]
    assert plans[0] == plans[1]
