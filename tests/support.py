"""What tests share: where things are, how files are read, and the environment that scripts run in."""

import json
import os
import signal
import subprocess
import time
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


def check_batches(stage: Any, texts: list[str]) -> None:
    """Every text is in one of several batches, and its score, to the bit, is the one that the whole chunk gives it."""
    batches = stage.batches(texts)
    assert len(batches) > 5
    assert sorted(index for batch in batches for index in batch) == list(range(len(texts)))
    whole = stage(texts)
    for batch in batches:
        assert stage([texts[index] for index in batch]) == [whole[index] for index in batch]


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


def answered(environment: str, script: Path, asked: object, *arguments: object, **variables: str) -> Any:
    """What a script run by another environment's Python says in its last line, in JSON, to what is `asked` in JSON."""
    done = subprocess.run(
        [f"{environment}/bin/python", str(script), *map(str, arguments)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=1500,
        env={**offline(), **variables},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout.splitlines()[-1])


def killed(command: list[str], after_s: float = 0, begun: Callable[[], bool] = lambda: True) -> None:
    """Start a command and kill it, with all that it has started, so many seconds after `begun` is true."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=offline(), start_new_session=True
    )
    while not begun():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
