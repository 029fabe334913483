"""What grade.py is asked for."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.contract import ALL, Benchmark, Selection


@dataclass(frozen=True, slots=True)
class GradingSettings:
    """The values of grade.py's flags."""

    samples: Path
    benchmark: str
    benchmark_file: Path | None = None
    workers: int | None = None  # None: as many as processors
    k: tuple[int, ...] = (1,)
    min_seconds: float | None = None  # None: the benchmark's
    time_factor: float = 10.0  # times what the reference took on this machine
    memory: int = 1 << 30  # bytes
    limit: int | None = None
    unsafe_no_isolation: bool = False
    sandbox: str | None = None  # its name; None: the best that works here
    resume: bool = True
    overwrite: bool = False  # finished outputs of another run in the same folder
    selection: Selection = ALL


def least_seconds(settings: GradingSettings, benchmark: Benchmark) -> float:
    """The least time limit of a sample in seconds: --min_seconds, or the benchmark's own."""
    return benchmark.min_seconds if settings.min_seconds is None else settings.min_seconds
