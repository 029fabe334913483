from pathlib import Path

import pytest
from seedkit.errors import InputError
from studies.settings import read
from support import ROOT

GOOD = """
sources: [EVOL]
questions: [RQ3, RQ1]
student: smollm2
training_seeds: [1, 2]
benchmarks: [humaneval]
flags:
  train: {equal_steps: true, max_steps: 3}
estimates: {step: 2}
"""


def test_settings_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)
    found = read(tmp_path / "mine.yaml")
    assert (found.name, found.questions, found.training_seeds) == ("mine", ("RQ1", "RQ3"), (1, 2))
    assert found.flags == {"train": {"equal_steps": True, "max_steps": 3}}
    assert found.estimates == {"step": 2.0}


@pytest.mark.parametrize("path", sorted((ROOT / "Code" / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_settings_that_come_along_can_be_read(path: Path) -> None:
    assert read(path).sources


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("sources: [EVOL]", "sources: [ALPACA]"), "sources: ALPACA: expected EVOL, OSS"),
        (("questions: [RQ3, RQ1]", "questions: []"), "questions: expected a list of str, got []"),
        (("student: smollm2", "student: 3"), "student: expected a name, got 3"),
        (("[1, 2]", "[1, 1]"), "training_seeds: expected each once"),
        (("[1, 2]", "[1, two]"), "training_seeds: expected a list of int"),
        (("benchmarks:", "benchmark:"), "benchmark: expected only sources, questions"),
        (("train:", "trian:"), "flags: trian: expected one of fetch_seeds"),
        (("max_steps: 3", "max_steps: {a: 1}"), "flags: train: max_steps: expected a value, a list of values, or true"),
        (("max_steps: 3", "max_steps: false"), "flags: train: max_steps: expected true, or no such line"),
        (("step: 2", "hour: 2"), "estimates: hour: expected record, step, answer"),
        (("student: smollm2", "student: smollm2\nstudent: x"), "expected each key once, got student again"),
        (("sources: [EVOL]", "sources: [EVOL"), "expected YAML"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(InputError, match="mine.yaml") as caught:
        read(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
