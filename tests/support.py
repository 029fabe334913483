"""What tests share: where things are, how files are read, and the environment that scripts run in."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
SCORER = ROOT / "Code" / "RQ1_complexity" / "complexity_scorer.py"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def reseal(folder: Path) -> None:
    """Make the manifest's hashes fit the files, as a careless or a clever change would."""
    from seedkit.files import file_facts
    from seedkit.manifest import MANIFEST

    manifest = json.loads((folder / MANIFEST).read_text())
    for name in manifest["files"]:
        facts = file_facts(folder / name)
        manifest["files"][name] = {"sha256": facts.sha256, "bytes": facts.bytes, "lines": facts.lines}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def offline() -> dict[str, str]:
    """The environment of a machine with neither GPU nor hub."""
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "TOKENIZERS_PARALLELISM": "false",
        "VLLM_CPU_KVCACHE_SPACE": "2",
    }
