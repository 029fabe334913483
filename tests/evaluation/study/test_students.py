"""What the names of students say, and which students are found below a folder."""

from pathlib import Path

import pytest
from evaluation.study.students import find, parsed
from seedkit.errors import InputError
from study_cases import ALG, LOWER, train


@pytest.mark.parametrize(
    ("source", "stem", "expected"),
    [
        ("EVOL", LOWER, ("RQ1", "EVOL", "T1_LOWER", None)),
        ("OSS", "RQ3_DIVERSITY_T3_HIGHER", ("RQ3", "OSS", "T3_HIGHER", None)),
        ("EVOL", ALG.format(20, 80, 3), ("RQ2", "EVOL", "ALG_20_PRAC_80", 3)),
        ("OSS", "RQ4_BREADTH_CODE_90_GENERAL_10_random_sample_1", ("RQ4", "OSS", "CODE_90_GENERAL_10", 1)),
        ("OSS", "RQ4_BREADTH_CODE_70_MATH_30_random_sample_12", ("RQ4", "OSS", "CODE_70_MATH_30", 12)),
        ("MY_OWN", "RQ4_BREADTH_CODE_100", ("RQ4", "MY_OWN", "CODE_100", None)),
        ("EVOL", "BASELINE_RANDOM_random_sample_2", ("", "EVOL", "BASELINE_RANDOM", 2)),
        ("EVOL", "BASELINE_QUALITY_DIVERSITY", ("", "EVOL", "BASELINE_QUALITY_DIVERSITY", None)),
        ("EVOL", "LOW", ("", "EVOL", "LOW", None)),
        ("EVOL", "RQ1_COMPLEXITY_T4_TOP", ("", "EVOL", "RQ1_COMPLEXITY_T4_TOP", None)),
        ("EVOL", "RQ5_COMPLEXITY_T1_LOWER", ("", "EVOL", "RQ5_COMPLEXITY_T1_LOWER", None)),
        ("EVOL", "RQ1_DIVERSITY_T1_LOWER", ("", "EVOL", "RQ1_DIVERSITY_T1_LOWER", None)),
        ("EVOL", "RQ2_COMPOSITION_ALG_20_PRAC_80", ("", "EVOL", "RQ2_COMPOSITION_ALG_20_PRAC_80", None)),
    ],
)
def test_what_a_name_says(source: str, stem: str, expected: tuple[str, str, str, int | None]) -> None:
    assert parsed(f"{source}_{stem}_seed42", stem, 42) == expected


def test_a_name_that_was_changed_by_hand_stays_as_it_is() -> None:
    assert parsed("mine", LOWER, 42) == ("", "", "mine", None)
    assert parsed("a b_seed1", "a,b", 1) == ("", "", "a b", None)


def test_students_are_found_at_any_depth(tmp_path: Path, tiny_llama: Path) -> None:
    runs = tmp_path / "runs"
    for tertile in ("T1_LOWER", "T2_MIDDLE"):
        train(runs, tiny_llama, f"RQ1_COMPLEXITY_{tertile}")
    model = runs / "tiny-full" / "EVOL_RQ1_COMPLEXITY_T1_LOWER_seed42" / "model"
    (model / "checkpoint-1").mkdir()
    (model / "checkpoint-1" / "run.json").write_text("not one of ours")
    for folder in (tmp_path, runs, runs / "tiny-full"):
        finished, unfinished, damaged = find(folder)
        assert [student.subset for student in finished] == ["T1_LOWER", "T2_MIDDLE"]
        assert (unfinished, damaged) == ([], {})
    (alone,), _, _ = find(model.parent)
    assert (alone.model, alone.rq, alone.source, alone.seed) == ("tiny-full", "RQ1", "EVOL", 42)
    (model.parent / "run.json").write_text('{"format": 1, "run": "x"}')
    with pytest.raises(InputError, match="expected one of train.py's files, got one without 'plan'"):
        find(model.parent)
