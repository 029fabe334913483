"""Samples per second and core of MultiPL-E, with isolation, one worker: right and wrong programs in turns.

    python tests/performance/bench_multipl_e.py                  # every language whose toolchain is here
    python tests/performance/bench_multipl_e.py --languages cpp js --seconds 20

Goals: JavaScript 15, C++ 5 per second of a core, which counts the processor time of all processes, those of the jail included. The
rate by the clock is printed too. The first sample of a language, with which headers are compiled, is not counted.
"""

import argparse
import itertools
import resource
import runpy
import time
from pathlib import Path
from typing import Any

from benchmarks import BENCHMARKS
from benchmarks.multipl_e.languages.registry import LANGUAGES, missing
from measure import SHARED, machine
from sandbox import make
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import PASS

GOALS = {"js": 15, "cpp": 5}  # per second and core
TEXTS: Any = runpy.run_path(str(Path(__file__).resolve().parents[1] / "multipl_e_support.py"))


def processor_seconds() -> float:
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in (own, below))


def samples(language: str) -> list[tuple[Any, str, bool]]:
    """(problem, completion, whether it is right); the control problem, and where the data set is there ten of its problems."""
    benchmark = BENCHMARKS[f"multipl-e-{language}"]()
    control = benchmark.own_problems()[0]
    found = [(control, control.reference, True), (control, control.wrong, False)]
    folder = SHARED / "benchmarks" / "multipl_e"
    if folder.is_dir():
        numbered = {int(one.task_id.replace("/", "_").split("_")[1]): one for one in benchmark.load(folder)}
        for number, right in itertools.product(TEXTS["ANSWERS"].get(language, ()), (True, False)):
            found.append((numbered[number], TEXTS["completion"](language, number, right=right), right))
    return found


def measured(language: str, seconds: float, sandbox: Sandbox) -> tuple[int, float, float]:
    """(samples, seconds by the clock, seconds of processors)"""
    benchmark = BENCHMARKS[f"multipl-e-{language}"]()
    todo = itertools.cycle(samples(language))
    count, start, used = -1, 0.0, 0.0
    while count < 4 or time.perf_counter() - start < seconds:
        problem, completion, right = next(todo)
        verdict = benchmark.judge(problem, completion, sandbox, Limits(20))
        if (verdict.name == PASS) != right:
            raise SystemExit(f"{language}: {problem.task_id}: expected {'pass' if right else 'no pass'}, got {verdict}")
        count += 1
        if count == 0:
            start, used = time.perf_counter(), processor_seconds()
    return count, time.perf_counter() - start, processor_seconds() - used


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--languages", nargs="+", choices=[*LANGUAGES], default=[*LANGUAGES])
    flags.add_argument("--seconds", type=float, default=5, help="of each language (default: 5)")
    args = flags.parse_args()
    sandbox = make("bubblewrap", toolchains=True)
    missed = []
    for language in args.languages:
        if why := missing(language):
            print(f"MultiPL-E {language}: not run: {why}")
            continue
        count, clock, used = measured(language, args.seconds, sandbox)
        goal = GOALS.get(language)
        print(
            f"MultiPL-E {language}: {count / used:.1f} samples per second of a core, {count / clock:.1f} by the clock"
            f"{f' (goal {goal})' if goal else ''}; {count} samples",
            flush=True,
        )
        missed += [language] if goal and count / used < goal else []
    print(f"one worker, bubblewrap; {machine()}")
    if missed:
        raise SystemExit(f"the goal is not met: {', '.join(missed)}")


if __name__ == "__main__":
    main()
