"""Finished folders for reports: made by the real scripts with tiny models, and evaluations of students whose answers are set."""

import contextlib
import io
import json
import runpy
import sys
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from evaluation.generation.steps import SAMPLES
from evaluation.generation.steps import STAGE as GENERATE
from evaluation.grading.settings import GradingSettings
from evaluation.grading.steps import grade
from evaluation.study.students import find
from seedkit.manifest import OutputFolder
from seedkit.records import json_lines
from study_cases import train
from support import ROOT
from training import student_run
from training.losses import LOG, loss_summary

WORDS = ("list", "table", "server", "matrix", "string", "graph", "button", "cipher", "query", "model", "cache", "page")
WRONG = "    return None\n"
HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked=1'>",
    "</svg></style></title></pre><script>window.hacked = 1</script>",
    "[click](javascript:window.hacked=1) {{ 7 * 7 }} {% raw %} ]]> --> &lt;b&gt;",
    "before \u202e\u2066 turned \u2069 and \x00 \x07 \x1b[31m ends",
)
LONG = "long " + "x" * 1_000_000  # a line that no model need read: it is put into a finished folder


def in_process(script: str, *flags: object) -> str:
    """Run a script of Code/ here, without seconds for loading libraries; returns what it wrote to stdout and stderr."""
    said, path = io.StringIO(), str(ROOT / "Code" / script)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        patch.setattr(sys, "argv", [path, *map(str, flags)])
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as stop:
            assert not stop.code, said.getvalue()
    return said.getvalue()


def seeds(path: Path, count: int, more: Sequence[Mapping[str, str]] = ()) -> Path:
    """A file of records that all differ, and `more` of them behind."""
    lines: list[dict[str, str]] = []
    for number in range(count):
        words = " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 3 + number % 7))
        text = f"Write function {number} for a {words}. {'Explain each step. ' * (number % 4)}"
        lines.append(
            {"id": f"r{number}", "instruction": text, "input": "", "output": f"def f{number}():\n    return {number}"}
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *more]), encoding="utf-8")
    return path


def prose(path: Path, kind: str, count: int) -> Path:
    """A file of records of another domain; every tenth holds code."""
    lines = []
    for number in range(count):
        answer = f"The {WORDS[number % len(WORDS)]} of the {kind} question {number} is known since long ago."
        code = f"```python\nprint({number})\n```"
        lines.append(
            {
                "id": f"{kind}{number}",
                "instruction": f"Tell me about {kind} {number}.",
                "output": answer if number % 10 else code,
            }
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def partitions(
    folder: Path, source: Path, models: Mapping[str, Path], name: str = "EVOL", *, mixes: bool = False
) -> dict[str, Path]:
    """RQ1 to RQ4 of a file by the real scripts; `models` are tiny ones by flag. Returns the folders by question.

    With `mixes` RQ2 is by the bundled encoder, whose categories are always the same, and its mixes are made too: the file must
    have ten records of each type.
    """
    given = ["--input_file", source, "--source_name", name, "--device", "cpu"]
    made = {rq: folder / rq / name for rq in ("RQ1", "RQ2", "RQ3", "RQ4")}

    scorer = ["--scorer", "xcoder", "--scoring_model", models["llama"], "--perplexity_model", models["gpt2"]]
    in_process(
        "RQ1_complexity/complexity_scorer.py", *given, *scorer, "--max_failure_rate", 0.5, "--output_dir", made["RQ1"]
    )
    encoder = ["--embedder", "instructor", "--model_name", models["instructor"]]
    kind = ["--embedder", "minilm"] if mixes else encoder
    in_process("RQ2_composition/task_classifier.py", *given, *kind, "--output_dir", made["RQ2"])
    if mixes:
        classified = ["--input_file", made["RQ2"] / "classified.jsonl", "--output_dir", made["RQ2"]]
        in_process("RQ2_composition/composition_mixer.py", *classified, "--subset_size", "auto")
    in_process("RQ3_density/diversity_scorer.py", *given, *encoder, "--output_dir", made["RQ3"])
    domains = [prose(folder / f"{kind}.jsonl", kind, 60) for kind in ("general", "math")]
    mixed = ["--general_file", domains[0], "--math_file", domains[1], "--output_dir", made["RQ4"]]
    in_process("RQ4_breadth/domain_mixer.py", "--input_file", source, "--source_name", name, *mixed)
    return made


def answered(folder: Path, problems: Path, right: Mapping[str, Sequence[int]], limit: int | None = None) -> None:
    """Answers and verdicts of every student below FOLDER/runs, and the tables over them, in FOLDER/evaluations.

    `right` says for each subset how many of the first problems its students know, one number for each seed in turn. What is
    known is the problem's own solution; grading and tables are those of the study.
    """
    references = [json.loads(line) for line in problems.read_text().splitlines()][:limit]
    students, _, _ = find(folder / "runs")
    turn: dict[str, int] = {}
    for student in students:
        known = right[student.subset]
        count = known[turn.get(student.subset, 0) % len(known)]
        turn[student.subset] = turn.get(student.subset, 0) + 1
        target = folder / "evaluations" / student.model / student.name / "humaneval"
        rows: list[dict[str, Any]] = []
        for number, problem in enumerate(references):
            text = problem["canonical_solution"] if number < count else WRONG
            rows.append(
                {"task_id": problem["task_id"], "sample": 0, "completion": text, "raw": text, "finish_reason": "stop"}
            )
        with OutputFolder(target, GENERATE, (SAMPLES,), sources=[]) as output:
            output.write(SAMPLES, json_lines(rows))
            output.finish(
                {
                    "benchmark": "humaneval",
                    "model": {"name": student.name, "revision": student.revision},
                    "prompt": {"form": "base", "template": None},
                    "sampling": {"num_samples": 1, "temperature": 0.0, "top_p": 1.0, "max_new_tokens": 64, "seed": 42},
                    "counts": {"problems": len(rows), "samples": len(rows)},
                    "finish_reasons": {"stop": len(rows), "length": 0},
                }
            )
        grade(GradingSettings(target / SAMPLES, "humaneval", problems, workers=1, limit=limit), target / "grades")


def study(folder: Path, problems: Path, weights: Path) -> tuple[Path, Path]:
    """Nine students of three tertiles and three seeds, and their evaluation: (runs, evaluations)."""
    for tertile in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER"):
        for seed in (1, 2, 3):
            learned(train(folder / "runs", weights, f"RQ1_COMPLEXITY_{tertile}", seed=seed), 4.0 + seed / 10)
    total = len(problems.read_text().splitlines())
    right = {"T1_LOWER": [0, 1, 0], "T2_MIDDLE": [1, 2, 1], "T3_HIGHER": [total, total, total - 1]}
    answered(folder, problems, right)
    tables(folder, problems)
    return folder / "runs", folder / "evaluations"


def learned(folder: Path, loss: float) -> None:
    """Add to a student's folder what a training leaves: a log of five losses, and their summary."""
    log = [{"current_steps": step, "loss": loss / step} for step in range(1, 6)]
    (folder / student_run.MODEL / LOG).write_text("".join(json.dumps(row) + "\n" for row in log))
    facts = {
        "records": {"manifest": 3, "trained": 3}, "tokens": 99, "truncated_records": 1, "steps": 5, "epochs": 1.0,
        "loss": loss_summary(log), "seconds": 2.5, "hardware": {"machine": "x86_64", "cpus": 2, "gpus": []},
    }  # fmt: skip
    student_run.write_json(folder / student_run.RUN, student_run.result(folder) | facts)


def tables(folder: Path, problems: Path, *more: object) -> None:
    """The tables over FOLDER/evaluations, by the real script."""
    named = ["--runs", folder / "runs", "--benchmark", "humaneval", "--benchmark_file", f"humaneval={problems}", *more]
    in_process("evaluation/evaluate_study.py", *named, "--output_dir", folder / "evaluations", "--table_only")


def problem_file(path: Path, count: int = 12) -> Path:
    """Problems in HumanEval's form, of which the first has a hostile text in its solution."""
    rows = []
    for number in range(count):
        more = f"  # {HOSTILE[1]}" if number == 0 else ""
        rows.append(
            {
                "task_id": f"HumanEval/{number}",
                "entry_point": f"times{number}",
                "canonical_solution": f"    return {number + 2} * n{more}\n",
                "prompt": f'def times{number}(n):\n    """Multiply by {number + 2}."""\n',
                "test": f"def check(candidate):\n    assert candidate(3) == {3 * (number + 2)}\n",
            }
        )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class Tables(HTMLParser):
    """The tables of a page by their ids: for each row a dictionary of heading to cell, the exact number where there is one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[dict[str, str]]] = {}
        self._key, self._heads, self._cells = "", [""], [""]
        self._in, self._number = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        own = dict(attributes)
        if tag == "table":
            self._key, self._heads = str(own["aria-labelledby"]).removesuffix("-caption"), []
            self.found[self._key] = []
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th"):
            self._in, self._number = tag, own.get("data-sort") or ""
            (self._cells if tag == "td" else self._heads).append("")

    def handle_data(self, data: str) -> None:
        if self._in:
            (self._cells if self._in == "td" else self._heads)[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in:
            if tag == "td" and self._number:
                self._cells[-1] = self._number
            self._in = ""
        elif tag == "tr" and self._cells:
            self.found[self._key].append(dict(zip(self._heads, self._cells, strict=True)))
