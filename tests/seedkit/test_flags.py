"""The types of arguments: what they take, and what they refuse; the flags that several scripts have."""

import argparse
from collections.abc import Callable

import pytest
from seedkit.flags import (
    above_zero,
    add_embedder_flags,
    add_machine_flags,
    add_mix_flags,
    fraction,
    natural,
    parser,
    positive,
)
from support import Command

Number = int | float


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (positive, {"1": 1, "20000": 20000}, ["0", "-1", "1.5", "", "x", "²", str(2**63), "9" * 30]),
        (natural, {"0": 0, "42": 42}, ["-1", "+1", "1e3", "", "x", str(2**63)]),
        (above_zero, {"0.5": 0.5, "3": 3.0, "1e-3": 0.001}, ["0", "-1", "1e6", "nan", "inf", "", "x"]),
        (fraction, {"0": 0.0, "1": 1.0, "0.85": 0.85}, ["-0.1", "1.1", "nan", "inf", "", "x"]),
    ],
)
def test_numbers(kind: Callable[[str], Number], taken: dict[str, Number], refused: list[str]) -> None:
    assert {text: kind(text) for text in taken} == taken
    for text in refused:
        with pytest.raises(argparse.ArgumentTypeError, match="expected a"):
            kind(text)


SCRIPTS = (
    "RQ1_complexity/complexity_scorer.py",
    "RQ1_complexity/train_embedded_lm.py",
    "RQ1_complexity/train_embedded_scorer.py",
    "RQ2_composition/task_classifier.py",
    "RQ2_composition/composition_mixer.py",
    "RQ3_density/diversity_scorer.py",
    "RQ4_breadth/domain_mixer.py",
    "seedkit/verify.py",
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_wrong_command_line_is_one_line(script: str, script_main: Command) -> None:
    for arguments in (["--no_such_flag"], ["--limit"], ["--seed", "1\n2"], []):
        done = script_main(script, *arguments, "--neither=this")
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    assert "usage:" in script_main(script, "--help").stdout


def test_draws_have_one_name_and_the_earlier_ones_are_taken() -> None:
    for former in ("num_repeats", "num_samples"):
        add_mix_flags(flags := parser(None), former)
        for name in ("num_draws", former):
            assert vars(flags.parse_args([f"--{name}", "5"])) == {"num_draws": 5, "seed": 42}


def test_a_list_takes_spaces_and_commas_and_a_model_has_the_name_of_the_hub() -> None:
    add_machine_flags(flags := parser(None))
    add_embedder_flags(flags)
    for given in (["cuda:0,cuda:1"], ["cuda:0", "cuda:1"]):
        assert flags.parse_args(["--device", *given, "--dtype", "auto"]).device == "cuda:0,cuda:1"
    assert flags.parse_args([]).device == "auto"
    assert flags.parse_args(["--model_name_or_path", "x"]).model_name == "x"
