"""The runs of a study: their steps, their batches, and data that change under way."""

from pathlib import Path

import pytest
from seedkit.errors import InputError
from training import planned_runs, presets, student_run
from training.placement import placed


def test_data_that_change_under_way_are_noticed(
    tmp_path: Path, partition: Path, tiny_llama: Path, environment: Path
) -> None:
    (found,) = planned_runs.subsets([partition], "*_LOW", None, 2048)
    assert planned_runs.unchanged(found)
    path = partition / "LOW.jsonl"
    path.write_bytes(path.read_bytes().replace(b"add 1", b"add 2"))
    assert not planned_runs.unchanged(found)


def test_equal_steps_and_batches_over_gpus(partition: Path, tiny_llama: Path) -> None:
    found = planned_runs.subsets([partition], "*", None, 2048)
    student = presets.student(str(tiny_llama), "full").with_settings(None, batch_size=12)

    def made(gpus: int = 1, equal_steps: bool = False, max_steps: int | None = None) -> list[planned_runs.Run]:
        at = placed(student, gpus, 80e9, None, 2048)
        return planned_runs.plan_runs(
            found, [1], student, at, equal_steps=equal_steps, max_steps=max_steps, save_steps=None
        )

    assert [run.steps for run in made()] == [3, 3, 6]
    assert [run.steps for run in made(equal_steps=True)] == [3, 3, 3]
    assert [run.steps for run in made(equal_steps=True, max_steps=5)] == [5, 5, 5]
    for gpus, split in ((1, (4, 3)), (2, (3, 2)), (3, (4, 1)), (4, (3, 1))):
        settings = made(gpus)[0].settings
        assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == split
        assert settings["bf16"]
    with pytest.raises(InputError, match="expected a multiple of the 5 GPUs"):
        made(5)
    # the same student, however its batch is spread
    plans = [student_run.plan(made(gpus)[0], {}, 12) for gpus in (1, 4)]
    assert plans[0] == plans[1]
