"""The loss of a run: the log of one that was interrupted, its numbers and its figure."""

import json
from pathlib import Path

from training import losses


def test_the_log_of_an_interrupted_run(tmp_path: Path) -> None:
    written = [(1, 8.0), (2, 7.0), (3, 6.0), (2, 7.5), (3, 6.5), (4, 6.0)]
    text = "".join(json.dumps({"current_steps": step, "total_steps": 4, "loss": loss}) + "\n" for step, loss in written)
    (tmp_path / losses.LOG).write_text(text + '{"current_steps": 4, "epoch": 1.0}\n{"current_st')
    found = losses.log_rows(tmp_path)
    assert [(row["current_steps"], row["loss"]) for row in found] == [(1, 8.0), (2, 7.5), (3, 6.5), (4, 6.0)]
    assert losses.loss_summary(found) == {"first": 8.0, "last": 6.0, "final": 6.0}
    assert losses.log_rows(tmp_path / "none") == []
    many = {f"run{n}": found for n in range(losses.LEGEND + 1)}
    assert losses.curves("t", many) == losses.curves("t", many)
