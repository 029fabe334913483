"""Fixtures for the tests of train.py: a partition, an environment that trains nothing, and a command over both."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from seedkit.manifest import OutputFolder
from seedkit.records import json_lines
from stand_in_trainer import SIZES, stand_in


@pytest.fixture
def partition(tmp_path: Path) -> Path:
    """A finished output folder with three subsets, and a file that holds no records."""
    folder = tmp_path / "RQ1" / "EVOL"
    files = {f"{name}.jsonl": size for name, size in SIZES.items()}
    with OutputFolder(folder, "RQ1_complexity", [*files, "scores.jsonl"], sources=[]) as output:
        for name, size in files.items():
            records = [
                {"id": f"{name}{n}", "instruction": f"add {n}", "input": "", "output": f"print({n})\n" * 8}
                for n in range(size)
            ]
            output.write(name, json_lines(records))
        output.write("scores.jsonl", json_lines([{"id": "a", "complexity": 1.0}]))
        output.finish({"source": "EVOL"})
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Looks like LLaMA-Factory's environment on a machine without a GPU."""
    return stand_in(tmp_path / "environment", [])


@pytest.fixture
def arguments(partition: Path, environment: Path, tiny_llama: Path, tmp_path: Path) -> list[object]:
    """A whole command line of train.py, which single tests add to."""
    return [
        "--partitions",
        partition,
        "--student",
        tiny_llama,
        "--output_dir",
        tmp_path / "runs",
        "--batch_size",
        4,
        "--environment",
        environment,
        "--device",
        "cpu",
    ]


Mounted = Callable[..., Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Mounted]:
    """Mounts disks: `disk("1m")` is a folder on one of that size, `disk("1m", read_only=True)` on one that cannot be written."""
    mounted: list[Path] = []

    def mount(size: str, *, read_only: bool = False) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        options = f"size={size}{',ro' if read_only else ''}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a disk cannot be mounted here: that needs root and the right to mount")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)
