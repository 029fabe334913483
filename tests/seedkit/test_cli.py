"""How a script starts and ends."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from seedkit.cli import reproducible_arithmetic, run
from seedkit.errors import InputError, RunError, UsageError


def failing(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("a.jsonl:3: expected\nan object"), 2, "error: a.jsonl:3: expected\\nan object\n"),
        (UsageError("--limit 0"), 2, "error: --limit 0\n"),
        (RunError("x" * 2000), 1, f"error: {'x' * 1000} ...\n"),
        (
            OSError(28, "No space left"),
            1,
            "error: [Errno 28] No space left; what is finished is kept, run again to resume\n",
        ),
        (KeyboardInterrupt(), 130, "error: interrupted; what is finished is kept, run again to resume\n"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run(failing(error))
    assert stop.value.code == code
    assert capsys.readouterr().err == said


def test_a_fault_of_ours_is_no_error_of_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        run(failing(ZeroDivisionError()))


def test_the_arithmetic_is_set_once_and_what_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKL_CBWR")
    run(lambda: None)
    assert os.environ["MKL_CBWR"] in ("AVX512,STRICT", "AVX2,STRICT")
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    reproducible_arithmetic()
    assert os.environ["MKL_CBWR"] == "COMPATIBLE"


def test_cudnn_attention_is_tried_last_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "TORCH_CUDNN_SDPA_DEPRIORITIZED"
    monkeypatch.delenv(variable, raising=False)
    run(lambda: None)
    assert os.environ[variable] == "1"
    monkeypatch.setenv(variable, "0")
    run(lambda: None)
    assert os.environ[variable] == "0"


def test_workers_inherit_it_before_they_import_torch() -> None:
    code = """
import os, sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from seedkit.cli import run

def main():
    assert "torch" not in sys.modules
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        print(pool.submit(os.getenv, "TORCH_CUDNN_SDPA_DEPRIORITIZED").result())

if __name__ == "__main__":
    run(main)
"""
    environment = {name: value for name, value in os.environ.items() if name != "TORCH_CUDNN_SDPA_DEPRIORITIZED"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "1\n"
