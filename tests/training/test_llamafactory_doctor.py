"""The doctor's verdicts, against LLaMA-Factory's real loader where its environment is at hand."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from loader_cases import EACH, GOOD, KEPT, LOST, array, good, lines
from seedkit.records import read_records, record_line
from support import ROOT, Command, offline, rows
from tiny_models import llama, tokenizer
from training.encoding import NAMES, Encoder, kept_lengths
from training.verdicts import DROPPED, EMPTY, TRAINS, TRUNCATED, Columns, Diagnosis, diagnose
from training.verdicts import LOST as WHOLE

SCRIPT = "training/llamafactory_doctor.py"
LOADER = ROOT / "tests" / "training" / "llamafactory_loader.py"
CHAT = (
    "{% if messages[0]['role'] != 'system' %}<|system|>\nBe brief.<|end|>\n{% endif %}"
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
THINKING = CHAT.replace(
    "{{ m['content'] }}", "{% if m['role'] == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m['content'] }}"
)


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name.replace(".", "_") / name  # a folder of its own: dataset_info.json stands beside it
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", LOST)
def test_a_file_that_is_lost_whole(tmp_path: Path, name: str) -> None:
    content, line, reason = LOST[name]
    (verdict,) = diagnose(write(tmp_path, name, content))
    assert verdict.status == WHOLE
    assert reason in verdict.reason
    assert verdict.line == line
    assert verdict.is_loss


@pytest.mark.parametrize("name", ["each.jsonl", "each.json"])
def test_each_record_has_its_verdict_and_line(tmp_path: Path, name: str) -> None:
    verdicts = diagnose(write(tmp_path, name, KEPT[name]))
    dropped = {1, 2, 9}
    empty = {3: '"output" is empty', 4: '"instruction" is empty', 5: '"instruction" is empty', 6: "the prompt is empty"}
    assert {n for n, verdict in enumerate(verdicts) if verdict.status == DROPPED} == dropped
    assert {n: verdict.reason for n, verdict in enumerate(verdicts) if verdict.status == EMPTY} == empty
    assert {verdict.status for verdict in verdicts} == {TRAINS, EMPTY, DROPPED}
    if name == "each.jsonl":
        assert [verdict.line for verdict in verdicts] == list(range(1, len(EACH) + 1))
    else:
        text = KEPT[name].decode()
        assert [verdict.line for verdict in verdicts] == [
            number for number, line in enumerate(text.splitlines(), 1) if line.startswith(" {")
        ]


def test_lines_of_objects_that_share_one_or_take_several(tmp_path: Path) -> None:
    for name, expected in (("two_on_a_line.jsonl", [1, 1, 2]), ("pretty.jsonl", [1, 6]), ("blank.jsonl", [1, 4])):
        assert [verdict.line for verdict in diagnose(write(tmp_path, name, KEPT[name]))] == expected


def test_columns_are_mapped(tmp_path: Path) -> None:
    path = write(tmp_path, "data.jsonl", lines({"q": "a", "more": "b", "a": "c"}, {"q": "a", "more": "", "a": None}))
    verdicts = diagnose(path, Columns("q", "more", "a"))
    assert [verdict.status for verdict in verdicts] == [TRAINS, DROPPED]
    assert verdicts[1].reason == '"a" is missing or null'


@pytest.mark.parametrize(
    ("source", "target", "cutoff", "kept"),
    [
        (10, 10, 20, (10, 10)),
        (100, 9, 20, (11, 9)),  # the answer takes less than half: the prompt is cut
        (9, 100, 20, (9, 11)),  # the prompt takes less than half: the answer is cut
        (100, 100, 20, (10, 10)),
        (30, 60, 20, (7, 13)),  # both in proportion, the answer's part rounded down
        (0, 50, 20, (0, 20)),
    ],
)
def test_how_the_cutoff_is_split(source: int, target: int, cutoff: int, kept: tuple[int, int]) -> None:
    assert kept_lengths(source, target, cutoff) == kept


def test_truncated_tokens_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, "data.jsonl", lines(GOOD, good(instruction="long"), good(output="long")))

    def count(records: Any) -> list[tuple[int, int]]:
        return [(1000 if "long" in prompt else 5, 1000 if "long" in answer else 5) for prompt, answer in records]

    verdicts = diagnose(path, None, count, 100)
    assert verdicts[0] == Diagnosis(1, TRAINS, "", 5, 5)
    assert verdicts[1] == Diagnosis(2, TRUNCATED, verdicts[1].reason, 1000, 5, 905, 0)
    assert verdicts[1].reason == "1,005 tokens, 100 fit: 905 of the prompt and 0 of the answer lost"
    assert not verdicts[1].is_loss
    assert verdicts[2] == Diagnosis(3, TRUNCATED, verdicts[2].reason, 5, 1000, 0, 905)
    assert verdicts[2].is_loss


def test_the_command_reports_and_exits(tmp_path: Path, tiny_llama: Path, script_command: Command) -> None:
    each, lost = write(tmp_path, "each.jsonl", KEPT["each.jsonl"]), write(tmp_path, "mixed.json", LOST["mixed.json"][0])
    fine = write(tmp_path, "fine.jsonl", lines(GOOD, good(output="")))
    out = tmp_path / "verdicts.jsonl"
    result = script_command(SCRIPT, fine)
    assert result.returncode == 0, result.stderr
    assert "Not looked at: what is longer" in result.stdout
    result = script_command(SCRIPT, each, lost, "--tokenizer", tiny_llama, "--cutoff_len", 60, "--json", out)
    assert result.returncode == 1, result.stderr
    assert f"{each}: {len(EACH)} records" in result.stdout
    assert f"{lost}: THE WHOLE FILE IS LOST\nline 8: " in result.stdout
    written = rows(out)
    assert [row["line"] for row in written] == [*range(1, len(EACH) + 1), 8]
    names = [
        "file",
        "line",
        "status",
        "reason",
        "prompt_tokens",
        "answer_tokens",
        "prompt_tokens_lost",
        "answer_tokens_lost",
    ]
    assert all(list(row) == names for row in written)
    cut = sum(row["answer_tokens_lost"] for row in written)
    assert cut > 0
    assert f"tokens, {cut:,} lost (" in result.stdout


def test_a_finished_folder_gives_its_data_files(tmp_path: Path, script_command: Command) -> None:
    data = tmp_path / "seeds.jsonl"
    data.write_bytes(lines(*[good(id=str(n), instruction=f"write code {n}") for n in range(60)]))
    done = script_command(
        "RQ4_breadth/domain_mixer.py",
        "--input_file",
        data,
        "--output_dir",
        tmp_path / "out",
        "--general_file",
        ROOT / "Datas/sample/ALPACA.jsonl",
        "--math_file",
        ROOT / "Datas/sample/MATH.jsonl",
        "--num_samples",
        1,
    )
    assert done.returncode == 0, done.stderr
    result = script_command(SCRIPT, tmp_path / "out")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(": 60 records") == 7
    assert "no training data, left out: breadth_pool.jsonl" in result.stderr
    (tmp_path / "out" / "manifest.json").unlink()
    assert script_command(SCRIPT, tmp_path / "out").returncode == 2


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, script_command: Command) -> None:
    data = write(tmp_path, "data.jsonl", lines(GOOD))
    text = write(tmp_path, "data.txt", lines(GOOD))
    pointer = write(tmp_path, "pointer.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    for arguments, message in (
        ([], "the following arguments are required: PATH"),
        ([tmp_path / "none.jsonl"], "no such file"),
        ([text], "ends in .jsonl or .json"),
        ([pointer], "a Git LFS pointer"),
        ([tmp_path], "the folder is unfinished or no output folder"),
        ([data, "--template", "guess"], "--template guess: expected one of alpaca"),
        ([data, "--tokenizer", "no/such"], "model no/such"),
        ([data, "--cutoff_len", "0"], "at least 1"),
        ([data, "--json", data], "would overwrite the input"),
    ):
        result = script_command(SCRIPT, *arguments)
        assert result.returncode == 2, result.stdout + result.stderr
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr


def real(cases: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What the real loader answers to the cases."""
    environment = os.environ.get("SEEDKIT_LLAMAFACTORY_ENV")
    if not environment:
        pytest.skip("no environment with LLaMA-Factory: bash tests/run.sh --all makes it")
    done = subprocess.run(
        [f"{environment}/bin/python", str(LOADER), str(folder)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=1500,
        env={**offline(), "HF_HOME": str(folder / "hub")},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def agree(verdicts: list[Diagnosis], answer: dict[str, Any]) -> bool:
    """Whether the real loader does with every record what the doctor said, token for token."""
    if "error" in answer:
        return [verdict.status for verdict in verdicts] == [WHOLE]
    found = [
        None
        if verdict.status in (DROPPED, WHOLE)
        else {
            "input": (verdict.prompt_tokens or 0)
            - verdict.prompt_tokens_lost
            + (verdict.answer_tokens or 0)
            - verdict.answer_tokens_lost,
            "trained": (verdict.answer_tokens or 0) - verdict.answer_tokens_lost,
        }
        for verdict in verdicts
    ]
    return WHOLE not in {verdict.status for verdict in verdicts} and found == answer["records"]


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
def test_the_real_loader_agrees_on_every_bad_file(tmp_path: Path) -> None:
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
    counter = Encoder(str(models["plain"]), "default")
    answers = real(cases, tmp_path)
    differing = [
        case["file"]
        for case, answer in zip(cases, answers, strict=True)
        if not agree(diagnose(Path(str(case["file"])), None, counter, 60), answer)
    ]
    assert differing == []
    assert sum("error" in answer for answer in answers) == len(LOST)


@pytest.mark.heavy
def test_the_real_loader_agrees_on_every_template(tmp_path: Path) -> None:
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
    answers = real(cases, tmp_path)
    for case, answer in zip(cases, answers, strict=True):
        assert "error" not in answer, (case, answer)
        counter = Encoder(str(case["tokenizer"]), str(case["template"] or "tokenizer"))
        assert agree(diagnose(data, None, counter, int(str(case["cutoff_len"]))), answer), case


@pytest.mark.heavy
def test_the_real_loader_agrees_on_real_records(tmp_path: Path, shared_data: Path) -> None:
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
    counter = Encoder(str(model), "default")
    for case, answer in zip(cases, real(cases, tmp_path), strict=True):
        verdicts = diagnose(Path(str(case["file"])), None, counter, int(str(case["cutoff_len"])))
        assert len(verdicts) == len(answer["records"]) == 2000
        assert agree(verdicts, answer)
        assert sum('"output" is empty' in verdict.reason for verdict in verdicts) == 2
        if case["cutoff_len"] == 512:
            assert sum(verdict.answer_tokens_lost > 0 for verdict in verdicts) > 50


def test_a_first_line_of_null_is_said_and_not_died_of(tmp_path: Path) -> None:
    """pyarrow ends the process on it: ours must not, and the loader's cannot be compared with."""
    path = tmp_path / "null.jsonl"
    path.write_bytes(b'\n null\n{"instruction": "i", "input": "", "output": "o"}\n')
    (verdict,) = diagnose(path)
    assert (verdict.status, verdict.reason) == ("the whole file is lost", "expected a JSON object, got null")
