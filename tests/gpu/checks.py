"""Right numbers: the GPU against the CPU, and a run against its repetition."""

import functools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import shapes
from bench import SCORER, Bench, succeed
from numpy.typing import NDArray

COMPILED = Path(__file__).resolve().with_name("compiled.py")
SCORES = "complexity_scores.jsonl"
INSTRUCTION = "Represent the programming task:"
FLOAT32, BFLOAT16 = ("--dtype", "float32"), ("--dtype", "bfloat16")


def command(bench: Bench, folder: Path, *flags: str, device: str = "", compiled: bool = False) -> list[str]:
    """complexity_scorer.py with the tiny models on the bench's texts; `compiled` whatever the number of records."""
    return bench.scorer(*scorer_flags(bench, folder, *flags, device=device), script=COMPILED if compiled else SCORER)


def scorer_flags(bench: Bench, folder: Path, *flags: str, device: str = "") -> list[str]:
    named = {
        "input_file": bench.texts_file,
        "output_dir": folder,
        "source_name": "KIT",
        "scorer": "xcoder",
        "scoring_model": shapes.tiny_llama(bench),
        "perplexity_model": shapes.tiny_gpt2(bench),
        "device": device or bench.device,
    }
    return [*(text for name, value in named.items() for text in (f"--{name}", str(value))), *flags]


def scored(bench: Bench, name: str, *flags: str, device: str = "", compiled: bool = False) -> Path:
    """The folder `name` with the results of a run, which is done if they are not there yet."""
    folder = bench.work / name
    if not (folder / "manifest.json").exists():
        succeed(command(bench, folder, *flags, device=device, compiled=compiled))
    return folder


def at_once(bench: Bench, *jobs: Callable[[], None]) -> None:
    """Several runs side by side: most of each is loading libraries."""
    with ThreadPoolExecutor(2 if bench.toy else 4) as pool:
        for job in [pool.submit(job) for job in jobs]:
            job.result()


def column(folder: Path, name: str) -> NDArray[np.float64]:
    """One field of the scores, in the order of the records."""
    lines = (folder / SCORES).read_bytes().splitlines()
    return np.array([json.loads(line)[name] for line in lines], dtype=np.float64)


def parity(bench: Bench) -> None:
    """complexity_scorer.py on the device against float32 on the CPU, and both precisions under another budget."""
    small = ("--max_batch_tokens", "500")
    runs: dict[str, tuple[str, ...]] = {
        "cpu_float32": FLOAT32,
        "float32": FLOAT32,
        "bfloat16": BFLOAT16,
        "bfloat16_compiled": BFLOAT16,
        "float32_small": (*FLOAT32, *small),
        "bfloat16_small": (*BFLOAT16, *small),
        "auto": (),
    }
    if bench.toy:  # there the device is the CPU, and most of a run is loading libraries
        runs = {"cpu_float32": FLOAT32, "float32": (*FLOAT32, *small), "bfloat16_compiled": BFLOAT16}
    command(bench, bench.work)  # the models are made here, before several ask for them

    def score(name: str) -> None:
        device = "cpu" if name == "cpu_float32" else ""
        scored(bench, name, *runs[name], device=device, compiled=name.endswith("compiled"))

    at_once(bench, *(functools.partial(score, name) for name in runs))
    for name in list(runs)[1:]:
        agreement(bench, name, "cpu_float32")
    for name in ("bfloat16_compiled", "bfloat16_small"):
        if name in runs and "bfloat16" in runs:
            agreement(bench, name, "bfloat16")
    if "auto" in runs:  # bfloat16, but perplexity in float32
        for part, base in (("semantic", "bfloat16"), ("linguistic", "float32")):
            same = (column(bench.work / "auto", part) == column(bench.work / base, part)).all()
            bench.report(f"auto, {part}, is that of {base}", str(same), holds=same)


def agreement(bench: Bench, name: str, other: str) -> None:
    """How far two runs are from each other: 1e-5 at most if both are float32."""
    from scipy.stats import spearmanr

    base, folder = bench.work / other, bench.work / name
    for part in ("semantic", "linguistic"):
        one, two = column(base, part), column(folder, part)
        off = float((np.abs(one - two) / np.maximum(1, np.abs(one))).max())
        what = f"{name} against {other}, {part}"
        bench.report(f"{what}, largest difference", off, holds=off < 1e-5 if name.startswith("float32") else None)
        bench.report(f"{what}, Spearman", float(spearmanr(one, two)[0]))
    moved = float((column(base, "tertile") != column(folder, "tertile")).mean())
    bench.report(f"{name} against {other}, records in another tertile", 100 * moved, "%")


def same_bytes(bench: Bench) -> None:
    """bfloat16 again, killed and resumed, by two workers, and with the parent of two workers killed: the same files.

    With compiled layers, and without.
    """
    two = f"{bench.device},{bench.device}"

    def compare(what: str, base: Path, folder: Path) -> None:
        expected, found = contents(base), contents(folder)
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        bench.report(what, f"other bytes in {', '.join(wrong)}" if wrong else "same bytes", holds=not wrong)

    def repeated(name: str, compiled: bool, device: str = bench.device) -> None:
        base = scored(bench, "bfloat16_compiled" if compiled else "bfloat16", *BFLOAT16, compiled=compiled)
        folder = scored(bench, name.replace(" ", "_"), *BFLOAT16, device=device, compiled=compiled)
        compare(name, base, folder)

    def killed(name: str, compiled: bool, device: str) -> None:
        folder = bench.work / name.replace(" ", "_")
        again = command(bench, folder, *BFLOAT16, device=device, compiled=compiled)
        left = kill_midway(again, folder)
        bench.report(f"{name}, workers left 10 s after it", left, holds=left == 0)
        said = succeed(again)
        reused = re.search(r"([\d,]+) taken from earlier runs", said)
        bench.report(
            f"{name}, scores taken from the killed run",
            reused[1] if reused else "none",
            holds=reused is not None and reused[1] != "0",
        )
        compare(f"{name} and resumed", bench.work / ("bfloat16_compiled" if compiled else "bfloat16"), folder)

    jobs: list[Callable[[], None]] = [
        lambda: repeated("compiled again", True),
        lambda: killed("compiled, killed with two workers", True, two),
    ]
    if not bench.toy:
        jobs += [
            lambda: repeated("again", False),
            lambda: repeated("two workers on one device", False, two),
            lambda: killed("killed", False, bench.device),
            lambda: killed("compiled, killed", True, bench.device),
        ]
    at_once(bench, *jobs)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def kill_midway(arguments: list[str], folder: Path) -> int:
    """Kill a run when its first scores are on the disk; how many of its workers live 10 s longer."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=dict(os.environ)
    )
    while not any(path.read_bytes().count(b"\n") > 1 for path in (folder / ".scores").glob("*.jsonl")):
        if process.poll() is not None:
            raise RuntimeError(f"the run ended with exit code {process.returncode} before it could be killed")
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if (folder / "manifest.json").exists():
        raise RuntimeError("the run was over before it was killed")
    end = time.monotonic() + 10
    while (left := _session(process.pid)) and time.monotonic() < end:
        time.sleep(0.1)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return len(left)


def _session(leader: int) -> list[int]:
    """The living processes of a session, but for Python's own helper that tracks resources."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            helper = b"resource_tracker" in path.with_name("cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX" and not helper:
            found.append(int(path.parent.name))
    return found


def encoder_parity(bench: Bench) -> None:
    """A tiny INSTRUCTOR on the device against float32 on the CPU."""
    from seedkit.embed import SentenceEncoder

    model, texts = str(shapes.tiny_instructor(bench)), bench.texts[:200]

    def vectors(device: str, dtype: str) -> NDArray[np.float32]:
        return SentenceEncoder(model, device=device, dtype=dtype, max_batch_tokens=8192, instruction=INSTRUCTION)(texts)

    base = vectors("cpu", "float32")
    off = float(np.abs(vectors(bench.device, "float32") - base).max())
    bench.report("float32, largest difference", off, holds=off < 1e-5)
    cosine = float((vectors(bench.device, "bfloat16") * base).sum(axis=1).min())
    bench.report("bfloat16, lowest cosine", cosine, holds=cosine > 0.999)


def greedy(bench: Bench) -> None:
    """What the transformers engine writes in float32, here and on the CPU, and in batches of another size."""
    from inference.engines import Request, Sampling
    from inference.transformers_engine import TransformersEngine

    model, tokens = str(shapes.tiny_llama(bench)), shapes.tokenizer(bench)
    longest = 33 if bench.toy else 129  # a rest of 1 by 64, at which masked attention was seen to be wrong
    prompts = [tuple(ids[:longest]) for ids in tokens([text * 8 for text in bench.texts[:16]])["input_ids"]]
    prompts = [prompt[: longest - number] for number, prompt in enumerate(prompts)]
    requests = [Request(prompt, 16 if bench.toy else 64, number) for number, prompt in enumerate(prompts)]
    end = (tokens.eos_token_id,)
    greedily, drawn = Sampling(0.0, 1.0, (), end), Sampling(0.8, 0.95, ("\ndef ",), end)

    def written(device: str, sampling: Sampling, size: int) -> list[str]:
        engine = TransformersEngine(model, sampling, device=device, dtype="float32")
        batches = [requests[start : start + size] for start in range(0, len(requests), size)]
        return [answer.text for batch in batches for answer in engine(batch)]

    base = written("cpu", greedily, 16)
    cases = {
        "greedy, the CPU's answers": (base, written(bench.device, greedily, 16)),
        "greedy, one at a time": (base, written(bench.device, greedily, 1)),
        "drawn, again": (written(bench.device, drawn, 16), written(bench.device, drawn, 16)),
        "drawn, one at a time": (written(bench.device, drawn, 16), written(bench.device, drawn, 1)),
    }
    for what, (one, other) in cases.items():
        same = sum(a == b for a, b in zip(one, other, strict=True))
        bench.report(what, same, f"of {len(one)} equal", holds=same == len(one))
