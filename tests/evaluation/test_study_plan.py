"""study_plan.py: from finished folders to a plan that train.py and evaluate_study.py take."""

from pathlib import Path

import pytest
from evaluation.study_plan_steps import proposed
from seedkit.manifest import OutputFolder
from support import Command
from training.study_plan import Contrast, read_plan

SCRIPT = "evaluation/study_plan.py"
FILES = {
    "RQ1": [f"RQ1_COMPLEXITY_{tertile}" for tertile in ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")],
    "RQ2": [f"RQ2_COMPOSITION_ALG_{share}_PRAC_{100 - share}_repeat{n}" for share in (0, 50, 100) for n in (1, 2)],
    "baselines": ["BASELINE_LONGEST", *(f"BASELINE_RANDOM_random_sample_{n}" for n in (1, 2))],
    "RQ4": ["RQ4_BREADTH_CODE_100", *(f"RQ4_BREADTH_CODE_90_{domain}_10_random_sample_1" for domain in ("GENERAL", "MATH"))],
}  # fmt: skip


@pytest.fixture
def arguments(tmp_path: Path) -> list[object]:
    folders = []
    for rq, names in FILES.items():
        folders.append(tmp_path / "Datas" / rq / "EVOL")
        files = [f"{name}.jsonl" for name in names]
        with OutputFolder(folders[-1], rq, [*files, "scores.jsonl"], sources=[]) as output:
            for name in (*files, "scores.jsonl"):
                output.write(name, [b"{}\n"])
            output.finish({"source": "EVOL"})
    named = ["--student", "qwen2.5-coder-1.5b", "--benchmark", "humaneval", "mbpp", "--control", "EVOL"]
    return ["--partitions", *folders, *named, "--output_file", tmp_path / "study_plan.yaml"]


def test_from_folders_to_a_plan(tmp_path: Path, arguments: list[object], script_main: Command) -> None:
    done = script_main(SCRIPT, *arguments)
    assert done.returncode == 0, done.stderr
    plan = read_plan(tmp_path / "study_plan.yaml")
    assert plan.contrasts == (
        Contrast("RQ1", "EVOL", "T1_LOWER", "T3_HIGHER"),
        Contrast("RQ2", "EVOL", "ALG_50_PRAC_50", "ALG_0_PRAC_100"),
        Contrast("RQ2", "EVOL", "ALG_50_PRAC_50", "ALG_100_PRAC_0"),
        Contrast("RQ4", "EVOL", "CODE_100", "CODE_90_GENERAL_10"),
        Contrast("RQ4", "EVOL", "CODE_100", "CODE_90_MATH_10"),
    )
    assert (plan.students, plan.seeds, plan.benchmarks) == (
        ("qwen2.5-coder-1.5b-full",),
        (42, 43, 44),
        ("humaneval", "mbpp"),
    )
    assert (plan.margin_points, plan.controls) == (5.0, ("EVOL", "BASELINE_LONGEST", "BASELINE_RANDOM"))
    assert "5 contrasts on 2 benchmarks with 1 students are a family of 10 tests." in done.stdout

    # what a person may have edited is not replaced
    before = (tmp_path / "study_plan.yaml").read_bytes()
    again = script_main(SCRIPT, *arguments)
    assert again.returncode == 2 and "expected a new file, got one that is there already" in again.stderr
    assert (tmp_path / "study_plan.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--benchmark", "chess"], "--benchmark chess: expected one of humaneval"),
        (["--margin_points", 0], "expected a number above 0, got '0'"),
        (["--control", "T1_LOWER"], "controls: expected files that are no subset of a question, got T1_LOWER"),
        (["--seed", 1, 1], "seeds: expected different whole numbers from 0, got [1, 1]"),
    ],
    ids=str,
)
def test_refusals_are_one_line(
    tmp_path: Path, arguments: list[object], script_main: Command, changed: list[object], message: str
) -> None:
    done = script_main(SCRIPT, *arguments, *changed)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert message in line
    assert not (tmp_path / "study_plan.yaml").exists()


def test_a_folder_without_subsets(tmp_path: Path, arguments: list[object], script_main: Command) -> None:
    with OutputFolder(tmp_path / "seeds", "fetch_seeds", ["EVOL.jsonl"], sources=[]) as output:
        output.write("EVOL.jsonl", [b"{}\n"])
        output.finish({"source": "EVOL"})
    done = script_main(SCRIPT, *arguments, "--partitions", tmp_path / "seeds")
    assert done.returncode == 2
    assert "expected tertiles, mixes or baselines, its manifest.json lists none" in done.stderr


def test_without_its_baseline_a_question_has_no_contrast() -> None:
    found = [("RQ2", "OSS", "ALG_0_PRAC_100"), ("RQ2", "OSS", "ALG_20_PRAC_80"), ("RQ3", "OSS", "T1_LOWER")]
    assert proposed(found) == []
    assert proposed([*found, ("RQ3", "OSS", "T3_HIGHER"), ("RQ3", "OSS", "T2_MIDDLE")]) == [
        Contrast("RQ3", "OSS", "T1_LOWER", "T3_HIGHER")
    ]
