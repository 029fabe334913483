"""The benchmarks by the name that --benchmark takes."""

from evaluation.benchmarks.contract import Benchmark
from evaluation.benchmarks.humaneval import HumanEval
from evaluation.benchmarks.livecodebench import LiveCodeBench
from evaluation.benchmarks.mbpp import Mbpp, SanitizedMbpp
from evaluation.benchmarks.multipl_e import MULTIPL_E

BENCHMARKS: dict[str, type[Benchmark]] = {
    "humaneval": HumanEval,
    "mbpp": SanitizedMbpp,
    "mbpp-full": Mbpp,
    "livecodebench": LiveCodeBench,
    **MULTIPL_E,
}
