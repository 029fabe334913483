"""Several sources in one run: which files, names and folders the flags mean, and that each gets what it would get alone."""

import argparse
import json
from pathlib import Path

import pytest
from seedkit.errors import UsageError
from seedkit.flags import add_input_flags, parser
from seedkit.sources import Job, jobs
from seedkit.verify import verify
from support import ROOT, Command, contents, rows

SAMPLE = ROOT / "Datas" / "sample"
MINILM = ("--embedder", "minilm", "--device", "cpu", "--limit", 6)
SCRIPTS = {
    "RQ1_complexity/complexity_scorer.py": ("--scorer", "embedded", "--device", "cpu", "--limit", 6),
    "RQ2_composition/task_classifier.py": ("--prototypes", "names", *MINILM),
    "RQ2_composition/composition_mixer.py": ("--subset_size", "auto"),
    "RQ3_density/diversity_scorer.py": MINILM,
    "RQ4_breadth/domain_mixer.py": ("--general_file", SAMPLE / "ALPACA.jsonl", "--math_file", SAMPLE / "MATH.jsonl"),
}


def given(*words: str) -> argparse.Namespace:
    add_input_flags(flags := parser(None))
    return flags.parse_args(list(words))


def test_one_file_is_written_to_the_folder_and_several_below_it() -> None:
    assert jobs(given("--input_file", "a/mine.jsonl", "--output_dir", "out"), "RQ1") == [
        Job("MINE", Path("a/mine.jsonl"), Path("out"))
    ]
    assert jobs(given("--input_file", "a/mine.jsonl", "b/other.json", "--output_dir", "out"), "RQ1") == [
        Job("MINE", Path("a/mine.jsonl"), Path("out/MINE")),
        Job("OTHER", Path("b/other.json"), Path("out/OTHER")),
    ]


def test_names_are_those_of_the_flag_of_an_earlier_run_or_of_the_files() -> None:
    files = ["--input_file", "a/x.jsonl", "b/x.jsonl", "--output_dir", "out"]
    named = jobs(given(*files, "--source_name", "ONE", "TWO"), "RQ1")
    assert [(job.source, job.folder) for job in named] == [("ONE", Path("out/ONE")), ("TWO", Path("out/TWO"))]
    recorded = jobs(given(*files), "RQ1", recorded_source=lambda path: {"a": "EVOL"}.get(path.parent.name))
    assert [job.source for job in recorded] == ["EVOL", "X"]
    both = jobs(given("--source_name", "OSS", "EVOL", "--output_dir", "out"), "RQ1", default_input=Path)
    assert [(job.source, job.folder) for job in both] == [("OSS", Path("out/OSS")), ("EVOL", Path("out/EVOL"))]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--input_file a/x.jsonl b/x.jsonl", "two sources are called X; expected different names"),
        ("--input_file a.jsonl b.jsonl --source_name ONE", "1 names for 2 files, expected one for each"),
        ("--input_file a.jsonl --source_name ONE TWO", "2 names for 1 files, expected one for each"),
        ("--source_name EVOL EVOL", "two sources are called EVOL"),
        ("--source_name EVOL OTHER", "--source_name OTHER: expected one of EVOL, OSS, or --input_file with it"),
    ],
)
def test_names_and_files_that_do_not_fit_are_refused(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        jobs(given(*words.split()), "RQ1")


def classified(path: Path) -> Path:
    """The sample of the same name, every other record algorithmic."""
    lines = enumerate(rows(SAMPLE / path.name))
    kinds = ("algorithmic", "practical")
    path.write_text("".join(json.dumps({**row, "task_type": kinds[number % 2]}) + "\n" for number, row in lines))
    return path


@pytest.mark.parametrize("script", SCRIPTS)
def test_two_files_in_one_run_give_the_bytes_of_two_runs(tmp_path: Path, script: str, script_main: Command) -> None:
    files = [classified(tmp_path / "EVOL.jsonl"), classified(tmp_path / "OSS.jsonl")]
    together = script_main(script, "--input_file", *files, "--output_dir", tmp_path / "out", *SCRIPTS[script])
    assert together.returncode == 0, together.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["EVOL", "OSS"]
    assert verify(tmp_path / "out" / "EVOL") == verify(tmp_path / "out" / "OSS") == []
    alone = script_main(script, "--input_file", files[1], "--output_dir", tmp_path / "alone", *SCRIPTS[script])
    assert alone.returncode == 0, alone.stderr
    assert contents(tmp_path / "out" / "OSS") == contents(tmp_path / "alone")
