"""Finished folders of every kind, made once, and the page of all of them."""

import json
from pathlib import Path

import pytest
import report_cases
from support import ROOT, reseal, rows

SAMPLE = ROOT / "Datas" / "sample" / "EVOL.jsonl"


@pytest.fixture(scope="session")
def partition_folders(
    tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path, tiny_gpt2: Path, tiny_instructor: Path
) -> dict[str, Path]:
    """RQ1 to RQ4 of the bundled sample with some hostile records behind it."""
    folder = tmp_path_factory.mktemp("partitions")
    hostile = [
        {"id": f"h{n}", "instruction": text, "input": "", "output": text} for n, text in enumerate(report_cases.HOSTILE)
    ]
    source = folder / "EVOL.jsonl"
    sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    source.write_text("".join(json.dumps(row) + "\n" for row in [*sample, *hostile]))
    models = {"llama": tiny_llama, "gpt2": tiny_gpt2, "instructor": tiny_instructor}
    made = report_cases.partitions(folder, source, models, mixes=True)
    with_long_text(made["RQ1"])
    return made


def with_long_text(folder: Path) -> None:
    """Let the easiest record of the lower tertile have a line of a megabyte, as if it had been there from the start."""
    scored = [row for row in rows(folder / "complexity_scores.jsonl") if row["tertile"] == 1]
    easiest = min(scored, key=lambda row: float(row["complexity"]))["id"]
    path = folder / "RQ1_COMPLEXITY_T1_LOWER.jsonl"
    records = [row | ({"instruction": report_cases.LONG} if row["id"] == easiest else {}) for row in rows(path)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in records))
    reseal(folder)


@pytest.fixture(scope="session")
def study_folders(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> tuple[Path, Path]:
    """Runs, and evaluations of them."""
    folder = tmp_path_factory.mktemp("study")
    return report_cases.study(folder, report_cases.problem_file(folder / "problems.jsonl"), tiny_llama)


@pytest.fixture(scope="session")
def report_page(
    tmp_path_factory: pytest.TempPathFactory, partition_folders: dict[str, Path], study_folders: tuple[Path, Path]
) -> Path:
    """The page of all these folders."""
    page = tmp_path_factory.mktemp("page") / "report.html"
    report_cases.in_process("report/report.py", *partition_folders.values(), *study_folders, "--output", page)
    return page
