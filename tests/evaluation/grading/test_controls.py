"""Nothing is graded where a reference fails or a wrong program passes."""

from pathlib import Path

from grading_cases import PROBLEMS, grade_flags, right, sample, write
from support import Command

SCRIPT = "evaluation/grade.py"


def test_nothing_is_graded_where_a_control_goes_wrong(tmp_path: Path, script_main: Command) -> None:
    for key, value, said in (
        ("canonical_solution", "    return 5\n", "the reference must pass, got fail"),
        ("test", "def check(candidate):\n    pass\n", "a wrong program must fail, got pass"),
    ):
        problems = write(tmp_path / "problems.jsonl", [PROBLEMS[0], {**PROBLEMS[1], key: value}])
        samples = write(tmp_path / "s.jsonl", [sample(1, right(1))])
        done = script_main(SCRIPT, *grade_flags(samples, problems, tmp_path / "out"))
        assert done.returncode == 1 and said in done.stderr and "HumanEval/1" in done.stderr
        assert not (tmp_path / "out" / "results.jsonl").exists()
