"""evaluate_study.py from trained students to the table; with --heavy the whole way from the bundled sample."""

import contextlib
import csv
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from evaluation import evaluate_study
from evaluation.grading.settings import GradingSettings
from evaluation.grading.steps import grade
from python_problems import PLUS
from seedkit import claims
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder
from seedkit.models import model_revision
from seedkit.verify import verify
from study_cases import finished, tertiles_and_student, train, train_flags
from support import Command, contents, reseal, rows
from training import student_run

SCRIPT = "evaluation/evaluate_study.py"
TERTILES = ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")
LIMIT = 3
INTERVAL = ("humaneval_low", "humaneval_high")
LAST_RELEASE = Path(__file__).parent / "last_release"
Flags = list[object]
# (name, argument, body, tests): problems in HumanEval's form
PROBLEMS = [
    ("double", "n", "return 2 * n", "assert candidate(3) == 6"),
    ("first", "text", "return text[:1]", "assert candidate('abc') == 'a'"),
    ("count", "items", "return len(items)", "assert candidate([1, 2]) == 2"),
    ("negate", "n", "return -n", "assert candidate(4) == -4"),
]


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "HumanEval.jsonl"
    with path.open("w") as file:
        for number, (name, argument, body, test) in enumerate(PROBLEMS):
            row = {
                "task_id": f"HumanEval/{number}",
                "entry_point": name,
                "canonical_solution": f"    {body}\n",
                "prompt": f'def {name}({argument}):\n    """Say what {name} says."""\n',
                "test": f"def check(candidate):\n    {test}\n",
            }
            file.write(json.dumps(row) + "\n")
    return path


def of_a_table(folder: Path, problems: Path) -> Flags:
    """Which table: the flags that --table_only takes."""
    named = ["--runs", folder / "runs", "--benchmark", "humaneval", "--benchmark_file", f"humaneval={problems}"]
    return [*named, "--output_dir", folder / "out"]


def flags(folder: Path, problems: Path) -> Flags:
    asked = ["--limit", LIMIT, "--max_new_tokens", 8, "--device", "cpu", "--workers", 1]
    return [*of_a_table(folder, problems), *asked]


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path, problems: Path) -> tuple[Path, str]:
    """Two students in runs/ and what evaluate_study.py makes of them in out/; and what it said."""
    folder = tmp_path_factory.mktemp("evaluated")
    for tertile in TERTILES[:2]:
        train(folder / "runs", tiny_llama, f"RQ1_COMPLEXITY_{tertile}")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", ["evaluate_study.py", *map(str, flags(folder, problems))])
        evaluate_study.main()
    return folder, said.getvalue()


@pytest.fixture
def runs(tmp_path: Path, evaluated: tuple[Path, str]) -> Path:
    """A copy of the students, and of their evaluation beside them."""
    shutil.copytree(evaluated[0], tmp_path, dirs_exist_ok=True)
    return tmp_path / "runs"


@pytest.fixture
def arguments(tmp_path: Path, runs: Path, problems: Path) -> Flags:
    return flags(tmp_path, problems)


@pytest.fixture
def table_only(tmp_path: Path, runs: Path, problems: Path) -> Flags:
    return [*of_a_table(tmp_path, problems), "--table_only"]


def table(folder: Path, name: str = "study.csv") -> list[dict[str, str]]:
    return list(csv.DictReader((folder / name).read_text().splitlines()))


def without(row: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in names}


def folder_of(tmp_path: Path, tertile: str) -> Path:
    return tmp_path / "out" / "tiny-full" / f"EVOL_RQ1_COMPLEXITY_{tertile}_seed42" / "humaneval"


def with_references(folder: Path, problems: Path, right: int) -> None:
    """As if the student had known the first so many answers, graded again by hand."""
    answers = {row["task_id"]: row["canonical_solution"] for row in rows(problems)}
    samples = rows(folder / "samples.jsonl")
    for row in samples[:right]:
        row["completion"] = answers[row["task_id"]]
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples))
    reseal(folder)
    settings = GradingSettings(folder / "samples.jsonl", "humaneval", problems, workers=1, limit=LIMIT)
    grade(settings, folder / "grades")


def test_from_students_to_the_table(
    tmp_path: Path,
    evaluated: tuple[Path, str],
    problems: Path,
    arguments: Flags,
    table_only: Flags,
    script_main: Command,
) -> None:
    said, out = evaluated[1], tmp_path / "out"
    assert "All zero: no student solved any problem of HumanEval that it was given; its pass@1 tells" in said
    assert "HumanEval: instruct form, temperature 0, at most 8 tokens, samples a problem: 1." in said
    assert "| tiny-full | RQ1 | EVOL | T1_LOWER | 1 | 0.0 over 3 of 4 problems |  | 0.0 to 56.1 |" in said
    for tertile in TERTILES[:2]:
        assert verify(folder_of(tmp_path, tertile)) == verify(folder_of(tmp_path, tertile) / "grades") == []
    assert verify(out) == []
    first = contents(out)
    assert said == first["study.md"].decode()
    assert [row["humaneval_pass@1"] for row in table(out)] == ["0", "0"]
    (pair,) = table(out, "comparisons.csv")
    assert [pair[what] for what in ("difference_points", "p", "repeats_first", "problems", "of")] == ["0", "", *"134"]
    assert "two subsets and their seeds cannot be told apart: such a difference has no interval and no p." in said
    assert str(evaluated[0]) not in b"".join(first.values()).decode()

    again = script_main(SCRIPT, *arguments)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("3 answers taken from earlier runs") == 2
    assert again.stderr.count("3 verdicts taken from earlier runs") == 2
    assert script_main(SCRIPT, *table_only).stdout == again.stdout == said
    assert contents(out) == first

    with_references(folder_of(tmp_path, "T2_MIDDLE"), problems, 3)
    solved = script_main(SCRIPT, *table_only)
    assert solved.returncode == 0, solved.stderr
    assert [row["humaneval_pass@1"] for row in table(out)] == ["0", "1"]
    (pair,) = table(out, "comparisons.csv")
    assert (pair["difference_points"], pair["p"]) == ("100", "")  # one repeat each
    assert "All zero" not in solved.stdout

    # what was done by hand is not what the student says
    restored = script_main(SCRIPT, *arguments)
    assert restored.returncode == 0, restored.stderr
    assert contents(out) == first


def test_both_figures_of_humaneval_plus_in_one_run(
    tmp_path: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch, script_main: Command
) -> None:
    """One generation and one grading; the table has pass@1 on all tests, and on the base tests beside it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    train(tmp_path / "runs", tiny_llama, f"RQ1_COMPLEXITY_{TERTILES[0]}")
    path = tmp_path / "plus.jsonl"
    path.write_text("".join(json.dumps({**PLUS, "task_id": f"HumanEval/{number}"}) + "\n" for number in range(4)))
    flags = ["--runs", tmp_path / "runs", "--benchmark", "humaneval-plus", "--benchmark_file", f"humaneval-plus={path}"]
    flags += ["--output_dir", tmp_path / "out"]
    asked = ["--max_new_tokens", 8, "--device", "cpu", "--workers", 1]
    done = script_main(SCRIPT, *flags, *asked)
    assert done.returncode == 0, done.stderr
    folder = folder_of(tmp_path, TERTILES[0]).with_name("humaneval-plus")
    assert [one.name for one in folder.parent.iterdir()] == ["humaneval-plus"]
    samples = rows(folder / "samples.jsonl")
    for row, body in zip(
        samples, ("    return a + b\n", "    return a + b if a else 7\n", "    return 0\n"), strict=False
    ):
        row["completion"] = body
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples))
    reseal(folder)
    grade(GradingSettings(folder / "samples.jsonl", "humaneval-plus", path, workers=1), folder / "grades")
    done = script_main(SCRIPT, *flags, "--table_only")
    assert done.returncode == 0, done.stderr
    (line,) = table(tmp_path / "out")
    assert (line["humaneval-plus_pass@1"], line["humaneval-plus_base_pass@1"]) == ("0.25", "0.5")
    assert "HumanEval+: instruct form" in done.stdout and "| humaneval-plus base |" in done.stdout


def test_unfinished_students_are_left_out(tmp_path: Path, runs: Path, arguments: Flags, script_main: Command) -> None:
    unfinished = runs / "tiny-full" / "EVOL_RQ1_COMPLEXITY_T3_HIGHER_seed42"
    unfinished.mkdir()
    student_run.write_json(unfinished / student_run.PLAN, {"format": 1})
    done = script_main(SCRIPT, *arguments)
    assert done.returncode == 0, done.stderr
    assert f"unfinished, left out: tiny-full/{unfinished.name}\n" in done.stderr
    assert f"Not or not wholly in the table, unfinished: tiny-full/{unfinished.name}." in done.stdout
    assert len(table(tmp_path / "out")) == 2


def test_another_model_or_setting_is_asked_anew(
    tmp_path: Path, runs: Path, tiny_llama: Path, arguments: Flags, table_only: Flags, script_main: Command
) -> None:
    one = runs / "tiny-full" / "EVOL_RQ1_COMPLEXITY_T1_LOWER_seed42"
    shutil.rmtree(one)
    changed = tmp_path / "changed"
    shutil.copytree(tiny_llama, changed)
    (changed / "note.txt").write_text("another revision")
    train(runs, changed, "RQ1_COMPLEXITY_T1_LOWER")
    stale = script_main(SCRIPT, *table_only)
    assert stale.returncode == 1
    assert f"tiny-full/{one.name}: FAILED: " in stale.stderr and "answers of another model" in stale.stderr
    assert [row["subset"] for row in table(tmp_path / "out")] == ["T2_MIDDLE"]
    again = script_main(SCRIPT, *arguments)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("3 answers taken from earlier runs") == 1

    longer = [*arguments, "--max_new_tokens", 9]
    alone = script_main(SCRIPT, *longer, "--runs", one)
    assert alone.returncode == 0, alone.stderr
    assert "answers taken" not in alone.stderr
    mixed = script_main(SCRIPT, *table_only)
    assert mixed.returncode == 2
    assert "max_new_tokens is 8, with EVOL_RQ1_COMPLEXITY_T1_LOWER_seed42 it was 9" in mixed.stderr.splitlines()[-1]


def test_a_plan_from_its_file_to_the_table(
    tmp_path: Path, tiny_llama: Path, runs: Path, problems: Path, table_only: Flags, script_main: Command
) -> None:
    """Students of two seeds, those of one trained under the plan: their contrast is exploratory until all were."""
    plan = tmp_path / "study_plan.yaml"
    contrast = {"rq": "RQ1", "source": "EVOL", "first": "T1_LOWER", "second": "T2_MIDDLE"}
    plan.write_text(
        json.dumps(
            {
                "format": 1,
                "students": ["tiny-full"],
                "seeds": [42],
                "benchmarks": ["humaneval"],
                "margin_points": 5,
                "controls": [],
                "contrasts": [contrast],
            }
        )
    )
    before = script_main(SCRIPT, *table_only, "--plan", plan)
    assert before.returncode == 0, before.stderr
    assert (
        "Planned, but exploratory because not all students were trained under this very plan: tiny-full RQ1"
        in before.stdout
    )
    (pair,) = table(tmp_path / "out", "comparisons.csv")
    assert (pair["role"], pair["verdict"]) == ("exploratory", "")
    for document in runs.rglob("run.json"):
        run = json.loads(document.read_text())
        run["plan"]["study_plan"] = {"file": plan.name, "sha256": file_facts(plan).sha256}
        run |= {"tokens": 900, "steps": 3 if "T1" in run["run"] else 4, "truncated_records": 0}
        student_run.write_json(document, run)
    done = script_main(SCRIPT, *table_only, "--plan", plan)
    assert done.returncode == 0, done.stderr
    (pair,) = table(tmp_path / "out", "comparisons.csv")
    assert (pair["role"], pair["verdict"]) == ("primary", "undecided")  # one repeat each
    assert (
        "## Primary contrasts" in done.stdout
        and "1 primary contrasts on 1 benchmarks with 1 students, 1 tests" in done.stdout
    )
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["plan"]["sha256"] == file_facts(plan).sha256
    # what the students were trained on, and what became of their answers
    assert [row["trained_steps"] for row in table(tmp_path / "out")] == ["3", "4"]
    assert "tiny-full RQ1 EVOL: trained on different numbers of steps (3 of T1_LOWER to 4 of T2_MIDDLE)." in done.stdout
    counts = table(tmp_path / "out", "verdicts.csv")
    assert [(row["samples"], row["cut"], row["infra_error"]) for row in counts] == [("3", "3", "0")] * 2
    assert "| tiny-full | RQ1 | EVOL | T1_LOWER | humaneval | 3 | 100.0 |" in done.stdout

    # HumanEval/1 is in the data of a student: scores without it, from a folder as decontaminate.py --report leaves it
    with OutputFolder(tmp_path / "leakage", "decontamination_report", ["leakage.jsonl"], sources=[]) as folder:
        row = {"file": "T1.jsonl", "benchmark": "all", "records": 3, "flagged": 1, "indicator_5": 0.4}
        row |= {"interval_5": [0.3, 0.5], "found": ["HumanEval/1"]}
        folder.write("leakage.jsonl", [json.dumps(row).encode() + b"\n"])
        folder.finish({"inputs": [{"file": "T1.jsonl", "sha256": "0" * 64}]})
    with_references(folder_of(tmp_path, "T2_MIDDLE"), problems, 2)
    clean = script_main(SCRIPT, *table_only, "--plan", plan, "--leakage", tmp_path / "leakage")
    assert clean.returncode == 0, clean.stderr
    assert "Without the 1 problem that a record of some student's data holds:" in clean.stdout
    assert "| tiny-full | RQ1 | EVOL | T2_MIDDLE | humaneval | 66.7 | 50.0 | 2 |" in clean.stdout
    assert table(tmp_path / "out")[1]["humaneval_pass@1_without_leaked"] == "0.5"
    assert table(tmp_path / "out", "comparisons.csv")[0]["difference_without_leaked"] == "50"
    none = script_main(SCRIPT, *table_only, "--leakage", folder_of(tmp_path, "T1_LOWER"))
    assert none.returncode == 2 and "expected leakage.jsonl of decontaminate.py --report" in none.stderr

    plan.write_text(plan.read_text().replace('"margin_points": 5', '"margin_points": 0'))
    wrong = script_main(SCRIPT, *table_only, "--plan", plan)
    assert wrong.returncode == 2
    assert wrong.stderr == f"error: {plan}: margin_points: expected a number above 0 and below 100, got 0\n"


def test_a_student_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, runs: Path, tiny_llama: Path, arguments: Flags, script_main: Command
) -> None:
    weights = runs / "tiny-full" / "EVOL_RQ1_COMPLEXITY_T1_LOWER_seed42" / "model" / "model.safetensors"
    broken = bytearray(weights.read_bytes())
    broken[-1] ^= 1
    weights.write_bytes(broken)
    short = train(runs, tiny_llama, "RQ1_COMPLEXITY_T3_HIGHER")
    (short / "model" / "model.safetensors").write_bytes(b"")
    (train(runs, tiny_llama, "OTHER") / "run.json").write_text("{")
    done = script_main(SCRIPT, *arguments)
    assert done.returncode == 1
    names = [
        f"tiny-full/EVOL_{name}_seed42" for name in ("OTHER", "RQ1_COMPLEXITY_T3_HIGHER", "RQ1_COMPLEXITY_T1_LOWER")
    ]
    failures = [line for line in done.stderr.splitlines() if "FAILED: " in line]
    assert len(failures) == 3
    for line, reason in zip(failures, ("cannot be read", "bytes, got 0", "its files have changed"), strict=True):
        assert reason in line
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: 3 of 4 students are not evaluated: {', '.join(names)}; what is finished is kept")
    assert [row["subset"] for row in table(tmp_path / "out")] == ["T2_MIDDLE"]
    assert table(tmp_path / "out", "comparisons.csv") == []
    assert f"Not or not wholly in the table, failed: {', '.join(names)}." in done.stdout


def test_what_is_not_final_is_marked_and_exit_code_3(
    tmp_path: Path, arguments: Flags, table_only: Flags, script_main: Command
) -> None:
    grades = folder_of(tmp_path, "T1_LOWER") / "grades"
    results, summary = rows(grades / "results.jsonl"), json.loads((grades / "summary.json").read_text())
    results[0]["verdict"], summary["final"], summary["isolated"] = "infra_error", False, False
    (grades / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in results))
    (grades / "summary.json").write_text(json.dumps(summary))
    reseal(grades)
    done = script_main(SCRIPT, *table_only)
    assert done.returncode == 3
    assert "| 0.0 over 2 of 4 problems, not final |" in done.stdout
    assert "Not final: " in done.stdout and "WITHOUT ISOLATION" in done.stdout
    low, middle = table(tmp_path / "out")
    marks = ("humaneval_final", "humaneval_isolated", "humaneval_problems")
    assert [low[mark] for mark in marks] == ["no", "no", "2"]
    assert [middle[mark] for mark in marks] == ["yes", "yes", "3"]
    assert table(tmp_path / "out", "comparisons.csv")[0]["problems"] == "2"
    # run again, it is judged: nothing but the verdict is asked for
    again = script_main(SCRIPT, *arguments)
    assert again.returncode == 0, again.stderr
    assert "not final" not in again.stdout


def test_a_table_of_what_is_there(
    tmp_path: Path, runs: Path, tiny_llama: Path, arguments: Flags, table_only: Flags, script_main: Command
) -> None:
    nothing = script_main(SCRIPT, *table_only, "--output_dir", tmp_path / "none")
    assert nothing.returncode == 2
    assert "expected students that are generated and graded, got none" in nothing.stderr.splitlines()[-1]
    late = train(runs, tiny_llama, "RQ1_COMPLEXITY_T3_HIGHER", rate=0.5)
    done = script_main(SCRIPT, *table_only)
    assert done.returncode == 0, done.stderr
    assert f"not evaluated, left out: tiny-full/{late.name} on humaneval\n" in done.stderr
    assert len(table(tmp_path / "out")) == 2
    assert "trained with different" not in done.stdout
    whole = script_main(SCRIPT, *arguments)
    assert whole.returncode == 0, whole.stderr
    assert (
        "tiny-full RQ1 EVOL: trained with different learning_rate: differences between these students may come of that."
        in whole.stdout
    )
    (folder_of(tmp_path, "T3_HIGHER") / "samples.jsonl").write_text("{}\n")
    spoilt = script_main(SCRIPT, *table_only)
    assert spoilt.returncode == 1
    assert "the manifest says" in spoilt.stderr
    assert len(table(tmp_path / "out")) == 2


def test_shares_evaluate_every_student_once(
    tmp_path: Path,
    evaluated: tuple[Path, str],
    arguments: Flags,
    table_only: Flags,
    script_main: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.1)
    out = tmp_path / "out"
    shutil.rmtree(out)
    first, second = ("tiny-full@EVOL_RQ1_COMPLEXITY_" + tertile + "_seed42" for tertile in TERTILES[:2])
    with claims.take(out / ".claims", second) or pytest.fail("nobody has it"):
        done = script_main(SCRIPT, *arguments, "--share", "2/2")
    assert done.returncode == 0, done.stderr
    assert f"in other hands: {second}" in done.stderr
    assert folder_of(tmp_path, "T1_LOWER").exists() and not folder_of(tmp_path, "T2_MIDDLE").exists()
    assert not (out / "study.csv").exists()
    rest = script_main(SCRIPT, *arguments, "--share", "1/2")
    assert rest.returncode == 0, rest.stderr
    assert rest.stderr.count("3 answers taken from earlier runs") == 1
    assert [path.name for path in sorted((out / ".claims").iterdir())] == [
        *(f"{first}.{number}" for number in (1, 2)),
        *(f"{second}.{number}" for number in (1, 2)),
    ]
    assert script_main(SCRIPT, *table_only).stdout == evaluated[1]
    assert verify(out) == []


def test_refusals_are_one_line_and_exit_code_2(
    tmp_path: Path, runs: Path, problems: Path, tiny_llama: Path, arguments: Flags, script_main: Command
) -> None:
    twice, unfinished = tmp_path / "twice", tmp_path / "unfinished" / "tiny-full" / "x"
    for part in ("a", "b"):
        shutil.copytree(runs, twice / part)
    unfinished.mkdir(parents=True)
    student_run.write_json(unfinished / student_run.PLAN, {"format": 1})
    for changed, message in (
        (["--runs", tmp_path / "none"], "expected a folder of students, got none"),
        (["--runs", problems], "expected a folder of students, got a file"),
        (["--runs", problems.parent], "expected finished students of train.py, got none"),
        (["--runs", tmp_path / "unfinished"], "expected finished students of train.py, got tiny-full/x, unfinished"),
        (["--runs", twice], "evaluate these one by one"),
        (["--benchmark", "chess"], "--benchmark_file humaneval: expected one of --benchmark chess"),
        (["--benchmark", "humaneval", "chess"], "--benchmark chess: expected one of humaneval, humaneval-plus, mbpp"),
        (["--benchmark_file", "humaneval"], "expected BENCHMARK=FILE, got 'humaneval'"),
        (["--benchmark_file", f"humaneval={tmp_path / 'none'}"], str(tmp_path / "none")),
        (["--temperature", "-1"], "--temperature -1.0: expected a number from 0"),
        (["--num_samples", "2"], "--num_samples 2 with --temperature 0"),
        (["--output_dir", problems], "expected a folder to write to, got a file"),
    ):
        done = script_main(SCRIPT, *arguments, *changed)
        assert done.returncode == 2, (changed, done.stderr)
        assert message in done.stderr.splitlines()[-1], done.stderr
        assert "Traceback" not in done.stderr and "usage" not in done.stderr


@pytest.mark.parametrize(
    "ignored",
    [
        ["--limit", 3],
        ["--temperature", 0],  # the default too: it would not be what the table is of
        ["--num_samples", 4, "--temperature", 0.8, "--seed", 42],
        ["--device", "cpu", "--no-resume"],
        ["--workers", 1, "--k", 1, "--unsafe_no_isolation"],
        ["--all_tests"],
    ],
    ids=str,
)
def test_flags_that_a_table_ignores_are_refused_by_name(
    ignored: Flags, table_only: Flags, script_main: Command
) -> None:
    done = script_main(SCRIPT, *table_only, *ignored)
    assert done.returncode == 2
    named = [str(word).replace("no-resume", "resume") for word in ignored if str(word).startswith("--")]
    said, got = done.stderr.removesuffix("\n").split(", got ")
    assert said == "error: --table_only: expected no flags of asking and judging with it"
    assert sorted(got.split(", ")) == sorted(named)


def test_more_than_the_samples_asked_for_is_refused(arguments: Flags, script_main: Command) -> None:
    done = script_main(SCRIPT, *arguments, "--k", 1, 10)
    assert done.returncode == 2
    assert done.stderr == "error: --k 10: expected at most --num_samples, got 1\n"


def test_the_untrained_base_model_is_a_row_of_the_table(
    tmp_path: Path, tiny_llama: Path, problems: Path, script_main: Command
) -> None:
    base = ("llama", model_revision(str(tiny_llama)))
    for tertile in TERTILES[:2]:
        folder = train(tmp_path / "runs", tiny_llama, f"RQ1_COMPLEXITY_{tertile}", base=base)
        lines = student_run.yaml_lines({"stage": "sft", "model_name_or_path": str(tiny_llama)})  # as train.py does
        (folder / student_run.YAML).write_text("".join(lines))
    done = script_main(SCRIPT, *flags(tmp_path, problems), "--base")
    assert done.returncode == 0, done.stderr
    first, *others = table(tmp_path / "out")
    assert [first[name] for name in ("student", "rq", "source", "subset")] == ["llama", "", "", "untrained"]
    assert [row["subset"] for row in others] == ["T1_LOWER", "T2_MIDDLE"]
    assert [first[f"humaneval_{name}"] for name in ("repeats", "pass@1", "problems", "of")] == ["1", "0", "3", "4"]
    assert "llama: the base model as it was before training, asked in the base form." in done.stdout
    folder = tmp_path / "out" / "llama" / "untrained" / "humaneval"
    assert verify(folder) == verify(folder / "grades") == []
    assert json.loads((folder / "manifest.json").read_text())["model"]["revision"] == base[1]
    assert len(table(tmp_path / "out", "comparisons.csv")) == 1  # of the students with each other
    assert "All zero: no student solved any problem" in done.stdout
    # a base model that solves something does not make up for students that solve nothing
    with_references(folder, problems, 2)
    shown = [*of_a_table(tmp_path, problems), "--base", tiny_llama, "--table_only"]
    again = script_main(SCRIPT, *shown)
    assert again.returncode == 0, again.stderr
    assert table(tmp_path / "out")[0]["humaneval_pass@1"] == "0.666667"
    assert "All zero: no student solved any problem" in again.stdout
    without_it = script_main(SCRIPT, *shown[:-3], "--table_only")
    assert without_it.returncode == 0 and len(table(tmp_path / "out")) == 2


def test_a_base_model_that_is_none_of_the_students(
    tmp_path: Path, tiny_llama: Path, arguments: Flags, script_main: Command
) -> None:
    nameless = script_main(SCRIPT, *arguments, "--base")
    assert nameless.returncode == 2
    expected = "--base: expected --base FOLDER, students were trained from the folder tiny, got no name"
    assert nameless.stderr == f"error: {expected}\n"
    other = script_main(SCRIPT, *arguments, "--base", tiny_llama)
    assert other.returncode == 2
    assert f"--base {tiny_llama}: expected what students were trained from, tiny sha256:0, got sha256:" in other.stderr


def test_an_evaluation_of_the_last_release_is_read(tmp_path: Path, script_main: Command) -> None:
    shutil.copytree(LAST_RELEASE / "evaluations", tmp_path / "out")
    shutil.copytree(LAST_RELEASE / "students", tmp_path / "runs")
    for document in (tmp_path / "runs").rglob("run.json"):
        (document.parent / "model").mkdir()
        for name, size in json.loads(document.read_text())["model"]["files"].items():
            (document.parent / "model" / name).touch()
            os.truncate(document.parent / "model" / name, size)  # its bytes are not read
    folders = [path.parent for path in (tmp_path / "out").rglob("manifest.json")]
    assert len(folders) == 1 + 2 * 2
    assert [fault for folder in folders for fault in verify(folder)] == []
    earlier = contents(tmp_path / "out")
    assert b'"rung":' in (folder_of(tmp_path, "T1_LOWER") / "grades" / "results.jsonl").read_bytes()
    done = script_main(SCRIPT, *of_a_table(tmp_path, LAST_RELEASE / "HumanEval.jsonl"), "--table_only")
    assert done.returncode == 0, done.stderr
    now = contents(tmp_path / "out")
    assert done.stdout.encode() == now["study.md"]
    tested = ("low", "high", "p_mcnemar", "p", "p_holm", "df", "run_effect_points", "repeats_first", "repeats_second")
    for name, figures in (("study.csv", (*INTERVAL, "average_low", "average_high")), ("comparisons.csv", tested)):
        before = list(csv.DictReader(earlier[name].decode().splitlines()))
        after = table(tmp_path / "out", name)
        # what there was stands where it stood, and what is new at the end
        new = set(after[0]) - set(before[0]) - set(figures)
        assert [key for key in after[0] if key in new] == list(after[0])[-len(new) :]
        # that release had a bootstrap's intervals, for which 0 of 3 was certain, and a test that one repeat each cannot have
        assert [without(row, (*figures, *new)) for row in after] == [without(row, figures) for row in before]
    assert [after[0][name] for name in tested if name in after[0]] == ["", "", "", "", "", "", "1", "1"]
    assert "Tables of earlier releases had McNemar's test" in done.stdout
    assert "No plan (--plan): every comparison is exploratory." in done.stdout and table(
        tmp_path / "out", "verdicts.csv"
    )
    assert [row["humaneval_high"] for row in table(tmp_path / "out")] == ["0.561497", "0.938508"]


def test_help_is_quick(script_command: Command) -> None:
    done = script_command(SCRIPT, "--help", timeout_s=20)
    assert done.returncode == 0
    assert "--table_only" in done.stdout


# What follows trains for real.


@pytest.mark.heavy
def test_from_the_sample_to_the_table(tmp_path: Path, shared_data: Path, trainer_environment: str) -> None:
    """Sample, tertiles, students, answers, verdicts, table: every step is the real one."""
    flags = train_flags(tertiles_and_student(tmp_path), trainer_environment, tmp_path / "runs", "--max_steps", 8)
    finished("training/train.py", *flags, "--learning_rate", "3e-3", "--seed", 42, 43)
    files = {
        "humaneval": shared_data / "benchmarks" / "HumanEval.jsonl",
        "mbpp": shared_data / "benchmarks" / "sanitized-mbpp.json",
    }
    parts: Flags = [
        "--runs",
        tmp_path / "runs",
        "--benchmark",
        *files,
        "--benchmark_file",
        *(f"{name}={path}" for name, path in files.items()),
        "--limit",
        4,
        "--max_new_tokens",
        48,
        "--device",
        "cpu",
        "--output_dir",
        tmp_path / "evaluations",
    ]
    done = finished(SCRIPT, *parts)
    found = table(tmp_path / "evaluations")
    assert [(row["rq"], row["source"], row["subset"]) for row in found] == [
        ("RQ1", "EVOL", tertile) for tertile in TERTILES
    ]
    sizes = {"humaneval": "164", "mbpp": "427"}
    for row in found:
        for name, size in sizes.items():
            shown = [row[f"{name}_{what}"] for what in ("repeats", "pass@1", "sd", "problems", "of", "final")]
            assert shown == ["2", "0", "0", "4", size, "yes"]
    pairs = table(tmp_path / "evaluations", "comparisons.csv")
    assert len(pairs) == 6
    assert {(pair["difference_points"], pair["p"], pair["p_holm"]) for pair in pairs} == {("0", "1", "1")}
    for name in ("HumanEval", "MBPP sanitized"):
        assert f"no student solved any problem of {name} that it was given; its pass@1 tells nothing" in done.stdout
    folders = [path.parent for path in (tmp_path / "evaluations").rglob("manifest.json")]
    assert len(folders) == 1 + 3 * 2 * 2 * 2
    assert [fault for folder in folders for fault in verify(folder)] == []
    before: dict[str, Any] = {name: file_facts(tmp_path / "evaluations" / name) for name in ("study.csv", "study.md")}
    again = finished(SCRIPT, *parts)
    assert again.stderr.count("4 answers taken from earlier runs") == again.stderr.count("4 verdicts taken") == 12
    assert before == {name: file_facts(tmp_path / "evaluations" / name) for name in before}
