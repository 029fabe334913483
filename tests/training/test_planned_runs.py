"""The runs of a study: their steps, their batches, and data that change under way."""

from dataclasses import replace
from pathlib import Path

import pytest
from seedkit.errors import InputError, UsageError
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


def test_equal_tokens_are_the_budget_of_the_subset_with_the_fewest(partition: Path, tiny_llama: Path) -> None:
    student = presets.student(str(tiny_llama), "full").with_settings(None, batch_size=2, num_train_epochs=8)
    sizes = (("short", 20, 1_000), ("long", 20, 4_000), ("few", 7, 600))  # records, and answer tokens of all of them
    found = [
        planned_runs.Subset(name, partition / "LOW.jsonl", "", records, "", (1,) * records, answer_tokens=tokens)
        for name, records, tokens in sizes
    ]
    at = placed(student, 0, 0, None, 2048)

    def made(max_steps: int | None = None) -> dict[str, tuple[int, int | None]]:
        runs = planned_runs.plan_runs(
            found, [1], student, at, equal_steps=False, equal_tokens=True, max_steps=max_steps, save_steps=None
        )
        assert [run.settings["max_steps"] for run in runs] == [run.steps for run in runs]
        return {run.subset.name: (run.steps, planned_runs.answer_tokens_seen(run, 2)) for run in runs}

    # eight passes of "few" have the fewest answer tokens, 4,800 in 32 steps of 150; steps of the others have 100 and 400
    assert made() == {"short": (48, 4_800), "long": (12, 4_800), "few": (32, 4_800)}
    assert made(max_steps=10) == {"short": (10, 1_000), "long": (2, 800), "few": (7, 1_050)}
    with pytest.raises(UsageError, match="--equal_tokens: none: expected answers with tokens, got none"):
        planned_runs.steps_for_equal_tokens([replace(found[0], name="none", answer_tokens=0)], {"none": 1}, 2)


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
    with pytest.raises(UsageError, match="--equal_tokens: EVOL_HIGH: .* cannot be counted"):
        planned_runs.plan_runs(
            found[2:], [1], student, placed(student, 1, 80e9, None, 2048), equal_steps=False, equal_tokens=True,
            max_steps=None, save_steps=None,
        )  # fmt: skip
    for gpus, split in ((1, (4, 3)), (2, (3, 2)), (3, (4, 1)), (4, (3, 1))):
        settings = made(gpus)[0].settings
        assert (settings["per_device_train_batch_size"], settings["gradient_accumulation_steps"]) == split
        assert settings["bf16"]
    with pytest.raises(InputError, match="expected a multiple of the 5 GPUs"):
        made(5)
    # the same student, however its batch is spread
    plans = [student_run.plan(made(gpus)[0], {}, 12) for gpus in (1, 4)]
    assert plans[0] == plans[1]
