"""The real command, as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from RQ2_composition.categories import task_type
from seedkit.verify import remarks, verify
from support import Command, contents, rows

SCRIPT = "RQ2_composition/composition_mixer.py"


def classified(path: Path, algorithmic: int, practical: int, **extra: str) -> Path:
    kinds = ["algorithmic"] * algorithmic + ["practical"] * practical
    with path.open("w") as file:
        for number, kind in enumerate(kinds):
            row = {
                "id": f"r{number}",
                "instruction": f"task {number} — é",
                "input": "",
                "output": "o",
                "task_type": kind,
            }
            file.write(json.dumps({**row, **extra}) + "\n")
    return path


def ids(path: Path) -> list[str]:
    return [str(row["id"]) for row in rows(path)]


def test_five_ratios_three_repeats_exact_and_nested(tmp_path: Path, script_command: Command) -> None:
    data, out = classified(tmp_path / "c.jsonl", 45, 60), tmp_path / "out"
    result = script_command(SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", 40, "--seed", 7)
    assert result.returncode == 0, result.stderr
    assert verify(out) == []
    names = [f"RQ2_COMPOSITION_ALG_{a}_PRAC_{100 - a}_repeat{r}.jsonl" for r in (1, 2, 3) for a in (0, 20, 50, 80, 100)]
    assert sorted(contents(out)) == sorted([*names, "composition_pool.jsonl", "manifest.json"])
    source = {row["id"]: row for row in rows(data)}
    drawn = {name: ids(out / name) for name in names}
    for name, found in drawn.items():
        percent = int(name.split("_")[3])
        assert len(set(found)) == len(found) == 40
        assert sum(source[id_]["task_type"] == "algorithmic" for id_ in found) * 100 == 40 * percent
        for row in rows(out / name):
            assert row == {key: source[row["id"]][key] for key in ("id", "instruction", "input", "output")}
    first, second = drawn[names[1]], drawn[names[2]]  # 20 and 50 percent of repeat 1
    assert len(set(first) & set(second)) == 8 + 20  # what is not swapped stays: 8 algorithmic, 20 practical
    assert set(drawn[names[2]]) != set(drawn[names[7]])  # repeats are independent
    assert first != sorted(first)

    before = contents(out)
    again = script_command(
        SCRIPT, "--input_file", data, "--output_dir", tmp_path / "2", "--subset_size", 40, "--seed", 7
    )
    assert again.returncode == 0
    assert contents(tmp_path / "2") == before
    script_command(SCRIPT, "--input_file", data, "--output_dir", tmp_path / "3", "--subset_size", 40, "--seed", 8)
    assert all(contents(tmp_path / "3")[name] != before[name] for name in names)
    # fewer repeats: the same bytes for those that stay, and none of the others
    script_command(
        SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", 40, "--seed", 7, "--num_draws", 1
    )
    assert sorted(contents(out)) == sorted([*names[:5], "composition_pool.jsonl", "manifest.json"])
    assert all(contents(out)[name] == before[name] for name in names[:5])


def test_too_few_records_name_the_size_that_works_and_auto_takes_it(tmp_path: Path, script_main: Command) -> None:
    data, out = classified(tmp_path / "c.jsonl", 37, 99), tmp_path / "out"
    for arguments in ([], ["--subset_size", 40]):
        result = script_main(SCRIPT, "--input_file", data, "--output_dir", out, *arguments)
        assert result.returncode == 2
        assert "37 algorithmic and 99 practical" in result.stderr
        assert "the largest that works at every ratio is 30" in result.stderr
        assert not out.exists()
    assert script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", "auto").returncode == 0
    assert len(ids(out / "RQ2_COMPOSITION_ALG_100_PRAC_0_repeat1.jsonl")) == 20  # at most 80% of 37
    assert script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", 30).returncode == 0


@pytest.mark.parametrize(
    ("algorithmic", "practical", "size"), [(13, 40, 10), (37, 29, 20), (50, 50, 40), (101, 89, 70)]
)
def test_auto_takes_a_size_at_which_repeats_of_every_ratio_differ(
    tmp_path: Path, script_main: Command, algorithmic: int, practical: int, size: int
) -> None:
    data, out = classified(tmp_path / "c.jsonl", algorithmic, practical), tmp_path / "out"
    result = script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", "auto")
    assert result.returncode == 0, result.stderr
    for percent in (0, 20, 50, 80, 100):
        files = out.glob(f"RQ2_COMPOSITION_ALG_{percent}_PRAC_*")
        drawn = {frozenset(ids(path)) for path in files}
        assert len(drawn) == 3
        assert {len(found) for found in drawn} == {size}
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["arguments"]["subset_size"], manifest["mixes"]["same_records"]) == (size, [])
    assert "same records" not in result.stdout


def test_repeats_that_are_the_same_records_are_told(tmp_path: Path, script_main: Command) -> None:
    data, out = classified(tmp_path / "c.jsonl", 20, 45), tmp_path / "out"
    result = script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", 20)
    names = [f"RQ2_COMPOSITION_ALG_100_PRAC_0_repeat{repeat}.jsonl" for repeat in (1, 2, 3)]
    said = f"the same records in another order, though their repeats differ: {', '.join(names)}"
    assert said in result.stdout.splitlines()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["mixes"]["same_records"] == [names]
    assert verify(out) == []
    assert remarks(out) == [said]
    manifest["mixes"]["same_records"] = []
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert any("repeats with the same records are" in fault for fault in verify(out))
    del manifest["mixes"]["same_records"]  # as earlier releases wrote it
    (out / "manifest.json").write_text(json.dumps(manifest))
    assert (verify(out), remarks(out)) == ([], [said])
    checked = subprocess.run([sys.executable, "-m", "seedkit.verify", out], capture_output=True, text=True, check=False)
    assert checked.stdout.splitlines() == [f"{out}: {said}", f"{out}: verified"]
    # too few of a kind to leave room
    few = classified(tmp_path / "few.jsonl", 12, 45)
    result = script_main(SCRIPT, "--input_file", few, "--output_dir", tmp_path / "few", "--subset_size", "auto")
    assert result.returncode == 0, result.stderr
    assert (
        "subset size: 10 of 12 algorithmic and 45 practical records, too few for repeats that differ" in result.stderr
    )


def test_copies_are_set_aside_and_said(tmp_path: Path, script_main: Command) -> None:
    data, out = classified(tmp_path / "c.jsonl", 20, 20), tmp_path / "out"
    lines = data.read_text().splitlines()
    data.write_text("\n".join([*lines, lines[3].replace('"r3"', '"copy"')]))
    result = script_main(SCRIPT, "--input_file", data, "--output_dir", out, "--subset_size", 20)
    assert result.returncode == 0, result.stderr
    assert [(row["line"], row["reason"]) for row in rows(out / "rejects.jsonl")] == [
        (41, "the same instruction, input and output as line 4 of algorithmic")
    ]
    assert verify(out) == []


def test_mixes_of_another_source_are_refused_unless_overwrite(tmp_path: Path, script_main: Command) -> None:
    first, second = classified(tmp_path / "a.jsonl", 20, 20), classified(tmp_path / "b.jsonl", 30, 30)
    out = tmp_path / "out"
    command = [SCRIPT, "--output_dir", out, "--subset_size", 10, "--input_file"]
    assert script_main(*command, first).returncode == 0
    before = contents(out)
    refused = script_main(*command, second)
    assert refused.returncode == 2
    assert 'of another run, source: "A" there, "B" here' in refused.stderr.splitlines()[-1]
    assert contents(out) == before
    assert script_main(*command, first, "--seed", 3).returncode == 0
    assert script_main(*command, second, "--overwrite").returncode == 0
    assert verify(out) == []


def test_after_the_classifier_in_one_folder(tmp_path: Path, script_main: Command) -> None:
    file = tmp_path / "EVOL" / "classified.jsonl"
    first = script_main(
        *("RQ2_composition/task_classifier.py", "--source_name", "EVOL", "--output_file", file),
        *("--device", "cpu", "--prototypes", "names"),
    )
    assert first.returncode == 0, first.stderr
    # the sample is smaller than the study's size: without a size the largest is taken, and said
    result = script_main(SCRIPT, "--input_file", file, "--source_name", "EVOL", "--output_dir", file.parent)
    assert result.returncode == 0, result.stderr
    assert "subset size:" in result.stderr
    assert verify(file.parent) == []
    manifest = json.loads((file.parent / "manifest.json").read_text())
    assert manifest["made_by"]["stage"] == "RQ2_classification"
    assert [other["stage"] for other in manifest["others"]] == ["RQ2_classification"]
    kinds = {row["id"]: task_type(str(row["assigned_category"])) for row in rows(file)}
    assert kinds == {row["id"]: row["task_type"] for row in rows(file.parent / "composition_pool.jsonl")}


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, script_main: Command) -> None:
    good = classified(tmp_path / "c.jsonl", 20, 20)
    plain = tmp_path / "plain.jsonl"
    plain.write_text('{"instruction": "i", "output": "o"}\n')
    few = classified(tmp_path / "few.jsonl", 3, 20)
    out = tmp_path / "out"
    for arguments, message in (
        (["--input_file", good, "--subset_size", 15], "expected a multiple of 10"),
        (["--input_file", good, "--subset_size", "many"], "expected a whole number of at least 1, got 'many'"),
        (["--input_file", good, "--seed", "-1"], "expected a whole number from 0"),
        (["--input_file", plain], f'{plain}:1: "task_type" is None, expected one of algorithmic, practical'),
        (["--input_file", few, "--subset_size", "auto"], "expected at least 10 of each"),
        (["--input_file", tmp_path / "none.jsonl"], "no such file"),
    ):
        result = script_main(SCRIPT, "--output_dir", out, *arguments)
        assert result.returncode == 2
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not out.exists()


@pytest.mark.parametrize("name", ["composition_pool.jsonl", "RQ2_COMPOSITION_ALG_20_PRAC_80_repeat1.jsonl"])
def test_the_output_never_overwrites_the_input(tmp_path: Path, script_main: Command, name: str) -> None:
    data = classified(tmp_path / name, 20, 20)
    before = data.read_bytes()
    result = script_main(SCRIPT, "--input_file", data, "--output_dir", tmp_path, "--subset_size", 20)
    assert result.returncode == 2
    assert "overwrite the input" in result.stderr
    assert data.read_bytes() == before
