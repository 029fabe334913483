"""What the doctor says of each record, against LLaMA-Factory's real loader where its environment is at hand."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from loader_cases import EACH, GOOD, KEPT, LOST, array, good, lines, write
from seedkit.records import read_records, record_line
from support import ROOT, answered
from tiny_models import llama, tokenizer
from training.diagnoses import DROPPED, EMPTY, TRAINS, TRUNCATED, Columns, Diagnosis, diagnose
from training.diagnoses import LOST as WHOLE
from training.encoding import NAMES, RecordEncoder

LOADER = ROOT / "tests" / "training" / "llamafactory_loader.py"
CHAT = (
    "{% if messages[0]['role'] != 'system' %}<|system|>\nBe brief.<|end|>\n{% endif %}"
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
THINKING = CHAT.replace(
    "{{ m['content'] }}", "{% if m['role'] == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m['content'] }}"
)


@pytest.mark.parametrize("name", LOST)
def test_a_file_that_is_lost_whole(tmp_path: Path, name: str) -> None:
    content, line, reason = LOST[name]
    (diagnosis,) = diagnose(write(tmp_path, name, content))
    assert diagnosis.status == WHOLE
    assert reason in diagnosis.reason
    assert diagnosis.line == line
    assert diagnosis.is_loss


@pytest.mark.parametrize("name", ["each.jsonl", "each.json"])
def test_each_record_has_its_diagnosis_and_line(tmp_path: Path, name: str) -> None:
    diagnoses = diagnose(write(tmp_path, name, KEPT[name]))
    dropped = {1, 2, 9}
    empty = {3: '"output" is empty', 4: '"instruction" is empty', 5: '"instruction" is empty', 6: "the prompt is empty"}
    assert {n for n, diagnosis in enumerate(diagnoses) if diagnosis.status == DROPPED} == dropped
    assert {n: diagnosis.reason for n, diagnosis in enumerate(diagnoses) if diagnosis.status == EMPTY} == empty
    assert {diagnosis.status for diagnosis in diagnoses} == {TRAINS, EMPTY, DROPPED}
    if name == "each.jsonl":
        assert [diagnosis.line for diagnosis in diagnoses] == list(range(1, len(EACH) + 1))
    else:
        text = KEPT[name].decode()
        assert [diagnosis.line for diagnosis in diagnoses] == [
            number for number, line in enumerate(text.splitlines(), 1) if line.startswith(" {")
        ]


def test_lines_of_objects_that_share_one_or_take_several(tmp_path: Path) -> None:
    for name, expected in (("two_on_a_line.jsonl", [1, 1, 2]), ("pretty.jsonl", [1, 6]), ("blank.jsonl", [1, 4])):
        assert [diagnosis.line for diagnosis in diagnose(write(tmp_path, name, KEPT[name]))] == expected


def test_a_first_line_of_null_is_said_and_not_died_of(tmp_path: Path) -> None:
    """pyarrow ends the process on it: ours must not, and the loader's cannot be compared with."""
    path = tmp_path / "null.jsonl"
    path.write_bytes(b'\n null\n{"instruction": "i", "input": "", "output": "o"}\n')
    (diagnosis,) = diagnose(path)
    assert (diagnosis.status, diagnosis.reason) == ("the whole file is lost", "expected a JSON object, got null")


def test_columns_are_mapped(tmp_path: Path) -> None:
    path = write(tmp_path, "data.jsonl", lines({"q": "a", "more": "b", "a": "c"}, {"q": "a", "more": "", "a": None}))
    diagnoses = diagnose(path, Columns("q", "more", "a"))
    assert [diagnosis.status for diagnosis in diagnoses] == [TRAINS, DROPPED]
    assert diagnoses[1].reason == '"a" is missing or null'


def test_truncated_tokens_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "data.jsonl", lines(GOOD, good(instruction="long"), good(output="long")))

    def count(records: Any) -> list[tuple[int, int]]:
        return [(1000 if "long" in prompt else 5, 1000 if "long" in answer else 5) for prompt, answer in records]

    diagnoses = diagnose(path, None, count, 100)
    assert diagnoses[0] == Diagnosis(1, TRAINS, "", 5, 5)
    assert diagnoses[1] == Diagnosis(2, TRUNCATED, diagnoses[1].reason, 1000, 5, 905, 0)
    assert diagnoses[1].reason == "1,005 tokens, 100 fit: 905 of the prompt and 0 of the answer lost"
    assert not diagnoses[1].is_loss
    assert diagnoses[2] == Diagnosis(3, TRUNCATED, diagnoses[2].reason, 5, 1000, 0, 905)
    assert diagnoses[2].is_loss


def test_a_long_count_says_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(step=20)
    monkeypatch.setattr("seedkit.display.time.monotonic", lambda: float(next(clock)))  # 20 s for each 1,000 records
    path = write(tmp_path, "long.jsonl", lines(*[good(instruction=f"{n}") for n in range(4500)]))
    diagnose(path, None, lambda records: [(1, 1)] * len(records), 100)
    assert [line.partition(", about ")[0] for line in capsys.readouterr().err.splitlines()] == [
        "long.jsonl: counting tokens: 2,000 of 4,500 records",
        "long.jsonl: counting tokens: 4,000 of 4,500 records",
    ]


def real(cases: list[dict[str, Any]], environment: str, folder: Path) -> list[dict[str, Any]]:
    """What the real loader answers to the cases."""
    answers: list[dict[str, Any]] = answered(environment, LOADER, cases, folder, HF_HOME=str(folder / "hub"))
    return answers


def agree(diagnoses: list[Diagnosis], answer: dict[str, Any]) -> bool:
    """Whether the real loader does with every record what the doctor said, token for token."""
    if "error" in answer:
        return [diagnosis.status for diagnosis in diagnoses] == [WHOLE]
    found = [
        None
        if diagnosis.status in (DROPPED, WHOLE)
        else {
            "input": (diagnosis.prompt_tokens or 0)
            - diagnosis.prompt_tokens_lost
            + (diagnosis.answer_tokens or 0)
            - diagnosis.answer_tokens_lost,
            "trained": (diagnosis.answer_tokens or 0) - diagnosis.answer_tokens_lost,
        }
        for diagnosis in diagnoses
    ]
    return WHOLE not in {diagnosis.status for diagnosis in diagnoses} and found == answer["records"]


def tokenizers(folder: Path) -> dict[str, Path]:
    """Tokenizers without and with a chat template, with a default system text in it, and with thoughts."""
    found = {"plain": llama(folder / "plain")}
    for name, template, made in (
        ("chat", CHAT, tokenizer(eos_token="<|end|>")),
        ("thinking", THINKING, tokenizer(eos_token="<|end|>", bos_token="<s>")),
        ("no_end", None, tokenizer()),
    ):
        made.chat_template = template
        found[name] = llama(folder / name, tokenizer(eos_token="<|end|>"))
        made.save_pretrained(found[name])
    return found


@pytest.mark.heavy
def test_the_real_loader_agrees_on_every_bad_file(tmp_path: Path, trainer_environment: str) -> None:
    models = tokenizers(tmp_path / "models")
    contents = {
        **{name: content for name, (content, _, _) in LOST.items()},
        **{f"kept_{n}": c for n, c in KEPT.items()},
    }
    cases = [
        {
            "file": str(write(tmp_path, name, content)),
            "tokenizer": str(models["plain"]),
            "template": "default",
            "cutoff_len": 60,
        }
        for name, content in contents.items()
    ]
    counter = RecordEncoder(str(models["plain"]), "default").token_counts
    answers = real(cases, trainer_environment, tmp_path)
    differing = [
        case["file"]
        for case, answer in zip(cases, answers, strict=True)
        if not agree(diagnose(Path(str(case["file"])), None, counter, 60), answer)
    ]
    assert differing == []
    assert sum("error" in answer for answer in answers) == len(LOST)


@pytest.mark.heavy
def test_the_real_loader_agrees_on_every_template(tmp_path: Path, trainer_environment: str) -> None:
    models = tokenizers(tmp_path / "models")
    data = write(tmp_path, "each.jsonl", KEPT["each.jsonl"])
    cases = [
        {
            "file": str(data),
            "tokenizer": str(model),
            "template": None if template == "tokenizer" else template,
            "cutoff_len": cutoff,
        }
        for model in models.values()
        for template in NAMES
        for cutoff in (60, 2048)
    ]
    answers = real(cases, trainer_environment, tmp_path)
    for case, answer in zip(cases, answers, strict=True):
        assert "error" not in answer, (case, answer)
        counter = RecordEncoder(str(case["tokenizer"]), str(case["template"] or "tokenizer")).token_counts
        assert agree(diagnose(data, None, counter, int(str(case["cutoff_len"]))), answer), case


@pytest.mark.heavy
def test_the_real_loader_agrees_on_real_records(tmp_path: Path, shared_data: Path, trainer_environment: str) -> None:
    source = shared_data / "seeds" / "evol_instruct_code.jsonl"
    records = list(read_records(source))
    empty = [record for record in records if not record.output]
    assert len(empty) == 2
    first = [record for record in records if record.output][:1998] + empty
    model = llama(tmp_path / "model")
    part = write(tmp_path, "part.jsonl", b"".join(map(record_line, first)))
    as_array = write(
        tmp_path,
        "part.json",
        array(*({"instruction": r.instruction, "input": r.input, "output": r.output} for r in first)),
    )
    cases = [
        {"file": str(path), "tokenizer": str(model), "template": "default", "cutoff_len": cutoff}
        for path, cutoff in ((part, 512), (as_array, 2048))
    ]
    counter = RecordEncoder(str(model), "default").token_counts
    for case, answer in zip(cases, real(cases, trainer_environment, tmp_path), strict=True):
        diagnoses = diagnose(Path(str(case["file"])), None, counter, int(str(case["cutoff_len"])))
        assert len(diagnoses) == len(answer["records"]) == 2000
        assert agree(diagnoses, answer)
        assert sum('"output" is empty' in diagnosis.reason for diagnosis in diagnoses) == 2
        if case["cutoff_len"] == 512:
            assert sum(diagnosis.answer_tokens_lost > 0 for diagnosis in diagnoses) > 50
