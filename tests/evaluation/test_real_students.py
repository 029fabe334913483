"""SmolLM2 on the whole way, a real language model instead of random weights: trained in full and as an adapter, asked, graded."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import pytest
from evaluation.generation.prompts import TrainingPrompts
from seedkit.causal_lm import load_causal_lm, load_tokenizer
from seedkit.manifest import OutputFolder
from seedkit.records import read_records, record_line
from study_cases import finished, train_flags
from support import ROOT, Command, contents, rows

pytestmark = pytest.mark.heavy
TOKENS = 192  # of a record, prompt and answer, in training and in the loss
HELD_OUT = 8  # records
RATES = {"full": "2e-5", "lora": "5e-4"}
NAME = "HALF"
PROBLEM = {
    "task_id": "HumanEval/0",
    "prompt": 'def add(a, b):\n    """Add two numbers a and b and return their sum."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "test": "def check(candidate):\n    assert candidate(2, 3) == 5\n    assert candidate(-1, 1) == 0\n",
}


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two finished folders: 12 records of the sample to train on, and others to look at."""
    records = list(read_records(ROOT / "Datas" / "sample" / "EVOL.jsonl"))[::4]
    folders = []
    for part in (records[:12], records[-HELD_OUT:]):
        folder = tmp_path_factory.mktemp("half") / "EVOL"
        with OutputFolder(folder, "RQ1_complexity", [f"{NAME}.jsonl"], sources=[]) as output:
            output.write(f"{NAME}.jsonl", map(record_line, part))
            output.finish({})
        folders.append(folder)
    return folders[0], folders[1]


@pytest.fixture(scope="module")
def students(
    smollm2: Path, halves: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory, trainer_environment: str
) -> Mapping[str, Path]:
    """The model folders by what was trained: "base" is SmolLM2 as it was, "full" and "lora" after three steps of train.py."""
    found, runs = {"base": smollm2}, tmp_path_factory.mktemp("runs")
    for kind, rate in RATES.items():
        more = [
            "--finetuning",
            kind,
            "--learning_rate",
            rate,
            "--cutoff_len",
            TOKENS,
            "--max_steps",
            3,
            "--save_steps",
            3,
        ]
        finished("training/train.py", *train_flags((halves[0], smollm2), trainer_environment, runs, *more))
        (found[kind],) = runs.glob(f"*-{kind}/*/model")
    return found


def held_out_loss(model: Path, adapter: Path | None, records: Path) -> float:
    """The mean of -log p over the answers' tokens, each record cut to TOKENS tokens, in the template of the training."""
    import torch
    from peft import PeftModel

    network, tokens = load_causal_lm(str(model), "cpu", "float32"), load_tokenizer(str(model))
    if adapter:
        network = PeftModel.from_pretrained(network, str(adapter)).eval()
    ask = TrainingPrompts(str(model), "tokenizer")
    losses: list[float] = []
    for record in read_records(records):
        prompt = ask(record.query)[:TOKENS]
        answer = tokens(f"{record.output}<|im_end|>\n", add_special_tokens=False)["input_ids"]
        row = torch.tensor([(prompt + answer)[:TOKENS]])
        with torch.inference_mode():
            logits = network(input_ids=row).logits[0, len(prompt) - 1 : -1]
        losses += torch.nn.functional.cross_entropy(logits, row[0, len(prompt) :], reduction="none").tolist()
    return sum(losses) / len(losses)


def test_training_lowers_the_loss_of_answers_that_were_held_out(
    students: Mapping[str, Path], halves: tuple[Path, Path]
) -> None:
    records = halves[1] / f"{NAME}.jsonl"
    base = held_out_loss(students["base"], None, records)
    assert 0.5 < base < 3  # random weights would be at log(49152) = 10.8
    assert held_out_loss(students["full"], None, records) < base - 0.01
    assert held_out_loss(students["base"], students["lora"], records) < base - 0.01
    for kind in RATES:
        said = json.loads((students[kind].parent / "run.json").read_text())
        assert said["loss"]["first"] < 3
        assert said["steps"] == 3


def test_a_student_answers_in_the_template_of_its_training_and_otherwise_than_before(
    students: Mapping[str, Path], tmp_path: Path, script_main: Command
) -> None:
    """The base model adds two numbers, which the sandbox confirms; the student that was made from it answers in other words."""
    (tmp_path / "problems.jsonl").write_text(json.dumps(PROBLEM) + "\n")
    benchmark = ["--benchmark", "humaneval", "--benchmark_file", tmp_path / "problems.jsonl"]
    said = {}
    for kind in ("base", "lora"):
        out = tmp_path / kind
        flags = [
            "--model",
            students[kind],
            "--output_dir",
            out,
            "--max_new_tokens",
            128,
            "--device",
            "cpu",
            "--dtype",
            "float32",
        ]
        done = script_main("evaluation/generate.py", *benchmark, *flags)
        assert done.returncode == 0, done.stderr
        manifest = json.loads((out / "manifest.json").read_text())
        assert manifest["prompt"]["template"] == ("chat_template" if kind == "base" else "tokenizer")
        (said[kind],) = (row["raw"] for row in rows(out / "samples.jsonl"))
        assert "def add(a, b)" in said[kind]  # random weights write no word of it
    done = script_main("evaluation/grade.py", "--samples", tmp_path / "base" / "samples.jsonl", *benchmark)
    assert done.returncode == 0, done.stderr
    assert [row["verdict"] for row in rows(tmp_path / "base" / "grades" / "results.jsonl")] == ["pass"]
    assert said["lora"] != said["base"]


def test_it_scores_instructions(smollm2: Path, tmp_path: Path, script_main: Command) -> None:
    """Its digits are tokens, so it can be asked for a complexity; English is no riddle to it."""
    flags = ["--scorer", "xcoder", "--scoring_model", smollm2, "--perplexity_model", smollm2, "--device", "cpu"]
    source = ["--input_file", ROOT / "Datas" / "sample" / "OSS.jsonl", "--limit", 12, "--output_dir", tmp_path / "rq1"]
    done = script_main("RQ1_complexity/complexity_scorer.py", *source, *flags)
    assert done.returncode == 0, done.stderr
    scores = rows(tmp_path / "rq1" / "complexity_scores.jsonl")
    assert {row["status"] for row in scores} == {"ok"}
    assert all(0 <= row["semantic"] <= 5 for row in scores)
    assert len({row["semantic"] for row in scores}) == 12
    assert 3 < median(row["linguistic"] for row in scores) < 60


def test_the_doctor_says_what_is_trained_with_each_of_its_templates(
    smollm2: Path, halves: tuple[Path, Path], tmp_path: Path, script_main: Command
) -> None:
    """The system text is all that tells the three apart: none, one with a full stop, the model's own without it."""
    prompts = {}
    for template in ("chatml", "smollm2", "tokenizer"):
        flags = ["--tokenizer", smollm2, "--template", template, "--json", tmp_path / f"{template}.jsonl"]
        done = script_main("training/llamafactory_doctor.py", halves[0], *flags)
        assert done.returncode == 0, done.stderr
        prompts[template] = [row["prompt_tokens"] for row in rows(tmp_path / f"{template}.jsonl")]
    tokens = load_tokenizer(str(smollm2))
    system = "<|im_start|>system\n{}<|im_end|>\n"
    own = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    sizes = {
        name: len(tokens(system.format(text))["input_ids"]) if text else 0
        for name, text in (("chatml", ""), ("smollm2", f"{own}."), ("tokenizer", own))
    }
    shorter = [count - sizes["chatml"] for count in prompts["chatml"]]
    assert shorter == [count - sizes["smollm2"] for count in prompts["smollm2"]]
    assert shorter == [count - sizes["tokenizer"] for count in prompts["tokenizer"]]
    assert contents(halves[0]).keys() == {f"{NAME}.jsonl", "manifest.json"}
