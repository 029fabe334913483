"""The doctor's command: its report, its files, its exit codes, its refusals."""

from collections.abc import Callable
from pathlib import Path

from loader_cases import EACH, GOOD, KEPT, LOST, good, lines, write
from support import ROOT, Command, rows

SCRIPT = "training/llamafactory_doctor.py"


def test_the_command_reports_and_exits(
    tmp_path: Path, tiny_llama: Path, script_command: Command, script_main: Command
) -> None:
    each, lost = write(tmp_path, "each.jsonl", KEPT["each.jsonl"]), write(tmp_path, "mixed.json", LOST["mixed.json"][0])
    fine = write(tmp_path, "fine.jsonl", lines(GOOD, good(output="")))
    out = tmp_path / "diagnoses.jsonl"
    result = script_command(SCRIPT, fine)
    assert result.returncode == 0, result.stderr
    assert "Not looked at: what is longer" in result.stdout
    result = script_main(SCRIPT, each, lost, "--tokenizer", tiny_llama, "--cutoff_len", 60, "--json", out)
    assert result.returncode == 1, result.stderr
    assert f"{each}: {len(EACH)} records" in result.stdout
    assert f"{lost}: THE WHOLE FILE IS LOST\nline 8: " in result.stdout
    written = rows(out)
    assert [row["line"] for row in written] == [*range(1, len(EACH) + 1), 8]
    names = [
        "file",
        "line",
        "status",
        "reason",
        "prompt_tokens",
        "answer_tokens",
        "prompt_tokens_lost",
        "answer_tokens_lost",
    ]
    assert all(list(row) == names for row in written)
    cut = sum(row["answer_tokens_lost"] for row in written)
    assert cut > 0
    assert f"tokens, {cut:,} lost (" in result.stdout


def test_a_finished_folder_gives_its_data_files(tmp_path: Path, script_main: Command) -> None:
    data = tmp_path / "seeds.jsonl"
    data.write_bytes(lines(*[good(id=str(n), instruction=f"write code {n}") for n in range(60)]))
    done = script_main(
        "RQ4_breadth/domain_mixer.py",
        "--input_file",
        data,
        "--output_dir",
        tmp_path / "out",
        "--general_file",
        ROOT / "Datas/sample/ALPACA.jsonl",
        "--math_file",
        ROOT / "Datas/sample/MATH.jsonl",
        "--num_samples",
        1,
    )
    assert done.returncode == 0, done.stderr
    result = script_main(SCRIPT, tmp_path / "out")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(": 60 records") == 7
    assert "no training data, left out: breadth_pool.jsonl" in result.stderr
    (tmp_path / "out" / "manifest.json").unlink()
    assert script_main(SCRIPT, tmp_path / "out").returncode == 2


def test_usage_errors_are_one_line_and_exit_code_2(tmp_path: Path, script_main: Command) -> None:
    data = write(tmp_path, "data.jsonl", lines(GOOD))
    text = write(tmp_path, "data.txt", lines(GOOD))
    pointer = write(tmp_path, "pointer.jsonl", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    for arguments, message in (
        ([], "the following arguments are required: PATH"),
        ([tmp_path / "none.jsonl"], "no such file"),
        ([text], "ends in .jsonl or .json"),
        ([pointer], "a Git LFS pointer"),
        ([tmp_path], "the folder is unfinished or no output folder"),
        ([data, "--template", "guess"], "--template guess: expected one of alpaca"),
        ([data, "--tokenizer", "no/such"], "model no/such"),
        ([data, "--cutoff_len", "0"], "at least 1"),
        ([data, "--json", data], "would overwrite the input"),
    ):
        result = script_main(SCRIPT, *arguments)
        assert result.returncode == 2, result.stdout + result.stderr
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr


def test_a_folder_that_was_changed_is_said(partition: Path, script_main: Command) -> None:
    assert script_main(SCRIPT, partition).returncode == 0
    path = partition / "LOW.jsonl"
    path.write_bytes(path.read_bytes().replace(b"add 1", b"add 2"))
    done = script_main(SCRIPT, partition)
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"{partition}: not what its manifest says: {path}: sha256 is ")
    assert last.endswith("(of 1 faults); train.py refuses it")
    assert f"{path}: 9 records" in done.stdout


def test_a_place_for_json_that_cannot_be_written(
    tmp_path: Path, script_main: Command, disk: Callable[..., Path]
) -> None:
    data = write(tmp_path, "data.jsonl", lines(*[good(instruction=f"{n}" * 40) for n in range(2000)]))
    done = script_main(SCRIPT, data, "--json", disk("1m", read_only=True) / "out.jsonl")
    assert done.returncode == 2
    assert "got no permission to write to" in done.stderr.splitlines()[-1]
    full = disk("64k")
    done = script_main(SCRIPT, data, "--json", full / "out.jsonl")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "No space left on device" in line
    assert list(full.iterdir()) == []
