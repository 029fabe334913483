"""What generate.py is asked for."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.contract import ALL, Selection
from inference.engines import AUTO as AUTO_ENGINE

from evaluation.generation.prompts import AUTO as AUTO_FORM


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """The values of generate.py's flags."""

    model: str  # folder or hub id
    benchmark: str
    benchmark_file: Path | None = None
    num_samples: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int | None = None  # None: the benchmark's
    engine: str = AUTO_ENGINE
    form: str = AUTO_FORM
    template: str | None = None
    seed: int = 42
    limit: int | None = None
    device: str = "auto"
    dtype: str = "auto"
    max_batch_tokens: int | None = None  # None: by device
    resume: bool = True
    overwrite: bool = False  # finished outputs of another run in the same folder
    selection: Selection = ALL
