"""What is written, whatever the batches: more samples, cut journals, several workers; and what a student's manifest says."""

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from benchmarks import BENCHMARKS
from evaluation.generation import plan as planning
from evaluation.generation import steps
from evaluation.generation.plan import prepare
from evaluation.generation.settings import GenerationSettings
from evaluation.generation.steps import AnswerCodec, generate, make_chunks
from inference.engines import Answer, Request
from inference.transformers_engine import TransformersEngine
from seedkit.errors import InputError
from seedkit.journal import Journal
from support import contents, rows

pytestmark = pytest.mark.usefixtures("one_thread")


def settings(model: Path, problems: Path, **changed: Any) -> GenerationSettings:
    given = {"max_new_tokens": 12, "device": "cpu", **changed}
    return GenerationSettings(str(model), "humaneval", problems, **given)


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_the_same_bytes_whatever_the_batch(
    tmp_path: Path, tiny_llama: Path, problems: Path, temperature: float
) -> None:
    count = 3 if temperature else 1
    for name, budget in (("one", 1), ("few", 150), ("all", 100_000)):
        made = settings(
            tiny_llama, problems, temperature=temperature, num_samples=count, max_batch_tokens=budget, top_p=0.95
        )
        assert generate(made, tmp_path / name) == tmp_path / name / "samples.jsonl"
    assert contents(tmp_path / "one") == contents(tmp_path / "few") == contents(tmp_path / "all")
    samples = rows(tmp_path / "one" / "samples.jsonl")
    assert [row["sample"] for row in samples] == list(range(count)) * 7
    assert len({(row["task_id"], row["raw"]) for row in samples}) == len(samples)


def test_more_samples_use_the_earlier_ones(
    tmp_path: Path, tiny_llama: Path, problems: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(count: int, **changed: Any) -> GenerationSettings:
        return settings(tiny_llama, problems, temperature=0.9, num_samples=count, max_batch_tokens=150, **changed)

    two = rows(generate(made(2), tmp_path / "out"))
    generate(made(4), tmp_path / "out")
    assert "14 answers taken from earlier runs" in capsys.readouterr().err
    four = rows(tmp_path / "out" / "samples.jsonl")
    assert [row for row in four if row["sample"] < 2] == two
    generate(made(4), tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
    # fewer again are a part of them; another seed has nothing from before
    assert rows(generate(made(2), tmp_path / "out")) == two
    capsys.readouterr()
    assert rows(generate(made(2, seed=43), tmp_path / "out")) != two
    assert "taken from earlier" not in capsys.readouterr().err


def test_a_store_cut_anywhere_ends_with_the_same_bytes(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    made = settings(tiny_llama, problems, temperature=0.9, num_samples=2, max_batch_tokens=150)
    generate(made, tmp_path)
    whole = contents(tmp_path)
    (store,) = (tmp_path / ".answers").iterdir()
    data = store.read_bytes()
    pick = random.Random(5)
    for _ in range(4):
        store.write_bytes(data[: pick.randrange(len(data))])
        (tmp_path / "manifest.json").unlink()
        generate(made, tmp_path)
        assert contents(tmp_path) == whole
        assert {line for line in store.read_bytes().splitlines()} == set(data.splitlines())


def test_a_chunk_is_several_batches_and_every_device_has_one(
    tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sizes(engine: str = "transformers", **changed: Any) -> list[int]:
        plan = replace(prepare(settings(tiny_llama, problems, temperature=0.9, **changed)), engine=engine)
        chunks = list(make_chunks(plan))
        assert sorted(one for chunk in chunks for one in chunk) == [
            (problem, sample) for problem in range(7) for sample in range(plan.settings.num_samples)
        ]
        assert all(len({sample for _, sample in chunk}) == 1 for chunk in chunks)
        return [len(chunk) for chunk in chunks]

    assert sizes() == [7]
    assert sizes(max_batch_tokens=1) == [7]  # seven batches of one
    assert sizes(max_batch_tokens=1, num_samples=2) == [7, 7]
    monkeypatch.setattr(steps, "CHUNK_BATCHES", 3)
    assert sizes(max_batch_tokens=1) == [3, 2, 2]
    monkeypatch.undo()
    assert sizes(device="cpu,cpu") == [4, 3]
    assert sizes(device="cpu,cpu", num_samples=2) == [7, 7]
    # where rounding can change an answer, the number of devices changes nothing
    assert sizes(device="cpu,cpu", dtype="bfloat16") == [7]
    assert sizes("vllm") == [7]
    assert sizes("vllm", device="cpu,cpu,cpu") == [3, 2, 2]
    assert sizes("vllm", device="cpu,cpu,cpu", dtype="bfloat16") == [7]
    assert sizes("vllm", device=",".join(["cpu"] * 9)) == [1] * 7
    monkeypatch.setattr(steps, "VLLM_CHUNK", 3)
    assert sizes("vllm", device="cpu,cpu", dtype="bfloat16") == [3, 2, 2]


def test_in_half_precision_answers_belong_to_what_they_depend_on(
    tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As planned on a node with two GPUs; nothing runs there."""
    import torch

    monkeypatch.setattr(planning, "devices", lambda wanted: [f"cuda:{number}" for number in range(int(wanted))])
    monkeypatch.setattr(planning, "choose_engine", lambda wanted, _: wanted)

    def identity(card: str, **changed: Any) -> dict[str, Any]:
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: card)
        made = replace(settings(tiny_llama, problems), **{"engine": "vllm", "device": "1", **changed})
        return prepare(made).identity

    half = identity("NVIDIA H100", dtype="bfloat16")
    assert (half["device"], half["batch"]) == ("NVIDIA H100", [planning.VLLM_CHUNK])
    assert identity("NVIDIA H100", dtype="bfloat16", device="2") == half
    assert identity("NVIDIA H200", dtype="bfloat16") == half | {"device": "NVIDIA H200"}
    batched = identity("NVIDIA H100", dtype="bfloat16", engine="transformers")["batch"]
    assert batched == [32768, planning.CHUNK_BATCHES]
    whole = identity("NVIDIA H100", dtype="float32")
    assert (whole["device"], whole["batch"]) == ("cuda", None)
    assert identity("NVIDIA H200", dtype="float32", device="2") == whole


@pytest.mark.parametrize(("dtype", "again"), [("float32", 7 - 3), ("bfloat16", 7)])
def test_only_what_is_missing_is_asked_where_the_batch_decides_nothing(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, again: int
) -> None:
    made = settings(tiny_llama, problems, dtype=dtype)
    generate(made, tmp_path)
    whole = contents(tmp_path)
    (store,) = (tmp_path / ".answers").iterdir()
    store.write_bytes(b"".join(store.read_bytes().splitlines(keepends=True)[: 1 + 3]))  # its header and three answers
    asked: list[int] = []

    def counted(self: TransformersEngine, requests: list[Request]) -> list[Answer]:
        asked.append(len(requests))
        return answered(self, requests)

    answered = TransformersEngine.__call__
    monkeypatch.setattr(TransformersEngine, "__call__", counted)
    generate(made, tmp_path)
    assert asked == [again]
    assert contents(tmp_path) == whole


@pytest.mark.heavy
def test_two_workers_give_the_bytes_of_one(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    for devices in ("cpu", "cpu,cpu"):
        made = settings(tiny_llama, problems, temperature=0.9, num_samples=2, max_batch_tokens=150, device=devices)
        generate(made, tmp_path / devices)
    assert contents(tmp_path / "cpu") == contents(tmp_path / "cpu,cpu")


def test_a_students_samples_and_manifest(
    tmp_path: Path, chat_model: Path, problems: Path, trained: Callable[..., Path]
) -> None:
    model = trained(chat_model, tmp_path, template="default")
    generate(settings(model, problems), tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["model"]["name"] == "EVOL_T1_seed42"
    assert manifest["trained"]["data"] == {"file": "T1.jsonl"}
    assert (manifest["prompt"]["form"], manifest["prompt"]["template"]) == ("instruct", "default")
    with pytest.raises(InputError, match="was trained with default; leave the flag out"):
        generate(settings(model, problems, template="qwen"), tmp_path / "out")
    (model / "config.json").write_text((model / "config.json").read_text() + " ")
    with pytest.raises(InputError, match="its files have changed"):
        generate(settings(model, problems), tmp_path / "out")
    (model.parent / "run.json").rename(model.parent / "plan.json")
    with pytest.raises(InputError, match="an unfinished student"):
        generate(settings(model, problems), tmp_path / "out")


def test_what_extract_makes_of_an_answer_is_the_completion(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BENCHMARKS["humaneval"], "extract", lambda _, problem, raw, *, instruct: f"{instruct} {raw}")
    for form, template in (("base", None), ("instruct", "alpaca")):
        made = settings(tiny_llama, problems, form=form, template=template)
        for row in rows(generate(made, tmp_path)):
            assert row["completion"] == f"{form == 'instruct'} {row['raw']}"


def test_in_half_precision_the_batch_is_part_of_what_decides(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    for dtype, budgets in (("float32", [None, None]), ("bfloat16", [150, 300])):
        for budget, recorded in zip((150, 300), budgets, strict=True):
            generate(settings(tiny_llama, problems, dtype=dtype, max_batch_tokens=budget), tmp_path / dtype)
            manifest = json.loads((tmp_path / dtype / "manifest.json").read_text())
            assert manifest["model"]["max_batch_tokens"] == recorded
        assert len(list((tmp_path / dtype / ".answers").iterdir())) == len(set(budgets))


def test_the_output_never_overwrites_the_problems(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    path = Path(shutil.copy(problems, tmp_path / "samples.jsonl"))
    with pytest.raises(InputError, match="overwrite the input"):
        generate(settings(tiny_llama, path), tmp_path)
    assert path.read_bytes() == problems.read_bytes()


def test_all_of_humaneval_as_released(tmp_path: Path, shared_data: Path, tiny_llama: Path) -> None:
    path = shared_data / "benchmarks" / "HumanEval.jsonl"
    model = tiny_models.llama(tmp_path / "long", context=2048)
    samples = rows(generate(settings(model, path, max_new_tokens=2), tmp_path / "out"))
    assert [row["task_id"] for row in samples] == [f"HumanEval/{number}" for number in range(164)]


def test_a_journal_of_the_last_release_is_read(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    """The same keys decide an answer as then, and every answer is read."""
    path = Path(__file__).parents[1] / "last_release" / "answers.jsonl"
    header, *lines = rows(path)
    asked = settings(tiny_llama, problems, max_new_tokens=8, form="instruct", template="default", limit=3)
    assert prepare(asked).identity.keys() == header.keys()
    with Journal(tmp_path, "generate", header, AnswerCodec()) as empty:
        name = empty.path
    shutil.copy(path, name)
    with Journal(tmp_path, "generate", header, AnswerCodec()) as journal:
        assert [journal[row["key"]].text for row in lines] == [row["text"] for row in lines]
