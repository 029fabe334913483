"""Fixtures for all tests: tiny models made on the spot, and scripts run as a user would."""

import contextlib
import functools
import gc
import io
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the hub's library is imported: no test waits for a network

from seedkit.packaged import cache_folder  # noqa: E402
from support import ROOT, SCORER, SHARED, Command, offline  # noqa: E402
from tiny_models import gpt2, instructor, llama  # noqa: E402
from training.llamafactory_environment import VARIABLE  # noqa: E402
from training.smollm2 import PACKAGE, VERSION  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--heavy", action="store_true", help="run the heavy tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--heavy"):
        for item in items:
            if item.get_closest_marker("heavy"):
                item.add_marker(pytest.mark.skip(reason="heavy: bash tests/run.sh --all"))


@pytest.fixture(scope="module", autouse=True)
def frozen_libraries() -> None:
    """What the libraries hold for good is not searched for garbage again, which stages do whenever they free a model."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"no data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("tiny") / "llama")


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gpt2(tmp_path_factory.mktemp("tiny") / "gpt2")


@pytest.fixture(scope="session")
def tiny_instructor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return instructor(tmp_path_factory.mktemp("tiny") / "instructor")


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as Code/training/smollm2.py makes it: a real language model."""
    base = tmp_path_factory.getbasetemp()
    # made once for all processes of a run: the script waits for another that makes the same, and leaves what is there
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / "smollm2-135m-instruct"
    command = [sys.executable, str(ROOT / "Code/training/smollm2.py"), "--output_dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=offline(), check=False)
    if not list(cache_folder().glob(f"{PACKAGE}-{VERSION}/*.gguf")):
        pytest.skip(f"no SmolLM2 here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def vllm_environment() -> str:
    """The folder of an environment with vLLM."""
    folder = os.environ.get("SEEDKIT_VLLM_ENV")
    if not folder:
        pytest.skip("no environment with vLLM: bash tests/run.sh --all makes it")
    return folder


@pytest.fixture(scope="session")
def trainer_environment() -> str:
    """The folder of an environment with LLaMA-Factory."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip("no environment with LLaMA-Factory: bash tests/run.sh --all makes it")
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other over a matrix of 64 columns cost more than they bring."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def script_command() -> Command:
    """Run a script of Code/ as a user would, without a GPU and without the hub; returns what it said and its code."""

    def run(
        script: str | Path, *arguments: object, python: str = sys.executable, timeout_s: float = 300
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [python, str(ROOT / "Code" / script), *map(str, arguments)],
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout_s,
            env=offline(),
            check=False,
        )

    return run


@pytest.fixture
def scorer_command(script_command: Command) -> Command:
    """complexity_scorer.py as a user would run it."""
    return functools.partial(script_command, SCORER)


@pytest.fixture
def script_main(monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same in this process: no seconds for loading libraries. Each script has a run of its own elsewhere."""

    def run(script: str | Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
        out, err = io.StringIO(), io.StringIO()
        path = str(ROOT / "Code" / script)
        monkeypatch.setattr(sys, "argv", [path, *map(str, arguments)])
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                runpy.run_path(path, run_name="__main__")
            except SystemExit as stop:
                code = stop.code or 0
        return subprocess.CompletedProcess(sys.argv, int(str(code)), out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def scorer_main(script_main: Command) -> Command:
    """complexity_scorer.py in this process."""
    return functools.partial(script_main, SCORER)
