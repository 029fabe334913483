"""The benchmarks by the name that --benchmark takes."""

from evaluation.benchmarks.contract import Benchmark
from evaluation.benchmarks.humaneval import HumanEval
from evaluation.benchmarks.mbpp import Mbpp, SanitizedMbpp

BENCHMARKS: dict[str, type[Benchmark]] = {"humaneval": HumanEval, "mbpp": SanitizedMbpp, "mbpp-full": Mbpp}
