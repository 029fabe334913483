"""verify_answers.py on answers of a scripted teacher, which also writes tests: verdicts, choices, resume, hostile programs."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from adversary import attacks
from scripted_server import Reply, Seen, completion, serving
from seedkit.verify import verify
from support import ROOT, Command, contents, offline, reseal, rows

ANSWER, VERIFY = "teacher/answer_seeds.py", "teacher/verify_answers.py"
RIGHT, WRONG = "def double(a):\n    return 2 * a\n", "def double(a):\n    return a * a\n"
TASKS = {
    "double": [RIGHT, "def double(a):\n    '''longer'''\n    return a + a\n", WRONG],
    "broken": ["def double(a:\n", "import pandas\n", WRONG],
    "prose": ["", "", ""],
}
TESTS = "assert double(1) == 2\nassert double(2) == 4\nassert double(3) == 6\nassert double('a') == 'aa'\n"


def fenced(code: str) -> str:
    return f"Here:\n```python\n{code}```\n" if code else "I do not know, sorry."


class Teacher:
    """Answers each task with its programs in turns, and a request for tests with TESTS."""

    def __init__(self) -> None:
        self.given: dict[tuple[str, int], str] = {}

    def __call__(self, seen: Seen) -> Reply:
        if seen.text.startswith("Write tests"):
            assert "def double(a): ..." in seen.text and "return" not in seen.text.split("Task:")[0].split("as\n")[1]
            return Reply(completion(fenced(TESTS)))
        known = self.given.setdefault((seen.text, seen.body["seed"]), "")
        if not known:
            taken = sum(text == seen.text for text, _ in self.given) - 1
            self.given[seen.text, seen.body["seed"]] = known = fenced(TASKS[seen.text.rpartition(" ")[2]][taken])
        return Reply(completion(known))


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of answer_seeds.py: three answers to each task."""
    folder = tmp_path_factory.mktemp("teacher")
    lines = [{"id": name, "instruction": f"Write the program: {name}", "output": "x"} for name in TASKS]
    (folder / "tasks.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with serving(Teacher()) as server:
        asked = [
            "--input_file",
            folder / "tasks.jsonl",
            "--endpoint",
            server.url,
            "--teacher",
            "t",
            "--max_concurrency",
            1,
        ]
        command = [sys.executable, ROOT / "Code" / ANSWER, *asked, "--num_answers", 3, "--temperature", 1]
        done = subprocess.run(
            [*map(str, command), "--output_dir", str(folder / "a")],
            capture_output=True,
            text=True,
            env=offline(),
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return folder / "a"


def test_every_answer_has_a_verdict_and_none_is_dropped(answers: Path, script_command: Command, tmp_path: Path) -> None:
    done = script_command(VERIFY, "--answers", answers, "--output_dir", tmp_path / "v")
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "v" / "answers.jsonl")
    assert [(row["id"], row["number"]) for row in found] == [(name, n) for name in TASKS for n in (1, 2, 3)]
    assert [row["verdict"] for row in found] == ["runs"] * 3 + ["syntax_error", "raises", "runs"] + ["no_code"] * 3
    assert [row["chosen"] for row in found] == [True, False, False] * 3
    records = rows(tmp_path / "v" / "TASKS_TEACHER.jsonl")
    assert [row["id"] for row in records] == list(TASKS) and records[0]["output"] == fenced(RIGHT)
    manifest = json.loads((tmp_path / "v" / "manifest.json").read_text())
    assert manifest["verdicts"] == {
        "truncated": 0, "no_code": 3, "syntax_error": 1, "unchecked": 0, "parses": 0, "runs": 4, "raises": 1,
        "times_out": 0, "infra_error": 0,
    }  # fmt: skip
    assert manifest["isolation"] in ("bubblewrap", "landlock") and manifest["final"]
    assert re.search(r"^runs +4 \(44%\) +2 \(67%\) +20$", done.stdout, re.MULTILINE)
    assert verify(tmp_path / "v") == []


def test_tests_of_the_teacher_choose_the_best(answers: Path, script_main: Command, tmp_path: Path) -> None:
    with serving(Teacher()) as server:
        asked = [
            "--answers",
            answers,
            "--tests",
            "--endpoint",
            server.url,
            "--teacher",
            "t",
            "--price_in",
            1,
            "--price_out",
            1,
        ]
        done = script_main(VERIFY, *asked, "--output_dir", tmp_path / "v")
        assert done.returncode == 0, done.stderr
        assert server.count == 2  # one request a record whose answers define something
        assert script_main(VERIFY, *asked, "--require", "tests", "--output_dir", tmp_path / "w").returncode == 0
        assert server.count == 4
        assert script_main(VERIFY, *asked, "--min_pass_fraction", 0.25, "--output_dir", tmp_path / "w").returncode == 0
        assert server.count == 4
    found = rows(tmp_path / "v" / "answers.jsonl")
    assert [row["tests_passed"] for row in found] == [4, 4, 1, 0, 0, 1, None, None, None]
    assert [row["agreement"] for row in found] == [0.5, 0.5, 0.0, 0.5, 0.5, 0.0, None, None, None]
    assert [row["chosen"] for row in found] == [True, False, False, False, False, True, True, False, False]
    assert [(row["id"], row["tests"], row["reason"]) for row in rows(tmp_path / "v" / "tests.jsonl")] == [
        ("double", 4, ""), ("broken", 4, ""), ("prose", 0, "no answer defines anything in Python"),
    ]  # fmt: skip
    manifest = json.loads((tmp_path / "v" / "manifest.json").read_text())
    assert manifest["tests"]["tokens"] == {"prompt": 14, "completion": 10} and manifest["tests"]["cost"] == 2.4e-5
    costs = {one["filter"]: one["answers"] for one in manifest["filters"]}
    assert costs["tests"] == 2 and costs["pass_fraction >= 0.25"] == 4 and costs["none"] == 9
    rejects = rows(tmp_path / "w" / "rejects.jsonl")
    assert [row["id"] for row in rows(tmp_path / "w" / "TASKS_TEACHER.jsonl")] == ["double", "broken"]
    assert [(row["id"], row["reason"]) for row in rejects] == [
        ("prose", "no answer is kept: no_code, no_code, no_code")
    ]
    assert verify(tmp_path / "v") == [] and verify(tmp_path / "w") == []


def test_all_answers_become_records_with_ids_of_their_own(answers: Path, script_main: Command, tmp_path: Path) -> None:
    done = script_main(
        VERIFY, "--answers", answers, "--choose", "all", "--require", "runs", "--output_dir", tmp_path / "v"
    )
    assert done.returncode == 0, done.stderr
    records = rows(tmp_path / "v" / "TASKS_TEACHER.jsonl")
    assert [row["id"] for row in records] == ["double", "double#2", "double#3", "broken#3"]
    assert verify(tmp_path / "v") == []
    assert script_main(VERIFY, "--answers", tmp_path / "v").returncode == 2  # no folder of answer_seeds.py


def test_what_others_read(answers: Path, script_main: Command, tmp_path: Path) -> None:
    """The records go on through decontamination and the first question."""
    assert script_main(VERIFY, "--answers", answers, "--choose", "all", "--output_dir", tmp_path / "v").returncode == 0
    records = tmp_path / "v" / "TASKS_TEACHER.jsonl"
    done = script_main("seeds/decontaminate.py", "--input_file", records, "--remove", "--output_dir", tmp_path / "d")
    assert done.returncode == 0, done.stderr
    done = script_main("RQ1_complexity/complexity_scorer.py", "--input_file", records, "--scorer", "embedded",
                       "--perplexity_model", "embedded", "--device", "cpu", "--output_dir", tmp_path / "rq")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "rq" / "RQ1_COMPLEXITY_T1_LOWER.jsonl")) == 3


def test_a_folder_that_was_changed_is_refused(answers: Path, script_main: Command, tmp_path: Path) -> None:
    shutil.copytree(answers, tmp_path / "a")
    path = tmp_path / "a" / "answers.jsonl"
    path.write_bytes(path.read_bytes().replace(b"I do not", b"I do now"))
    done = script_main(VERIFY, "--answers", tmp_path / "a")
    assert done.returncode == 2 and "sha256" in done.stderr and done.stderr.count("error:") == 1
    path.write_bytes(b'{"id": 1}\n')
    reseal(tmp_path / "a")
    done = script_main(VERIFY, "--answers", tmp_path / "a")
    assert done.returncode == 2 and "answers.jsonl:1: expected a line" in done.stderr
    done = script_main(VERIFY, "--answers", tmp_path)
    assert done.returncode == 2 and "no such file" in done.stderr


LIES = {
    "a verdict": ("answers.jsonl", b'"verdict":"raises"', b'"verdict":"runs"', "1 raises"),
    "an answer": ("TASKS_TEACHER.jsonl", b"2 * a", b"3 * a", "double: not the text of its answer"),
    "a choice": ("answers.jsonl", b'"chosen":false', b'"chosen":true', "records, expected"),
    "a number": ("answers.jsonl", b'"number":2', b'"number":1', "double: answer 1 after 1"),
}


@pytest.mark.parametrize("what", LIES)
def test_seedkit_verify_knows_the_folder(what: str, answers: Path, script_main: Command, tmp_path: Path) -> None:
    assert script_main(VERIFY, "--answers", answers, "--output_dir", tmp_path / "v").returncode == 0
    name, old, new, words = LIES[what]
    path = tmp_path / "v" / name
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    reseal(tmp_path / "v")
    assert any(words in fault for fault in verify(tmp_path / "v")), verify(tmp_path / "v")


def hostile(folder: Path, programs: list[str]) -> Path:
    """A folder of answers that hold these programs."""
    from inference.chat import ChatAnswer
    from seedkit.manifest import OutputFolder
    from seedkit.records import Record, json_lines, record_line
    from teacher.answer_files import NumberedAnswer

    texts = [f"```python\n{program}\n```\n" for program in programs]
    records = [Record(f"r{n}", f"task {n}", "", text) for n, text in enumerate(texts)]
    answers = [NumberedAnswer(r.id, 1, ChatAnswer(r.output, "stop", 1, 1, 0.0)) for r in records]
    with OutputFolder(folder, "answer_seeds", ("answers.jsonl", "X_TEACHER.jsonl"), sources=[]) as output:
        output.write("answers.jsonl", json_lines(one.row() for one in answers))
        output.write("X_TEACHER.jsonl", map(record_line, records))
        output.finish(
            {
                "source": "X", "input": None, "teacher": {"name": "t"}, "sampling": {},
                "answers": {"file": "answers.jsonl", "records": "X_TEACHER.jsonl", "choose": "first"},
                "counts": {"records": len(records), "answers": len(answers), "chosen": len(records), "left_out": 0},
            }
        )  # fmt: skip
    return folder


def program_of(attack: str) -> str:
    """An attack of the adversary as a program by itself, which raises HOLE where one of its ways led out."""
    program = attack.partition("\n\n\n")[2] + "\nif globals().get('worked'):\n    raise SystemError(f'HOLE {worked}')\n"
    return program.replace("\0", "").encode(errors="replace").decode()


def check_hostile(wanted: list[str] | None, script_command: Command, tmp_path: Path) -> "Counter[str]":
    """Run programs of the adversary; nothing outside changes, and each has a verdict."""
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o777)
    canary = outside / "canary"
    canary.write_text("as it was")
    canary.chmod(0o666)
    world = {
        "CANARY": str(canary), "OUTSIDE": str(outside), "SECRET": "a-secret", "MARK": "escaped", "TCP": "9", "UDP": "9",
        "UNIX": str(outside / "no_socket"), "ABSTRACT": "none", "JUDGE": str(os.getpid()), "ROOT": "0",
    }  # fmt: skip
    chosen = [one for one in attacks() if wanted is None or one.name in wanted]
    programs = [program_of(one.completion(world)) for one in chosen]
    folder = hostile(tmp_path / "a", programs)
    done = script_command(VERIFY, "--answers", folder, "--seconds", 2, "--memory", 384, timeout_s=3000)
    assert done.returncode == 0, done.stderr
    assert canary.read_text() == "as it was" and [path.name for path in outside.iterdir()] == ["canary"]
    found = rows(folder / "verified" / "answers.jsonl")
    assert len(found) == len(programs)
    holes = [row["error"] for row in found if "HOLE" in row["error"]]
    assert holes == []
    return Counter(row["verdict"] for row in found)


def test_hostile_answers_stay_in_the_jail(script_command: Command, tmp_path: Path) -> None:
    with pytest.raises(SystemError, match="HOLE"):  # a way out would be seen
        exec(program_of("def add(x, y):\n\n\nworked = ['a way']\n"), {"worked": ["a way"]})
    some = ["writes_canary", "changes_metadata", "prints_pass", "frames_on_every_fd", "closes_every_fd", "deep_list"]
    assert check_hostile(some, script_command, tmp_path).total() == len(some)


@pytest.mark.heavy
def test_all_hostile_answers_stay_in_the_jail(script_command: Command, tmp_path: Path) -> None:
    found = check_hostile(None, script_command, tmp_path)
    assert found.total() > 250 and found["infra_error"] == 0 and len(found) >= 3


def test_killed_on_the_way_it_goes_on_and_writes_the_same_bytes(script_command: Command, tmp_path: Path) -> None:
    programs = [f"import time\ntime.sleep(0.1)\nx = {n}\n" + ("1 / 0\n" if n % 3 == 0 else "") for n in range(30)]
    folder = hostile(tmp_path / "a", programs)
    assert script_command(VERIFY, "--answers", folder, "--output_dir", tmp_path / "whole").returncode == 0
    command = [sys.executable, ROOT / "Code" / VERIFY, "--answers", folder, "--output_dir", tmp_path / "killed"]
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=offline(),
        start_new_session=True,
    )
    journals = tmp_path / "killed" / ".answers"
    deadline = time.monotonic() + 60
    while not any(len(path.read_bytes().splitlines()) > 8 for path in journals.glob("verdicts-*")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = script_command(VERIFY, "--answers", folder, "--output_dir", tmp_path / "killed")
    assert done.returncode == 0 and "verdicts taken from earlier runs" in done.stderr
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
