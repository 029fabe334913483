"""The real command, as a user runs it."""

import json
from pathlib import Path

from seedkit.verify import verify
from support import Command, contents, rows

SCRIPT = "RQ4_breadth/domain_mixer.py"
CODE = "def f(x):\n    return x + 1\n"


def records(path: Path, count: int, what: str, **fields: str) -> Path:
    rows = ({"instruction": f"{what} {n}", "output": f"answer {n}", **fields} for n in range(count))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def inputs(folder: Path, code: int = 100, general: int = 60, math: int = 60) -> list[object]:
    records(folder / "code.jsonl", code, "write code", output=CODE)
    records(folder / "general.jsonl", general, "say something about the class of")
    lines = [{"source": "x", "instruction": f"add {n} and 3", "output": f"{n} + 3 = {n + 3}"} for n in range(math)]
    (folder / "math.json").write_text(json.dumps(lines, indent=1))
    return [
        "--input_file",
        folder / "code.jsonl",
        "--general_file",
        folder / "general.jsonl",
        "--math_file",
        folder / "math.json",
    ]


def test_the_baseline_and_eighteen_mixes(tmp_path: Path, script_command: Command, script_main: Command) -> None:
    command = [SCRIPT, *inputs(tmp_path, code=150)]
    out = tmp_path / "out"
    result = script_command(*command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert verify(out) == []
    names = {
        f"RQ4_BREADTH_CODE_{100 - share}_{domain}_{share}_random_sample_{sample}.jsonl": (domain.lower(), count)
        for sample in (1, 2, 3)
        for domain in ("GENERAL", "MATH")
        for share, count in ((3, 5), (10, 15), (30, 45))  # 4.5 of 150 is rounded half up
    }
    figure = ["breadth_shares.png", "breadth_shares.svg"]
    expected = [*names, "RQ4_BREADTH_CODE_100.jsonl", "breadth_pool.jsonl", *figure, "manifest.json"]
    assert sorted(contents(out)) == sorted(expected)
    assert "CODE, n = 150" in (out / figure[1]).read_text()
    code = {row["instruction"] for row in rows(tmp_path / "code.jsonl")}
    assert [row["instruction"] for row in rows(out / "RQ4_BREADTH_CODE_100.jsonl")] == [
        row["instruction"] for row in rows(tmp_path / "code.jsonl")
    ]
    drawn = {name: [row["instruction"] for row in rows(out / name)] for name in names}
    for name, (_, count) in names.items():
        assert len(set(drawn[name])) == 150
        assert len(set(drawn[name]) - code) == count
    for domain in ("GENERAL", "MATH"):
        less, more = (set(drawn[f"RQ4_BREADTH_CODE_{c}_{domain}_{100 - c}_random_sample_1.jsonl"]) for c in (90, 70))
        assert less - code < more - code
        assert more & code < less & code

    before = contents(out)
    script_command(*command, "--output_dir", tmp_path / "again")
    assert contents(tmp_path / "again") == before
    script_main(*command, "--output_dir", tmp_path / "seed", "--seed", 1)
    assert all(contents(tmp_path / "seed")[name] != before[name] for name in names)


def test_records_with_code_are_rejected_with_a_reason(tmp_path: Path, script_main: Command) -> None:
    command = inputs(tmp_path)
    with (tmp_path / "general.jsonl").open("a") as file:
        file.write(json.dumps({"instruction": "show me", "output": f"Like this:\n```python\n{CODE}```"}) + "\n")
        file.write(json.dumps({"instruction": "say something about the class of 3", "output": "answer 3"}) + "\n")
    result = script_main(SCRIPT, *command, "--output_dir", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "GENERAL: 61 records" in result.stderr
    assert "1 with code and 0 others left out" in result.stderr
    rejects = rows(tmp_path / "out" / "rejects.jsonl")
    assert [list(row) for row in rejects] == [["line", "id", "reason", "record"]] * 2
    assert rejects[0]["line"] == 61
    assert str(rejects[0]["reason"]).startswith("GENERAL (general.jsonl): it holds code: output: ")
    assert "the same instruction, input and output as line 4" in str(rejects[1]["reason"])
    counts = json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]
    assert counts["with_code"] == {"GENERAL": 1, "MATH": 0}


def test_ids_that_clash_get_a_prefix(tmp_path: Path, script_main: Command) -> None:
    command = inputs(tmp_path)
    for name in ("code.jsonl", "general.jsonl"):
        numbered = [{"id": str(n), **row} for n, row in enumerate(rows(tmp_path / name))]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in numbered))
    out = tmp_path / "out"
    result = script_main(SCRIPT, *command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert 'GENERAL: ids are used in other data too; "GENERAL:" goes before them' in result.stderr
    assert verify(out) == []
    assert json.loads((out / "manifest.json").read_text())["ids_prefixed"] == ["GENERAL"]
    mixed = rows(out / "RQ4_BREADTH_CODE_70_GENERAL_30_random_sample_1.jsonl")
    assert sum(str(row["id"]).startswith("GENERAL:") for row in mixed) == 30


def test_what_the_code_data_has_too_is_no_other_domain(tmp_path: Path, script_main: Command) -> None:
    command = inputs(tmp_path)
    shared = json.dumps({"instruction": "say hello", "output": "hello"}) + "\n"
    for name in ("code.jsonl", "general.jsonl"):
        with (tmp_path / name).open("a") as file:
            file.write(shared)
    # one line for all: every record has the same line number
    (tmp_path / "math.json").write_text(json.dumps(json.loads((tmp_path / "math.json").read_text()) * 2))
    out = tmp_path / "out"
    result = script_main(SCRIPT, *command, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    reasons = [str(row["reason"]) for row in rows(out / "rejects.jsonl")]
    assert len(reasons) == 1 + 60
    assert "GENERAL (general.jsonl): the same instruction, input and output as line 101 of CODE" in reasons
    assert verify(out) == []


def test_mixes_of_another_run_are_refused_unless_overwrite(tmp_path: Path, script_main: Command) -> None:
    command = [SCRIPT, *inputs(tmp_path), "--output_dir", tmp_path / "out"]
    assert script_main(*command).returncode == 0
    before = contents(tmp_path / "out")
    for further, what in (
        (["--seed", 1], "arguments.seed: 42 there, 1 here"),
        (["--math_file", records(tmp_path / "more.jsonl", 70, "add")], "domains.MATH.file"),
        (["--input_file", records(tmp_path / "b.jsonl", 100, "code", output=CODE)], 'source: "CODE" there, "B" here'),
    ):
        refused = script_main(*command, *further)
        assert refused.returncode == 2
        assert f"of another run, {what}" in refused.stderr.splitlines()[-1]
        assert contents(tmp_path / "out") == before
    assert script_main(*command).returncode == 0  # the same run once more
    assert contents(tmp_path / "out") == before
    assert script_main(*command, "--seed", 1, "--overwrite").returncode == 0
    assert contents(tmp_path / "out") != before
    assert verify(tmp_path / "out") == []


def test_outputs_are_checked_before_anything_is_read(tmp_path: Path, script_main: Command) -> None:
    command = [SCRIPT, *inputs(tmp_path), "--output_dir"]
    (tmp_path / "file").touch()
    mine = records(tmp_path / "breadth_pool.jsonl", 100, "code", output=CODE)
    assert script_main(SCRIPT, *inputs(tmp_path), "--output_dir", tmp_path / "made").returncode == 0
    with (tmp_path / "general.jsonl").open("a") as file:
        file.write("{broken\n")
    for folder, further, what in (
        (tmp_path / "file", [], "expected a folder to write to, got a file"),
        (tmp_path, ["--input_file", mine], "the output would overwrite the input"),
        (tmp_path / "made", [], "of another run, domains.GENERAL.sha256"),
    ):
        done = script_main(*command, folder, *further)
        assert done.returncode == 2
        assert what in done.stderr.splitlines()[-1]
        assert done.stderr.count("\n") == 1  # nothing was read
    broken = script_main(*command, tmp_path / "new" / "folder")
    assert "malformed JSON" in broken.stderr.splitlines()[-1]
    assert not (tmp_path / "new").exists()


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, script_main: Command) -> None:
    few = inputs(tmp_path, general=20)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"instruction": "i"}\n')
    out = tmp_path / "out"
    for arguments, message in (
        (few, "RQ4_BREADTH_CODE_70_GENERAL_30_random_sample_1.jsonl needs 30 records of GENERAL, there are 20"),
        ([*few, "--math_file", bad], f'{bad}:1: "output" is missing'),
        ([*few, "--input_file", tmp_path / "none.jsonl"], "no such file"),
        ([*few, "--general_file", tmp_path], "cannot be read: Is a directory"),
        ([*few, "--num_draws", "0"], "at least 1"),
        ([*few, "--seed", str(2**64)], "expected a whole number from 0"),
        ([*few, "--limit", "16"], "16 code records: expected at least 17, so that 3% is one or more"),
    ):
        result = script_main(SCRIPT, *arguments, "--output_dir", out)
        assert result.returncode == 2, result.stderr
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not out.exists()
