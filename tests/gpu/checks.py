"""Right numbers: the GPU against the CPU, a run against its repetition, and what happens when memory is short."""

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
from bench import Bench, run, succeed
from numpy.typing import NDArray

LIMITED = Path(__file__).resolve().with_name("limited.py")
SCORES = "complexity_scores.jsonl"
INSTRUCTION = "Represent the programming task:"
FLOAT32, BFLOAT16 = ("--dtype", "float32"), ("--dtype", "bfloat16")


def command(bench: Bench, folder: Path, *flags: str, device: str = "") -> list[str]:
    """complexity_scorer.py with the tiny models on the bench's texts."""
    return bench.scorer(*_flags(bench, folder, *flags, device=device))


def _flags(bench: Bench, folder: Path, *flags: str, device: str = "") -> list[str]:
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


def scored(bench: Bench, name: str, *flags: str, device: str = "") -> Path:
    """The folder `name` with the results of a run, which is done if they are not there yet."""
    folder = bench.work / name
    if not (folder / "manifest.json").exists():
        succeed(command(bench, folder, *flags, device=device))
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
    from scipy.stats import spearmanr

    small = ("--max_batch_tokens", "500")
    runs: dict[str, tuple[str, ...]] = {
        "cpu_float32": FLOAT32,
        "float32": FLOAT32,
        "bfloat16": BFLOAT16,
        "float32_small": (*FLOAT32, *small),
        "bfloat16_small": (*BFLOAT16, *small),
    }
    if bench.toy:  # there the device is the CPU, and most of a run is loading libraries
        runs = {"cpu_float32": FLOAT32, "float32": (*FLOAT32, *small), "bfloat16": BFLOAT16}
    command(bench, bench.work)  # the models are made here, before several ask for them

    def score(name: str) -> None:
        scored(bench, name, *runs[name], device="cpu" if name == "cpu_float32" else "")

    at_once(bench, *(functools.partial(score, name) for name in runs))
    for name in list(runs)[1:]:
        base = bench.work / ("bfloat16" if name == "bfloat16_small" else "cpu_float32")
        what = f"{name} against {base.name}"
        for part in ("semantic", "linguistic"):
            one, other = column(base, part), column(bench.work / name, part)
            off = float((np.abs(one - other) / np.maximum(1, np.abs(one))).max())
            bench.report(
                f"{what}, {part}, largest difference", off, holds=off < 1e-4 if name.startswith("float32") else None
            )
            bench.report(f"{what}, {part}, Spearman", float(spearmanr(one, other)[0]))
        moved = float((column(base, "tertile") != column(bench.work / name, "tertile")).mean())
        bench.report(f"{what}, records in another tertile", 100 * moved, "%")


def same_bytes(bench: Bench) -> None:
    """bfloat16 again, killed and resumed, by two workers, and with the parent of two workers killed: the same files."""
    base = contents(scored(bench, "bfloat16", *BFLOAT16))
    two = f"{bench.device},{bench.device}"

    def compare(what: str, folder: Path) -> None:
        found = contents(folder)
        wrong = sorted(name for name in base.keys() | found.keys() if base.get(name) != found.get(name))
        bench.report(what, f"other bytes in {', '.join(wrong)}" if wrong else "same bytes", holds=not wrong)

    def killed(name: str, device: str) -> None:
        folder = bench.work / name
        left = kill_midway(command(bench, folder, *BFLOAT16, device=device), folder)
        bench.report(f"{name}, workers left 10 s after it", left, holds=left == 0)
        said = succeed(command(bench, folder, *BFLOAT16, device=device))
        reused = re.search(r"([\d,]+) taken from earlier runs", said)
        bench.report(
            f"{name}, scores taken from the killed run",
            reused[1] if reused else "none",
            holds=reused is not None and reused[1] != "0",
        )
        compare(f"{name} and resumed", folder)

    jobs: list[Callable[[], None]] = [
        lambda: compare("again", scored(bench, "bfloat16_again", *BFLOAT16)),
        lambda: killed("killed with two workers", two),
        lambda: compare("two workers on one device", scored(bench, "two_workers", *BFLOAT16, device=two)),
        lambda: killed("killed", bench.device),
    ]
    at_once(bench, *jobs[: 2 if bench.toy else None])


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


def little_memory(bench: Bench) -> None:
    """Batches that do not fit are halved and scored the same; one text that does not fit is one line."""
    left = 20 if bench.toy else 2000
    count = bench.work / "short"
    folder = bench.work / "halved"
    done = run(limited(bench, left, count, _flags(bench, folder, *FLOAT32, "--max_batch_tokens", "4000000")))
    bench.report("large batches, exit code", done.returncode, _end(done.stderr), holds=done.returncode == 0)
    if done.returncode == 0:
        short = int(count.read_text())
        bench.report("large batches, times that memory was short", short, holds=short > 0)
        base = scored(bench, "float32", *FLOAT32)
        for part in ("semantic", "linguistic"):
            one, other = column(base, part), column(folder, part)
            off = float((np.abs(one - other) / np.maximum(1, np.abs(one))).max())
            bench.report(f"large batches, {part}, largest difference", off, holds=off < 1e-4)
    long = bench.work / "long.jsonl"
    words = [*bench.texts[:3], "word " * (30_000 if bench.toy else 100_000)]
    long.write_text("".join(json.dumps({"instruction": text, "output": "x"}) + "\n" for text in words))
    flags = _flags(bench, bench.work / "too_long", *FLOAT32)
    flags[flags.index("--input_file") + 1] = str(long)
    one_line(bench, "one text too large", run(limited(bench, left, count, flags)), "does not hold one text")
    if bench.cuda:
        flags = _flags(bench, bench.work / "too_large", *BFLOAT16)
        flags[flags.index("--scoring_model") + 1] = str(shapes.llama_135m(bench))
        one_line(bench, "a model too large", run(limited(bench, 150, count, flags)), "memory")


def limited(bench: Bench, left: int, count: Path, flags: list[str]) -> list[str]:
    return bench.scorer(*flags, script=LIMITED, before=(left, count))


def one_line(bench: Bench, what: str, done: "subprocess.CompletedProcess[str]", words: str) -> None:
    """Whether a run failed with exit code 1 and one line that holds `words`."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    good = done.returncode == 1 and len(errors) == 1 and words in errors[0] and "Traceback" not in done.stderr
    bench.report(what, errors[0][:200] if errors else _end(done.stderr), f"(exit code {done.returncode})", holds=good)


def _end(text: str) -> str:
    return text.strip().splitlines()[-1][:300] if text.strip() else ""


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
