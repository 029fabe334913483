"""What is settled, or refused, before a model is loaded."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from benchmarks import BENCHMARKS
from evaluation.generation.settings import GenerationSettings
from evaluation.generation.steps import generate
from seedkit.causal_lm import load_tokenizer
from seedkit.errors import InputError
from support import rows

pytestmark = pytest.mark.usefixtures("one_thread")


def settings(model: Path, problems: Path, **changed: Any) -> GenerationSettings:
    given = {"max_new_tokens": 12, "device": "cpu", **changed}
    return GenerationSettings(str(model), "humaneval", problems, **given)


def test_max_new_tokens_is_cut_to_what_fits(tmp_path: Path, problems: Path) -> None:
    model = tiny_models.llama(tmp_path / "short", context=80)
    length = {
        problem.task_id: len(load_tokenizer(str(model))(problem.prompt)["input_ids"])
        for problem in BENCHMARKS["humaneval"]().load(problems)
    }
    fits = sum(value < 80 for value in length.values())
    assert 0 < fits < 7
    for row in rows(generate(settings(model, problems, limit=fits, max_new_tokens=500), tmp_path / "out")):
        assert row["raw"]
    first = list(length)[fits]
    with pytest.raises(InputError, match=f"{first}: the prompt has {length[first]} tokens"):
        generate(settings(model, problems), tmp_path / "out")


def test_a_benchmark_that_is_none(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    with pytest.raises(InputError, match="--benchmark none: expected one of humaneval, "):
        generate(replace(settings(tiny_llama, problems), benchmark="none"), tmp_path)


def test_a_prompt_without_a_token(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = BENCHMARKS["humaneval"]
    first, *rest = benchmark().load(problems)
    monkeypatch.setattr(benchmark, "load", lambda *_: [first, replace(rest[0], prompt="")])
    with pytest.raises(InputError, match="HumanEval/1: expected a prompt, got one without a token"):
        generate(settings(tiny_llama, problems), tmp_path)
