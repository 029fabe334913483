"""What is asked and how. Everything is settled here, and refused where it does not fit, before a model is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from benchmarks import open_benchmark
from benchmarks.contract import Benchmark, Problem
from inference.engines import TRANSFORMERS, choose_engine
from seedkit.causal_lm import LATEST, context_length, vocabulary_size
from seedkit.cli import say
from seedkit.display import Progress
from seedkit.errors import InputError, UsageError
from seedkit.models import device_kind, devices, model_label, model_revision, resolve_dtype

from evaluation.generation.adapters import CONFIG, Base, base_model
from evaluation.generation.prompts import Form, Prompts, choose_form, make_prompts, student_run_of
from evaluation.generation.settings import GenerationSettings

# An engine gives the place of an answer that has ended to the next request of its chunk, so a chunk is several batches.
CHUNK_BATCHES = 8
VLLM_CHUNK = 512  # most requests given to vLLM at once; it answers twice as many at the same time on one GPU
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")  # the files of a model's weights


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is settled before a model is loaded; `prepare` makes it."""

    settings: GenerationSettings
    benchmark: Benchmark
    problems: list[Problem]
    run: dict[str, Any] | None  # run.json of the student, where the model is one
    form: Form
    prompts: Prompts
    devices: list[str]
    engine: str
    dtype: str
    revision: str  # of the model's own files, without those of its base
    base: Base | None  # the base model, where the model is an adapter
    max_new_tokens: int
    context: int  # most tokens of a prompt with its answer

    @property
    def identity(self) -> dict[str, Any]:
        """What decides an answer: if any of it changes, earlier answers are not used. It is the header of a journal."""
        settings = self.settings
        asked = [[problem.task_id, ids] for problem, ids in zip(self.problems, self.prompts.ids, strict=True)]
        drawn: list[Any] | None = None
        if settings.temperature:
            # "by blocks": the last release drew a random number for each token of the vocabulary
            by = ["by blocks"] if self.engine == TRANSFORMERS else []
            drawn = [float(settings.temperature), float(settings.top_p), settings.seed, *by]
        base = {} if self.base is None else {"base": self.base.revision}
        return {
            **base,
            "revision": self.revision,
            "benchmark": self.benchmark.name,
            "form": self.form.name,
            "template": self.form.template,
            "prompts": blake2b(orjson.dumps(asked), digest_size=16).hexdigest(),
            "stop": self.prompts.stop,
            "stop_ids": self.prompts.stop_ids,
            "max_new_tokens": self.max_new_tokens,
            "drawn": drawn,
            "engine": self.engine,
            "dtype": self.dtype,
            "device": self.kind,
            "batch": self.batch,
        }

    @property
    def kind(self) -> str:
        """What computes: cpu or cuda, which draw different random numbers; in half precision the names of the GPUs."""
        return self.processor if self.dtype == "float32" else device_kind(self.devices)

    @property
    def batch(self) -> list[int] | None:
        """What decides which requests are computed together, where that can change an answer: in half precision, through rounding.

        For transformers [tokens of a batch, batches of a chunk], for vLLM [requests of a chunk]; None in float32.
        """
        if self.dtype == "float32":
            return None
        return [self.max_batch_tokens, CHUNK_BATCHES] if self.engine == TRANSFORMERS else [VLLM_CHUNK]

    @property
    def max_batch_tokens(self) -> int:
        """The most tokens of a batch: prompts, answers and padding."""
        return self.settings.max_batch_tokens or (32768 if self.processor == "cuda" else 16384)

    @property
    def processor(self) -> str:
        """cpu or cuda."""
        return self.devices[0].partition(":")[0]

    def max_tokens(self, problem: int) -> int:
        """The most tokens of an answer to the problem of that index."""
        return min(self.max_new_tokens, self.context - len(self.prompts.ids[problem]))


def prepare(settings: GenerationSettings) -> Plan:
    """Check the settings against each other, the benchmark and the model. Raises InputError where they do not fit."""
    _check_sampling(settings)
    benchmark = open_benchmark(settings.benchmark, settings.selection)
    problems = benchmark.load(settings.benchmark_file)[: settings.limit]
    if not problems:
        raise InputError(f"{settings.benchmark_file or settings.benchmark}: no problems in it")
    model = settings.model
    check_folder(model)
    on = devices(settings.device)
    engine = choose_engine(settings.engine, on[0])
    run = student_run_of(model)
    with Progress(f"{model_label(model)}, reading its files", None, 1, steady=True):
        revision = model_revision(model)
    if run is not None and revision != run["model"]["revision"]:
        raise InputError(f"model {model}: not the one that run.json beside it describes: its files have changed")
    base = base_model(model, run)
    form = choose_form(model, settings.form, settings.template, run)
    say(f"form: {form.name} ({form.why})")
    whole, commit = (model, LATEST) if base is None else (base.name, base.commit)
    prompts = make_prompts(model, form, benchmark, problems, base)
    context = context_length(whole, commit)
    _check_prompts(model, problems, prompts, context, vocabulary_size(whole, commit, None if base is None else model))
    return Plan(
        settings,
        benchmark,
        problems,
        run,
        form,
        prompts,
        on,
        engine,
        resolve_dtype(settings.dtype, on[0]),
        revision,
        base,
        settings.max_new_tokens or benchmark.max_new_tokens,
        context,
    )


def check_folder(model: str) -> None:
    """Raises UsageError where `model` is a file, or a folder without a model or an adapter."""
    folder = Path(model)
    if folder.is_file():
        raise UsageError(f"--model {model}: expected a model folder or a hub id, got a file")
    if not folder.is_dir() or (folder / CONFIG).is_file():  # adapters have checks of their own
        return
    if not (folder / "config.json").is_file():
        raise UsageError(f"--model {model}: expected a model folder, found no config.json in it")
    if not any(any(folder.glob(pattern)) for pattern in WEIGHTS):
        raise UsageError(f"--model {model}: expected a model folder, found no weights (*.safetensors) in it")


def _check_sampling(settings: GenerationSettings) -> None:
    if not 0 <= settings.temperature < float("inf"):
        raise UsageError(f"--temperature {settings.temperature}: expected a number from 0")
    if not 0 < settings.top_p <= 1:
        raise UsageError(f"--top_p {settings.top_p}: expected a number above 0, at most 1")
    for name in ("num_samples", "max_new_tokens", "limit", "max_batch_tokens"):
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value}: expected a whole number of at least 1")
    if settings.temperature == 0 and settings.num_samples > 1:
        raise UsageError(
            f"--num_samples {settings.num_samples} with --temperature 0: all samples of a problem would be the same; "
            "expected --num_samples 1, or a temperature above 0"
        )


def _check_prompts(model: str, problems: Sequence[Problem], prompts: Prompts, context: int, known: int) -> None:
    for problem, ids in zip(problems, prompts.ids, strict=True):
        if not ids:
            raise InputError(f"{problem.task_id}: expected a prompt, got one without a token")
        if len(ids) > context - 1:
            raise InputError(
                f"{problem.task_id}: the prompt has {len(ids):,} tokens, {model} takes {context:,} with the answer"
            )
        if max(ids) >= known:
            raise InputError(
                f"{problem.task_id}: the prompt has token {max(ids):,}, {model} knows {known:,} tokens; "
                "is the template of another family of models?"
            )
