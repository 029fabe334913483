"""A student's folder: the settings as YAML, and what is kept of an interrupted run."""

from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
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
