"""Commands side by side: what comes of all where one is ended."""

import sys
from argparse import Namespace
from pathlib import Path

import pytest
from training.side_by_side import train_side_by_side


@pytest.mark.parametrize(("second", "code"), [("sys.exit(0)", 0), ("sys.exit(1)", 1), ("os.kill(os.getpid(), 9)", 137)])
def test_one_that_a_signal_ends_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str, code: int
) -> None:
    script = tmp_path / "command.py"
    script.write_text(f"import os, sys\nif os.environ['CUDA_VISIBLE_DEVICES'] == '1':\n    {second}\n")
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert train_side_by_side(Namespace(share=None, gpus_per_run=1), ["0", "1"]) == code
