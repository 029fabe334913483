"""The benchmarks by the name that --benchmark takes."""

from seedkit.errors import UsageError

from benchmarks.contract import ALL, Benchmark, Selection
from benchmarks.evalplus.benchmark import HumanEvalPlus, MbppPlus
from benchmarks.humaneval import HumanEval
from benchmarks.livecodebench.benchmark import LiveCodeBench
from benchmarks.mbpp import Mbpp, SanitizedMbpp
from benchmarks.multipl_e.benchmark import MULTIPL_E

# as --help and messages show them
NAMES = (
    "humaneval, humaneval-plus, mbpp, mbpp-plus, mbpp-full, livecodebench, multipl-e-LANGUAGE, multipl-e-mbpp-LANGUAGE"
)
BENCHMARKS: dict[str, type[Benchmark]] = {
    "humaneval": HumanEval,
    "mbpp": SanitizedMbpp,
    "mbpp-full": Mbpp,
    "humaneval-plus": HumanEvalPlus,
    "mbpp-plus": MbppPlus,
    "livecodebench": LiveCodeBench,
    **MULTIPL_E,
}


def open_benchmark(name: str, selection: Selection = ALL) -> Benchmark:
    """The benchmark of that name, with LiveCodeBench's selection of problems.

    Raises:
        UsageError: there is no such benchmark, or a selection is given for another than LiveCodeBench.
    """
    if name not in BENCHMARKS:
        raise UsageError(f"--benchmark {name}: expected one of {NAMES}")
    if name == LiveCodeBench.name:
        return LiveCodeBench(selection)
    if selection != ALL:
        raise UsageError(f"--benchmark {name}: expected no --release, --date_from, --date_to and --all_tests")
    return BENCHMARKS[name]()
