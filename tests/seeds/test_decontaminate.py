"""Benchmark problems in training records: the parts, and the real command as a user runs it."""

import gzip
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contract import ProblemTexts
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder
from seedkit.verify import verify
from seeds.ngram_index import TOKEN, Grams, Streams, Vocabulary, lowered
from seeds.problem_index import Finding, Index
from seeds.problem_parts import description_of
from seeds.problem_scan import best_findings, leakage_by_benchmark, scan_all
from seeds.problem_texts import installed, read_problems
from support import Command, contents, rows

SCRIPT = "seeds/decontaminate.py"
PROMPT = '''from typing import List


def longest_plateau(heights: List[int], slack: int) -> int:
    """ Walk along a mountain ridge given by its heights and say how many posts the longest stretch has
    in which no two neighbouring posts differ by more than the slack.
    >>> longest_plateau([4, 4, 5, 9, 9, 8, 8, 20], 1)
    4
    >>> longest_plateau([7, 31, 62], 12)
    1
    """
'''
SOLUTION = """    best = run = 1
    for before, here in zip(heights, heights[1:]):
        if abs(here - before) <= slack:
            run += 1
        else:
            run = 1
        best = max(best, run)
    return best
"""
TEXT = "Write a function to find the lamp that is switched most often in the given evening log."
CODE = "def busiest_lamp(evening_log):\r\n  tally = {}\r\n  for lamp in evening_log:\r\n    tally[lamp] = tally.get(lamp, 0) + 1\r\n  return max(tally, key=tally.get)"
RIDGE = {
    "task_id": "HumanEval/900",
    "prompt": PROMPT,
    "entry_point": "longest_plateau",
    "canonical_solution": SOLUTION,
    "test": "",
}
LAMP = {"task_id": 77, "text": TEXT, "code": CODE, "test_list": ["assert busiest_lamp([1, 1, 2]) == 1"]}
OTHER = {
    "task_id": 78,
    "text": "Write a function to fold a paper strip as often as its creases allow.",
    "code": "def fold(s):\n  return s",
    "test_list": [],
}
CLEAN = ("Sort a list of planets by mass.", "planets.sort(key=lambda planet: planet.mass)\nprint(planets)")


def renamed(text: str) -> str:
    names = {
        "longest_plateau": "f7",
        "heights": "readings",
        "slack": "tolerance",
        "best": "top",
        "run": "streak",
        "before": "p",
        "here": "q",
    }
    return re.sub(r"\w+", lambda match: names.get(match[0], match[0]), text)


def benchmark_file(path: Path, *problems: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    return path


def data(path: Path, *pairs: tuple[str, str]) -> Path:
    path.write_text("".join(json.dumps({"instruction": i, "output": o}) + "\n" for i, o in pairs))
    return path


@pytest.fixture
def items(tmp_path: Path) -> list[ProblemTexts]:
    return read_problems([benchmark_file(tmp_path / "items.jsonl", RIDGE, LAMP, OTHER)])


def found(items: list[ProblemTexts], text: str, threshold: float = 0.7) -> list[tuple[str, str]]:
    index = Index(items, threshold)
    return [(items[f.item].name, f.kind) for f in best_findings(index, index.scan([text], [(0,)]).findings)]


def test_tokens_ignore_white_space_quotes_comment_marks_and_case() -> None:
    def tokens(text: str) -> list[str]:
        return TOKEN.findall(lowered(text))

    assert (
        tokens("if  x==1:\n\t# It's “so”")
        == tokens("IF x == 1 -- it s 'so'")
        == ["if", "x", "=", "=", "1", "it", "s", "so"]
    )
    assert tokens('"""Sum of 1.5"""') == tokens("'''sum\nof\n1.5'''")
    assert len(lowered("İx")) == 2  # whose lower case is longer: places in it are places in the text


def test_renamed_stream_knows_where_a_name_was_used_last() -> None:
    vocabulary = Vocabulary()
    streams = Streams.of(["for a in b: a += b", "for x in y: x += y", "for x in y: y += x", "x in y"], vocabulary)
    one, two, three = (
        streams.renamed[start:end].tolist() for start, end in zip(streams.ends[:3], streams.ends[1:4], strict=True)
    )
    assert one == two != three
    assert streams.plain[:8].tolist() != streams.plain[8:16].tolist()
    assert streams.renamed[streams.ends[3]] == streams.renamed[1]  # first used, whatever stands in the text before
    vocabulary.forget(2)
    assert len(vocabulary) == len(vocabulary.name) == 2


def test_n_grams_do_not_reach_over_the_end_of_a_text() -> None:
    streams = Streams.of(["a b c", "", "d e f g"], Vocabulary())
    hashes, valid = streams.grams(3)
    assert valid.tolist() == [True, False, False, True, True]
    places, columns = Grams(hashes[valid]).find(hashes, valid)
    assert places.tolist() == [0, 3, 4] and sorted(columns.tolist()) == [0, 1, 2]
    assert Streams.of(["a"], Vocabulary()).grams(5)[0].tolist() == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PROMPT, "prompt"),
        (re.sub(r"\s+", " \n\t", PROMPT), "prompt"),
        (PROMPT.replace('"""', "'''"), "prompt"),
        (renamed(PROMPT + SOLUTION), "renamed prompt"),
        (SOLUTION, "solution"),
        (renamed(SOLUTION), "renamed solution"),
    ],
    ids=["verbatim", "white space", "quotes", "renamed", "solution", "renamed solution"],
)
def test_a_problem_is_found_in_other_text(items: list[ProblemTexts], text: str, kind: str) -> None:
    before = "A friend asked me for help with the following and I do not know how to begin.\n\n"
    assert found(items, f"{before}{text}\n\nThank you for every hint, and for patience.") == [("HumanEval/900", kind)]


def test_a_problem_of_one_sentence(items: list[ProblemTexts]) -> None:
    assert found(items, f"{TEXT}\nThank you!") == [("MBPP/77", "prompt")]
    assert found(items, f"Please {TEXT.lower().rstrip('.')}, in Rust") == [("MBPP/77", "prompt")]
    assert found(items, CODE.replace("\r\n", "\n\n")) == [("MBPP/77", "solution")]
    for near in (
        "Write a function to find the lamp that is oldest in the given evening log.",
        "Write a function to find the door that is opened most often in the given evening log.",
    ):
        assert found(items, near) == []


def test_pieces_of_problems_are_no_problem(items: list[ProblemTexts]) -> None:
    head, prose = PROMPT.split('"""')[:2]
    assert found(items, f'{head}""" Sum the heights. """\n    return sum(heights)') == []
    assert found(items, f"{' '.join(prose.split()[:14])}\n{SOLUTION[:90]}") == []
    scattered = PROMPT.split()
    random.Random(3).shuffle(scattered)
    assert found(items, " ".join(scattered)) == []
    assert found(items, "\n".join(CLEAN)) == []


def test_what_the_problems_of_a_benchmark_share_does_not_count() -> None:
    frame = (
        "Read the input from the standard input stream and print the answer to the standard output. {} Use fast input."
    )
    items = [
        ProblemTexts("B", str(n), frame.format(f"Count the {w} that glow."))
        for n, w in enumerate(("beetles", "rivers", "towers", "clouds"))
    ]
    assert found(items, frame.format("Count the violins that hum.")) == []
    assert found(items, frame.format("Count the towers that glow.")) == [("2", "prompt")]


def test_threshold_is_what_may_be_missing(items: list[ProblemTexts]) -> None:
    words = PROMPT.split(" ")
    most = " ".join(words[: len(words) * 4 // 5])
    assert found(items, most, 0.6) == [("HumanEval/900", "prompt")]
    assert found(items, most, 0.95) == []
    assert found(items, f"Hi. {PROMPT} Bye.", 1.0) == [("HumanEval/900", "prompt")]
    assert found(items, PROMPT, 0.0) == [("HumanEval/900", "prompt")]


def test_the_place_is_that_of_the_problem(items: list[ProblemTexts]) -> None:
    text = f"İstanbul’s ridge.\n{PROMPT}\nDone."
    (finding,) = Index(items).scan([text], [(0,)]).findings[:1]
    assert finding.overlap == 1.0
    assert text[finding.start : finding.end].startswith("from typing import List")
    assert text[finding.start : finding.end].endswith("1")


def test_indicator_is_the_mean_of_the_best_overlaps() -> None:
    def n_grams(text: str, n: int) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    chance = random.Random(1)

    def text(size: int) -> str:
        return " ".join(chance.choice("red green blue grey".split()) for _ in range(size))

    problems, records = [text(20) for _ in range(6)], [text(30) for _ in range(700)]
    index = Index([ProblemTexts("AB"[n % 2], str(n), problem) for n, problem in enumerate(problems)])
    sets = [[row % 2] if row % 3 else [0, 1] for row in range(700)]
    scan = scan_all(index, records, sets, 2, 1, lambda *_: None)
    for number in (0, 1):
        own = [row for row in range(700) if number in sets[row]]
        lines = {line.benchmark: line for line in leakage_by_benchmark(index, scan, number, own)}
        for n, name in ((4, "indicator_4"), (5, "indicator_5")):
            best = [
                max(len(n_grams(p, n) & n_grams(records[row], n)) for row in own) / len(n_grams(p, n)) for p in problems
            ]
            assert getattr(lines["all"], name) == round(sum(best) / 6, 4)
            assert getattr(lines["B"], name) == round(sum(best[1::2]) / 3, 4)


def test_the_number_of_processes_changes_nothing(items: list[ProblemTexts]) -> None:
    texts = [f"{TEXT} {n}" if n % 500 == 0 else f"Count {n} things of sort {n % 7}." for n in range(5000)]
    index = Index(items)
    one, two = (scan_all(index, texts, [(0,)] * 5000, 1, workers, lambda *_: None) for workers in (1, 2))
    assert one.findings == two.findings
    assert len(one.findings) == 10
    assert all((one.best[n] == two.best[n]).all() for n in (4, 5))


def test_best_finding_of_each_benchmark(items: list[ProblemTexts]) -> None:
    mine = [
        Finding(0, 0, "solution", 1.0, 0, 1),
        Finding(0, 0, "prompt", 1.0, 0, 1),
        Finding(0, 2, "prompt", 0.8, 0, 1),
        Finding(0, 1, "prompt", 0.9, 0, 1),
    ]
    best = best_findings(Index(items), mine)
    assert [(f.item, f.kind) for f in best] == [(0, "prompt"), (1, "prompt")]


def test_benchmarks_are_known_by_their_fields(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    (folder / "more").mkdir(parents=True)
    benchmark_file(folder / "a.jsonl", RIDGE, RIDGE, LAMP)
    (folder / "b.json").write_text(
        json.dumps([{"task_id": 5, "prompt": "Write one.", "code": "x", "test_list": []}], indent=1)
    )
    translated = {
        "name": "HumanEval_900_x",
        "language": "go_test.go",
        "prompt": "// Walk\nfunc x() {",
        "tests": "",
        "test": "",
    }
    python = {"task_id": "Python/9", "prompt": PROMPT, "canonical_solution": SOLUTION, "declaration": "", "test": ""}
    contest = {"question_id": "abc1_a", "question_content": "Add A and B.", "starter_code": ""}
    packed = {
        "id": 1,
        "content": "You are.\n### Question:\nAdd A.\n### Format: x",
        "labels": '{"task_id": "abc/2"}',
        "test": "e",
    }
    benchmark_file(folder / "more" / "c.jsonl", translated, python, contest, packed)
    (folder / "d.jsonl.gz").write_bytes(
        gzip.compress(json.dumps({**RIDGE, "task_id": "HumanEval/1", "prompt": "x"}).encode())
    )
    (folder / "README.md").write_text("not one of them")
    items = read_problems([folder])
    assert [(item.benchmark, item.name) for item in items] == [
        ("HumanEval", "HumanEval/900"),
        ("MBPP", "MBPP/77"),
        ("MBPP-sanitized", "MBPP/5"),
        ("HumanEval", "HumanEval/1"),
        ("MultiPL-E", "go/HumanEval_900_x"),
        ("MultiPL-E", "python/Python/9"),
        ("LiveCodeBench", "abc1_a"),
        ("LiveCodeBench", "abc/2"),
    ]
    assert items[-1].prompt.strip() == "Add A."
    assert description_of(items[0]).split()[:2] == ["Walk", "along"]
    assert ">>>" not in description_of(items[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"task_id": 1}', ":1: expected a problem of HumanEval, MBPP,"),
        ('{"text": 3, "code": "", "test_list": []}', ':1: "text" must be a string, got int'),
        ('{"text": " ", "code": "", "test_list": []}', ":1: expected a problem, got an empty prompt"),
        ("[1]", ":1: expected an object"),
        ('{"text"', ":1: expected one JSON object, got malformed JSON"),
        ('{"content": "x", "labels": "{", "test": ""}', ':1: "labels" must be an object with a task_id'),
        ("", ": the file is empty"),
    ],
)
def test_bad_benchmarks(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=re.escape(f"{path}{message}")):
        read_problems([path])


def test_benchmarks_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl.gz").write_text("no gzip")
    for path, message in (
        ("none.jsonl", "no such file"),
        ("none.jsonl.gz", "no such file"),
        ("broken.jsonl.gz", "expected gzip"),
    ):
        with pytest.raises(InputError, match=message):
            read_problems([tmp_path / path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the folder holds none"):
        read_problems([tmp_path / "empty"])
    assert len(read_problems([installed()])) == 164


def test_every_real_problem_is_found_verbatim(shared_data: Path) -> None:
    # EvalPlus's files are another form of HumanEval and MBPP, which is not read
    read = sorted(path for path in (shared_data / "benchmarks").iterdir() if path.name != "evalplus")
    items = read_problems(read)
    index = Index(items)
    texts = [f"Solve this.\n{item.prompt}\nThank you." for item in items]
    scan = scan_all(index, texts, [(0,)] * len(texts), 1, 1, lambda *_: None)
    own = {(f.row, index.items[f.item].prompt) for f in scan.findings}
    missed = [item.name for row, item in enumerate(items) if (row, item.prompt) not in own]
    assert missed == [] and index.too_short == 0
    assert leakage_by_benchmark(index, scan, 0, range(len(texts)))[0].indicator_4 == 1.0


def test_evidence_table_and_manifest(tmp_path: Path, script_command: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    source = data(tmp_path / "mine.jsonl", CLEAN, (f"Hello.\n{PROMPT}", SOLUTION), (TEXT, "max(log)"), CLEAN)
    command = [SCRIPT, "--input_file", source, "--benchmarks", benchmark]
    out = tmp_path / "out"
    result = script_command(*command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert sorted(contents(out)) == ["evidence.jsonl", "manifest.json"]
    assert verify(out) == []
    evidence = rows(out / "evidence.jsonl")
    assert [list(row) for row in evidence] == [
        ["id", "line", "benchmark", "item", "overlap", "start", "end", "text", "kind"]
    ] * 2
    assert [(row["line"], row["benchmark"], row["item"], row["overlap"], row["kind"]) for row in evidence] == [
        (2, "HumanEval", "HumanEval/900", 1.0, "prompt"),
        (3, "MBPP", "MBPP/77", 1.0, "prompt"),
    ]
    assert f"Hello.\n{PROMPT}"[evidence[0]["start"] : evidence[0]["end"]] == evidence[0]["text"]
    assert "2 of 4 records hold a problem" in result.stdout
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"] == {"records": 4, "flagged": 2, "unreadable": 0}
    assert [(row["benchmark"], row["flagged"], row["indicator_5"]) for row in manifest["leakage"]] == [
        ("all", 2, 1.0),
        ("HumanEval", 1, 1.0),
        ("MBPP", 1, 1.0),
    ]
    script_command(*command, "--output_dir", tmp_path / "again", "--workers", 1)
    assert contents(tmp_path / "again") == contents(out)


def test_nothing_is_removed_unless_asked(tmp_path: Path, script_command: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    source = data(tmp_path / "mine.jsonl", CLEAN, (TEXT, "max(log)"), ("And now the weather.", "Rain."))
    before = source.read_bytes()
    with source.open("a") as file:
        file.write('{"instruction": 5}\n')
    out = tmp_path / "out"
    command = [
        SCRIPT,
        "--input_file",
        source,
        "--benchmarks",
        benchmark,
        "--output_dir",
        out,
        "--on_bad_record",
        "reject",
    ]
    result = script_command(*command, "--remove")
    assert result.returncode == 0, result.stderr
    assert verify(out) == []
    clean = rows(out / "mine_clean.jsonl")
    assert [list(row) for row in clean] == [["id", "instruction", "input", "output"]] * 2
    assert [row["instruction"] for row in clean] == [CLEAN[0], "And now the weather."]
    rejects = rows(out / "rejects.jsonl")
    assert [(row["line"], row["reason"]) for row in rejects][0] == (2, "holds MBPP MBPP/77 (prompt, 1.00)")
    assert rejects[0]["record"]["instruction"] == TEXT
    assert (rejects[1]["line"], len(rejects)) == (4, 2)
    assert source.read_bytes().startswith(before)
    script_command(*command)  # the clean file of the run before is no output of this one
    assert sorted(contents(out)) == ["evidence.jsonl", "manifest.json", "rejects.jsonl"]


def partition(folder: Path, names: dict[str, list[tuple[str, str]]], **described: Any) -> Path:
    folder.mkdir(parents=True)
    lines = {
        name: [
            json.dumps({"id": f"{name}{n}", "instruction": i, "input": "", "output": o}).encode() + b"\n"
            for n, (i, o) in enumerate(pairs)
        ]
        for name, pairs in names.items()
    }
    with OutputFolder(folder, "a_stage", list(lines), sources=[]) as output:
        for name, own in lines.items():
            output.write(name, own)
        output.finish(described)
    return folder


def test_report_over_tertiles_and_mixes(tmp_path: Path, script_command: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", RIDGE, LAMP)
    leaks = (TEXT, "max(log)")
    tertiles = partition(
        tmp_path / "EVOL",
        {"T1.jsonl": [CLEAN], "T2.jsonl": [leaks, CLEAN], "T3.jsonl": [leaks, leaks, CLEAN, CLEAN], "x.jsonl": [leaks]},
        tertiles={"files": ["T1.jsonl", "T2.jsonl", "T3.jsonl"]},
    )
    mixes = partition(
        tmp_path / "MIX",
        {"m.jsonl": [(PROMPT, SOLUTION)], "c.jsonl": [CLEAN]},
        mixes={"files": [{"name": "m.jsonl"}]},
        classified={"file": "c.jsonl"},
    )
    command = [SCRIPT, "--benchmarks", benchmark, "--report", tertiles, mixes]
    out = tmp_path / "out"
    result = script_command(*command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert "5 files of 9 records, 3 of them different" in result.stderr
    lines = rows(out / "leakage.jsonl")
    assert [
        (row["folder"], row["file"], row["records"], row["flagged"], row["leak_rate"])
        for row in lines
        if row["benchmark"] == "all"
    ] == [
        ("EVOL", "T1.jsonl", 1, 0, 0),
        ("EVOL", "T2.jsonl", 2, 1, 0.5),
        ("EVOL", "T3.jsonl", 4, 2, 0.5),
        ("MIX", "m.jsonl", 1, 1, 1),
        ("MIX", "c.jsonl", 1, 0, 0),
    ]
    by = {(row["file"], row["benchmark"]): row for row in lines}
    assert by["T2.jsonl", "MBPP"]["indicator_4"] == by["T2.jsonl", "MBPP"]["indicator_5"] == 1.0
    assert by["m.jsonl", "HumanEval"]["indicator_4"] == 1.0 > by["m.jsonl", "MBPP"]["indicator_4"]
    assert by["m.jsonl", "HumanEval"]["items_found"] == 1
    assert all(name in result.stdout for name in ("T3.jsonl", "50.000%", "HumanEval", "5-grams"))
    assert verify(out) == []
    assert script_command(*command, "--output_dir", tmp_path / "again").stdout == result.stdout
    assert contents(tmp_path / "again") == contents(out)
    assert file_facts(out / "leakage.jsonl").lines == 15


def test_a_benchmark_is_never_written_over(tmp_path: Path, script_command: Command) -> None:
    benchmark = benchmark_file(tmp_path / "evidence.jsonl", LAMP)
    before = benchmark.read_bytes()
    source = data(tmp_path / "a.jsonl", CLEAN)
    result = script_command(SCRIPT, "--input_file", source, "--benchmarks", benchmark, "--output_dir", tmp_path)
    assert result.returncode == 2
    assert "the output would overwrite the input" in result.stderr
    assert benchmark.read_bytes() == before


def test_default_benchmark_is_humaneval(tmp_path: Path, script_command: Command) -> None:
    result = script_command(SCRIPT, "--input_file", data(tmp_path / "a.jsonl", CLEAN), "--output_dir", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "no --benchmarks: taking HumanEval alone" in result.stderr
    assert rows(tmp_path / "out" / "evidence.jsonl") == []
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["leakage"][1]["items"] == 164


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, script_command: Command) -> None:
    benchmark = benchmark_file(tmp_path / "b.jsonl", LAMP)
    source = data(tmp_path / "a.jsonl", CLEAN)
    (tmp_path / "unfinished").mkdir()
    bare = partition(tmp_path / "bare", {"x.jsonl": [CLEAN]})
    tampered = partition(tmp_path / "t", {"x.jsonl": [CLEAN]}, classified={"file": "x.jsonl"})
    (tampered / "x.jsonl").write_bytes(b"")
    (empty := tmp_path / "empty.json").write_text("[]")
    out = tmp_path / "out"
    for arguments, message in (
        (["--benchmarks", tmp_path / "none.jsonl", "--input_file", source], "no such file"),
        (["--benchmarks", source, "--input_file", source], "expected a problem of HumanEval"),
        (["--benchmarks", benchmark, "--input_file", tmp_path / "none.jsonl"], "no such file"),
        (["--benchmarks", benchmark, "--input_file", benchmark], '"instruction" is missing'),
        (["--benchmarks", benchmark, "--threshold", "2", "--input_file", source], "expected a number from 0 to 1"),
        (["--benchmarks", benchmark, "--workers", "0", "--input_file", source], "at least 1"),
        (["--benchmarks", benchmark, "--report", tmp_path / "unfinished"], "the folder is unfinished"),
        (["--benchmarks", empty, "--input_file", source], "expected problems of HumanEval"),
        (["--benchmarks", benchmark, "--report", tampered], "expected a folder as its manifest says"),
        (["--benchmarks", benchmark, "--report", bare, "--on_bad_record", "reject"], "expected no --on_bad_record"),
        (["--benchmarks", benchmark, "--report", bare], "expected tertiles, mixes or classified records"),
        (["--benchmarks", benchmark, "--report", bare, "--remove"], "expected no --remove with it"),
        (["--benchmarks", benchmark, "--report", bare, "--input_file", source], "expected no --input_file with it"),
    ):
        result = script_command(SCRIPT, *arguments, "--output_dir", out)
        assert result.returncode == 2, result.stderr
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not (out / "manifest.json").exists()
