import json
from pathlib import Path

import pytest
from baselines.overlap_steps import jaccard, subsets
from seedkit.errors import InputError
from support import ROOT, Command

SAMPLE = ROOT / "Datas" / "sample" / "EVOL.jsonl"


def test_jaccard_by_hand() -> None:
    assert jaccard("abcd", "cdef") == pytest.approx(2 / 6)
    assert (jaccard("ab", "ab"), jaccard("ab", "cd")) == (1.0, 0.0)


def test_the_table_compares_every_subset_with_every_other(tmp_path: Path, script_main: Command) -> None:
    for name in ("one", "two"):
        flags = ("--method", "longest", "shortest", "--size", 60 if name == "one" else 30)
        made = script_main(
            "baselines/baseline_subsets.py", "--input_file", SAMPLE, "--output_dir", tmp_path / name, *flags
        )
        assert made.returncode == 0, made.stderr
    done = script_main("baselines/overlap.py", tmp_path / "one", "--against", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["BASELINE_LONGEST", "BASELINE_SHORTEST"],
        ["BASELINE_LONGEST", "0.50", "0.00"],
        ["BASELINE_SHORTEST", "0.00", "0.50"],
    ]


def test_what_is_no_folder_of_subsets_is_one_line(tmp_path: Path, script_main: Command) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"files": {"a": {}}}))
    for folder, message in ((tmp_path, "expected a folder with subsets"), (tmp_path / "none", "no such file")):
        done = script_main("baselines/overlap.py", folder, "--against", folder)
        assert done.returncode == 2
        assert message in done.stderr.splitlines()[-1]
    with pytest.raises(InputError, match="expected a folder with subsets"):
        subsets([tmp_path])
