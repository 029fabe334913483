"""A study's plan: read strictly, and its hash kept with every student that train.py makes under it."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from seedkit.errors import InputError
from stand_in_trainer import calls, run_folder
from support import Command
from training.study_plan import Contrast, read_plan
from training.subset_names import is_subset, parsed_stem

SCRIPT = "training/train.py"
PLAN: dict[str, Any] = {
    "format": 1,
    "students": ["llama-full"],
    "seeds": [7, 8],
    "benchmarks": ["humaneval", "mbpp"],
    "margin_points": 5,
    "controls": ["EVOL"],
    "contrasts": [
        {"rq": "RQ1", "source": "EVOL", "first": "T1_LOWER", "second": "T3_HIGHER"},
        {"rq": "RQ4", "source": "EVOL", "first": "EVOL", "second": "CODE_70_MATH_30"},
    ],
}


def written(folder: Path, **changed: object) -> Path:
    path = folder / "study_plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changed}))
    return path


def test_a_plan_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    plan = read_plan(path)
    assert (plan.file, plan.sha256) == ("study_plan.yaml", sha256(path.read_bytes()).hexdigest())
    assert (plan.students, plan.seeds, plan.margin_points) == (("llama-full",), (7, 8), 5)
    assert plan.contrasts[1] == Contrast("RQ4", "EVOL", "EVOL", "CODE_70_MATH_30")
    assert plan.tests == 2 * 2


CONTRAST = PLAN["contrasts"][0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"margin": 5}, "expected format, students, seeds, benchmarks, margin_points, controls, contrasts, got margin"),
        ({"format": 2}, "format: expected 1, got 2"),
        ({"margin_points": 0}, "margin_points: expected a number above 0 and below 100, got 0"),
        ({"margin_points": -3.5}, "margin_points: expected a number above 0 and below 100, got -3.5"),
        ({"margin_points": True}, "margin_points: expected a number above 0 and below 100, got True"),
        ({"margin_points": float("nan")}, "margin_points: expected a number above 0 and below 100, got nan"),
        ({"seeds": []}, "seeds: expected different whole numbers from 0, got []"),
        ({"seeds": [1, 1]}, "seeds: expected different whole numbers from 0, got [1, 1]"),
        ({"seeds": [True]}, "seeds: expected different whole numbers from 0, got [True]"),
        ({"students": "llama-full"}, "students: expected different names, at least one, got 'llama-full'"),
        ({"benchmarks": []}, "benchmarks: expected different names, at least one, got []"),
        ({"controls": ["T1_LOWER"]}, "controls: expected files that are no subset of a question, got T1_LOWER"),
        ({"contrasts": []}, "contrasts: expected a list of contrasts, got []"),
        ({"contrasts": ["T3 - T1"]}, "contrasts 1: expected rq, source, first, second, got 'T3 - T1'"),
        ({"contrasts": [{**CONTRAST, "p": 1}]}, "contrasts 1: expected rq, source, first, second, got p"),
        ({"contrasts": [{"rq": "RQ1"}]}, "contrasts 1: expected rq, source, first, second, got no source"),
        ({"contrasts": [{**CONTRAST, "rq": "RQ5"}]}, "contrasts 1: rq: expected one of RQ1, RQ2, RQ3, RQ4, got 'RQ5'"),
        ({"contrasts": [{**CONTRAST, "source": 3}]}, "contrasts 1: source: expected a name, got 3"),
        (
            {"contrasts": [{**CONTRAST, "second": "T4_HIGHEST"}]},
            "contrasts 1: expected a subset of RQ1 or one of controls, got T4_HIGHEST",
        ),
        (
            {"contrasts": [{**CONTRAST, "second": "ALG_0_PRAC_100"}]},
            "contrasts 1: expected a subset of RQ1 or one of controls, got ALG_0_PRAC_100",
        ),
        ({"contrasts": [{**CONTRAST, "first": "T3_HIGHER"}]}, "contrasts 1: expected two subsets, got T3_HIGHER twice"),
        (
            {"contrasts": [CONTRAST, {**CONTRAST, "first": "T3_HIGHER", "second": "T1_LOWER"}]},
            "contrasts: expected each once, got RQ1 EVOL T1_LOWER T3_HIGHER again",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_plan_is_said(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    path = written(tmp_path, **changed)
    with pytest.raises(InputError) as error:
        read_plan(path)
    assert str(error.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2]", "expected format, students, .*, got \\[1, 2\\]"),
        (b"format: 1\nseeds: [1", "expected YAML, got while parsing"),
        (b"format: 1\nseeds: [1]\nformat: 1\n", "expected each key once, got format again"),
        (b"contrasts: [{rq: RQ1, rq: RQ2}]", "expected each key once, got rq again"),
        (b"\xff", "expected YAML, got"),
        (b"x: !!python/object/apply:os.system [ls]", "expected YAML, got could not determine a constructor"),
    ],
)
def test_what_is_no_plan_at_all(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"plan.yaml: {message}"):
        read_plan(path)
    with pytest.raises(InputError, match="none.yaml: expected a study's plan, got .*No such file"):
        read_plan(tmp_path / "none.yaml")


def test_names_of_subsets() -> None:
    assert parsed_stem("RQ4_BREADTH_CODE_70_MATH_30_random_sample_2") == ("RQ4", "CODE_70_MATH_30", 2)
    assert parsed_stem("RQ1_COMPLEXITY_T3_HIGHER_MATCHED") == ("RQ1", "T3_HIGHER", None)
    assert parsed_stem("RQ3_DIVERSITY_T1_LOWER_K_CENTER_MATCHED") == ("RQ3", "T1_LOWER", None)
    assert parsed_stem("EVOL") is None
    assert is_subset("RQ4", "CODE_100") and is_subset("RQ3", "T2_MIDDLE") and not is_subset("RQ5", "T2_MIDDLE")


def test_every_student_keeps_the_hash_of_its_plan(
    tmp_path: Path, arguments: list[object], script_main: Command
) -> None:
    """Before it is trained, and in run.json; the plan's seeds are trained where --seed names none."""
    path = written(tmp_path)
    done = script_main(SCRIPT, *arguments, "--plan", path)
    assert done.returncode == 0, done.stderr
    kept = {"file": "study_plan.yaml", "sha256": sha256(path.read_bytes()).hexdigest()}
    folders = [run_folder(tmp_path, "LOW").parent / f"EVOL_LOW_seed{seed}" for seed in PLAN["seeds"]]
    assert sorted(folders[0].parent.glob("EVOL_LOW_*")) == folders
    for folder in folders:
        for name in ("plan.json", "run.json"):
            document = json.loads((folder / name).read_text())
            assert document.get("plan", document)["study_plan"] == kept

    trained = calls(tmp_path / "environment")
    renamed = path.rename(tmp_path / "renamed.yaml")
    again = script_main(SCRIPT, *arguments, "--plan", renamed)
    assert again.returncode == 0 and calls(tmp_path / "environment") == trained
    # what was trained under this plan is not called that of another one, or of none
    edited = written(tmp_path, margin_points=2)
    for plan, got in ((["--plan", edited], sha256(edited.read_bytes()).hexdigest()[:12]), (["--seed", 7], "none")):
        other = script_main(SCRIPT, *arguments, *plan)
        assert other.returncode == 2
        expected = (
            f"was made with study_plan sha256 {kept['sha256'][:12]}, not {got}; choose another --output_dir, or --redo"
        )
        assert expected in other.stderr


@pytest.mark.parametrize(
    ("flags", "changed", "message"),
    [
        (["--seed", 7, 9], {}, "--seed 9: study_plan.yaml plans the seeds 7 8"),
        (["--finetuning", "lora"], {}, "--student: study_plan.yaml plans llama-full, got llama-lora"),
        ([], {"margin_points": 0}, "margin_points: expected a number above 0 and below 100, got 0"),
    ],
)
def test_what_the_plan_does_not_plan_is_not_trained(
    tmp_path: Path,
    arguments: list[object],
    script_main: Command,
    flags: list[object],
    changed: dict[str, object],
    message: str,
) -> None:
    done = script_main(SCRIPT, *arguments, "--plan", written(tmp_path, **changed), *flags)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(message)
    assert not (tmp_path / "runs").exists()
