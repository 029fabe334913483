"""answer_seeds.py against a scripted server and a tiny model: what is asked, what is written, and what survives a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Reply, Script, ScriptedServer, Seen, completion, plain, refusal, serving
from seedkit.verify import verify
from support import ROOT, Command, contents, offline, rows

SCRIPT = "teacher/answer_seeds.py"
EVOL = ROOT / "Datas" / "sample" / "EVOL.jsonl"
KEY = "sk-the-secret-of-this-test"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def flags(server: ScriptedServer, folder: Path, *more: object, records: Path = EVOL) -> list[object]:
    asked = ["--input_file", records, "--endpoint", server.url, "--teacher", "scripted", "--output_dir", folder]
    return [*asked, "--temperature", 0.8, *more]


def results(folder: Path) -> dict[str, bytes]:
    """What a run writes, without its manifest, which says how many seconds it took."""
    return {name: data for name, data in contents(folder).items() if name != "manifest.json"}


def test_answers_stand_in_the_records_order_whatever_order_they_come_in(script_main: Command, tmp_path: Path) -> None:
    def shuffled(seen: Seen) -> Reply:
        return Reply(plain(seen).body, delay_s=0.001 * (seen.body["seed"] % 50))

    with serving(shuffled) as server:
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", "--num_answers", 3, "--choose", "all", "--limit", 20))
        assert done.returncode == 0, done.stderr
        again = script_main(
            SCRIPT, *flags(server, tmp_path / "b", "--num_answers", 3, "--choose", "all", "--limit", 20)
        )
    assert again.returncode == 0 and results(tmp_path / "a") == results(tmp_path / "b")
    assert server.times == [2] * 60
    records, answers = rows(EVOL)[:20], rows(tmp_path / "a" / "answers.jsonl")
    assert [(row["id"], row["number"]) for row in answers] == [(r["id"], n) for r in records for n in (1, 2, 3)]
    assert list(answers[0]) == ["id", "number", "text", "finish_reason", "prompt_tokens", "completion_tokens"]
    assert len({row["text"] for row in answers}) == 60  # each request has a seed of its own
    chosen = rows(tmp_path / "a" / "EVOL_TEACHER.jsonl")
    assert [row["id"] for row in chosen] == [f"{r['id']}{end}" for r in records for end in ("", "#2", "#3")]
    assert [row["output"] for row in chosen] == [row["text"] for row in answers]
    assert verify(tmp_path / "a") == []
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["tokens"] == {"prompt": 420, "completion": 300} and manifest["teacher"]["name"] == "scripted"
    assert manifest["sampling"] == {"temperature": 0.8, "top_p": 1.0, "max_new_tokens": 2048, "seed": 42}


def test_more_answers_keep_the_earlier_ones(script_main: Command, tmp_path: Path) -> None:
    with serving() as server:
        assert script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 5)).returncode == 0
        first = rows(tmp_path / "a" / "answers.jsonl")
        assert script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 5, "--num_answers", 2)).returncode == 0
    assert server.times == [1] * 10
    assert [row for row in rows(tmp_path / "a" / "answers.jsonl") if row["number"] == 1] == first


def test_killed_with_9_it_asks_nothing_again_and_writes_the_same_bytes(script_command: Command, tmp_path: Path) -> None:
    kills, concurrency = 3, 4

    def slow(seen: Seen) -> Reply:
        return Reply(plain(seen).body, delay_s=0.02)

    with serving(slow) as server:
        whole = script_command(SCRIPT, *flags(server, tmp_path / "whole"))
        assert whole.returncode == 0, whole.stderr
        assert server.count == 120
        for kill in range(kills):
            arguments = flags(server, tmp_path / "killed", "--max_concurrency", concurrency)
            command = [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, arguments)]
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=offline())
            deadline = time.monotonic() + 60
            while server.count < 120 + 30 * (kill + 1) and time.monotonic() < deadline:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert not (tmp_path / "killed" / "manifest.json").exists()
        done = script_command(SCRIPT, *flags(server, tmp_path / "killed", "--max_concurrency", concurrency))
    assert done.returncode == 0, done.stderr
    assert 240 <= server.count <= 240 + kills * concurrency
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def test_the_key_is_in_no_file_and_no_message(script_command: Command, tmp_path: Path) -> None:
    def telling(seen: Seen) -> Reply:
        if seen.text.startswith("Reverse"):
            return refusal(400, f"bad {seen.headers['authorization']}")
        return plain(seen)

    said = []
    for name, script in {"some": telling, "none": lambda seen: refusal(401, f"wrong: {KEY}")}.items():
        with serving(script) as server:
            done = script_command(SCRIPT, *flags(server, tmp_path / name, "--limit", 4, "--max_failure_rate", 0.5))
        said.append(done.stdout + done.stderr)
        assert done.returncode == (0 if name == "some" else 2), done.stderr
    assert KEY not in "".join(said) and "[key]" in said[1] and said[1].count("error:") == 1
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 5 and all(KEY.encode() not in path.read_bytes() for path in files)
    (reject,) = rows(tmp_path / "some" / "rejects.jsonl")
    assert reject["reason"] == "answer 1: HTTP 400: bad Bearer [key]" and reject["id"] == rows(EVOL)[0]["id"]
    assert verify(tmp_path / "some") == []


ENDS: dict[str, tuple[Script, int, str]] = {
    "a wrong model": (lambda seen: refusal(404, "no model scripted"), 2, "no such model"),
    "refusals": (lambda seen: refusal(422, "seed: not known"), 1, "4 of 4 requests were refused, 4 for: HTTP 422: seed: not known"),
    "a dead server": (lambda seen: Reply(fault="cut"), 1, "nothing succeeded for 1 s"),
}  # fmt: skip


@pytest.mark.parametrize("what", ENDS)
def test_a_run_that_cannot_go_on_says_why_in_one_line(what: str, script_main: Command, tmp_path: Path) -> None:
    script, code, words = ENDS[what]
    with serving(script) as server:
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 4, "--give_up_after", 1))
        assert done.returncode == code and words in done.stderr.splitlines()[-1]
        assert done.stderr.count("error:") == 1 and not (tmp_path / "a" / "manifest.json").exists()
        server.script = plain
        again = script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 4))
    assert again.returncode == 0 and len(rows(tmp_path / "a" / "answers.jsonl")) == 4


def test_another_teacher_or_sampling_does_not_replace_finished_answers(script_main: Command, tmp_path: Path) -> None:
    with serving() as server:
        assert script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 2)).returncode == 0
        before = results(tmp_path / "a")
        for other in (["--teacher", "another"], ["--temperature", "0.1"], ["--system_prompt", "Be short."]):
            done = script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 2, *other))
            assert done.returncode == 2 and "of another run" in done.stderr and "--overwrite" in done.stderr
        assert results(tmp_path / "a") == before and server.count == 2
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 2, "--teacher", "another", "--overwrite"))
    assert done.returncode == 0 and server.count == 4
    assert {seen.body["model"] for seen in server.seen} == {"scripted", "another"}


def test_a_second_run_into_the_same_folder_is_refused(script_command: Command, tmp_path: Path) -> None:
    holding = True

    def script(seen: Seen) -> Reply:
        return refusal(503, "wait", Retry_After="0.2") if holding else plain(seen)

    with serving(script) as server:
        command = [sys.executable, str(ROOT / "Code" / SCRIPT), *map(str, flags(server, tmp_path / "a", "--limit", 4))]
        first = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=offline())
        while not server.count:
            time.sleep(0.01)
        second = script_command(SCRIPT, *flags(server, tmp_path / "a", "--limit", 4))
        assert second.returncode == 2 and "another run is writing here" in second.stderr
        holding = False
        assert first.wait(60) == 0
    assert len(rows(tmp_path / "a" / "answers.jsonl")) == 4 and verify(tmp_path / "a") == []


def test_a_server_without_seeds_is_told(script_main: Command, tmp_path: Path) -> None:
    with serving(lambda seen: Reply(completion(f"always this to {seen.text}"))) as server:
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 3, "--num_answers", 2))
        assert done.returncode == 0 and "all answers to 3 records are equal" in done.stderr
        server.script = plain
        done = script_main(SCRIPT, *flags(server, tmp_path / "b", "--limit", 3, "--num_answers", 2))
    assert done.returncode == 0 and "are equal" not in done.stderr


def test_equal_instructions_are_asked_once(script_main: Command, tmp_path: Path) -> None:
    records = tmp_path / "twice.jsonl"
    lines = [{"instruction": text, "output": "x"} for text in ("a", "b", "a")]
    records.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with serving() as server:
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", records=records))
    assert done.returncode == 0, done.stderr
    texts = [row["text"] for row in rows(tmp_path / "a" / "answers.jsonl")]
    assert server.times == [1, 1] and texts[0] == texts[2] != texts[1]
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["tokens"] == {"prompt": 14, "completion": 10}


def test_the_prompt_is_the_template_with_the_records_texts(script_main: Command, tmp_path: Path) -> None:
    records, template = tmp_path / "r.jsonl", tmp_path / "t.txt"
    records.write_text(json.dumps({"instruction": "sort {input}", "input": "[3, 1]", "output": "x"}) + "\n")
    template.write_text("Task: {instruction}\nData: {input}\n{x}")
    with serving() as server:
        more = ["--prompt_template", template, "--system_prompt", "Answer in Python."]
        assert script_main(SCRIPT, *flags(server, tmp_path / "a", *more, records=records)).returncode == 0
        template.write_text("no place for it")
        done = script_main(SCRIPT, *flags(server, tmp_path / "b", *more, records=records))
    assert server.seen[0].body["messages"] == [
        {"role": "system", "content": "Answer in Python."},
        {"role": "user", "content": "Task: sort {input}\nData: [3, 1]\n{x}"},
    ]
    assert done.returncode == 2 and "expected {query} or {instruction}" in done.stderr


def test_a_dry_run_asks_and_writes_nothing(script_main: Command, tmp_path: Path) -> None:
    with serving() as server:
        more = ["--num_answers", 2, "--price_in", 10, "--price_out", 30, "--max_new_tokens", 100, "--dry_run"]
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", "--limit", 5, *more))
    assert done.returncode == 0 and server.count == 0 and not (tmp_path / "a").exists()
    characters = sum(len(row["instruction"]) // 4 for row in rows(EVOL)[:5]) * 2
    assert "EVOL: 10 requests" in done.stdout and f"{characters:,}" in done.stdout and "1,000" in done.stdout
    assert f"{(characters * 10 + 1000 * 30) / 1e6:,.2f}" in done.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--num_answers", "2", "--temperature", "0"], "would be the same"),
        (["--engine", "vllm"], "--endpoint is given"),
        (["--temperature", "-1"], "expected a number from 0"),
        (["--endpoint", "http://u:p@h/v1"], "without user"),
        (["--prompt_template", "/no/such/file"], "cannot be read"),
    ],
)
def test_flags_that_do_not_fit_are_refused(more: list[str], words: str, script_main: Command, tmp_path: Path) -> None:
    with serving() as server:
        done = script_main(SCRIPT, *flags(server, tmp_path / "a", *more))
    assert done.returncode == 2 and words in done.stderr and server.count == 0


def test_a_folder_that_is_no_model_is_refused(script_main: Command, tmp_path: Path) -> None:
    done = script_main(SCRIPT, "--input_file", EVOL, "--teacher", tmp_path, "--output_dir", tmp_path / "a")
    assert done.returncode == 2 and "found no config.json" in done.stderr


def chatty(folder: Path) -> Path:
    """A tiny model with random weights and a chat template."""
    from tiny_models import llama, tokenizer

    tokens = tokenizer(eos_token="<|end|>")
    tokens.chat_template = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    return llama(folder, tokens)


def test_a_model_that_is_loaded_here_answers_as_it_does_when_interrupted(script_main: Command, tmp_path: Path) -> None:
    model, records = chatty(tmp_path / "model"), tmp_path / "r.jsonl"
    lines = [{"instruction": row["instruction"][:60], "output": "x"} for row in rows(EVOL)[:6]]
    records.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = ["--input_file", records, "--teacher", model, "--device", "cpu", "--temperature", 1, "--max_new_tokens", 8]
    asked += ["--num_answers", 2, "--choose", "all", "--system_prompt", "be short"]
    done = script_main(SCRIPT, *asked, "--limit", 6, "--output_dir", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert script_main(SCRIPT, *asked, "--limit", 3, "--output_dir", tmp_path / "b").returncode == 0
    assert script_main(SCRIPT, *asked, "--limit", 6, "--output_dir", tmp_path / "b").returncode == 0
    assert results(tmp_path / "a") == results(tmp_path / "b")
    answers = rows(tmp_path / "a" / "answers.jsonl")
    assert len(answers) == 12 and len({row["text"] for row in answers}) > 6
    assert all(0 < row["completion_tokens"] <= 8 and row["prompt_tokens"] > 10 for row in answers)
    manifest: dict[str, Any] = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["teacher"]["revision"].startswith("sha256:") and manifest["teacher"]["dtype"] == "float32"
    assert verify(tmp_path / "a") == []


def test_in_half_precision_a_resumed_run_computes_the_same_batches(script_main: Command, tmp_path: Path) -> None:
    model, records = chatty(tmp_path / "model"), tmp_path / "r.jsonl"
    lines = [{"instruction": row["instruction"][: 20 + 7 * n], "output": "x"} for n, row in enumerate(rows(EVOL)[:10])]
    records.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = [
        "--input_file",
        records,
        "--teacher",
        model,
        "--device",
        "cpu",
        "--dtype",
        "bfloat16",
        "--max_new_tokens",
        8,
    ]
    asked += ["--temperature", 1, "--max_batch_tokens", 180, "--output_dir", tmp_path / "a"]
    assert script_main(SCRIPT, *asked).returncode == 0
    before = results(tmp_path / "a")
    (journal,) = (tmp_path / "a" / ".answers").iterdir()
    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(whole[:-1]))  # all but the last answer
    (tmp_path / "a" / "manifest.json").unlink()
    done = script_main(SCRIPT, *asked)
    assert done.returncode == 0 and results(tmp_path / "a") == before
    fresh = journal.read_bytes().splitlines()[len(whole) - 1 :]
    assert 1 < len(fresh) < 10  # the chunk of the missing answer, and no other


def test_a_prompt_that_leaves_no_room_is_refused_with_a_reason(script_main: Command, tmp_path: Path) -> None:
    records = tmp_path / "r.jsonl"
    lines = [{"instruction": text, "output": "x"} for text in ("short", "long " * 400)]
    records.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = ["--input_file", records, "--teacher", chatty(tmp_path / "model"), "--device", "cpu", "--max_new_tokens", 4]
    done = script_main(SCRIPT, *asked, "--max_failure_rate", 0.5, "--output_dir", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    (reject,) = rows(tmp_path / "a" / "rejects.jsonl")
    assert "tokens, the model takes 512" in reject["reason"] and len(rows(tmp_path / "a" / "R_TEACHER.jsonl")) == 1


def test_a_full_disk_stops_the_run_with_one_line(tmp_path: Path, script_command: Command) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        with serving() as server:
            done = script_command(SCRIPT, *flags(server, disk / "a"))
        assert done.returncode == 1 and "No space left" in done.stderr and done.stderr.count("error:") == 1, done.stderr
        assert "Traceback" not in done.stderr and not (disk / "a" / "manifest.json").exists()
    finally:
        subprocess.run(["umount", disk], check=True)
