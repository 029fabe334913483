"""The benchmarks by the name that --benchmark takes."""

from benchmarks.contract import Benchmark
from benchmarks.humaneval import HumanEval
from benchmarks.livecodebench.benchmark import LiveCodeBench
from benchmarks.mbpp import Mbpp, SanitizedMbpp
from benchmarks.multipl_e.benchmark import MULTIPL_E

BENCHMARKS: dict[str, type[Benchmark]] = {
    "humaneval": HumanEval,
    "mbpp": SanitizedMbpp,
    "mbpp-full": Mbpp,
    "livecodebench": LiveCodeBench,
    **MULTIPL_E,
}
