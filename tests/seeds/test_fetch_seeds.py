"""The real command on files in a folder, as a user runs it."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from seedkit.records import read_records
from seedkit.verify import verify
from seeds.releases import RELEASES
from support import ROOT, Command, contents, offline, rows

SCRIPT = "seeds/fetch_seeds.py"
NAMES = {
    "EVOL": "data-evol_instruct-decontaminated.jsonl",
    "OSS": "data-oss_instruct-decontaminated.jsonl",
    "ALPACA": "train-00000-of-00001-a09b74b3ef9c3b56.parquet",
    "MATH": "MathInstruct.json",
}
ALPACA = [
    {"instruction": f"Name {n} {'fruits' * n}", "input": "", "output": f"answer {n}", "text": "all"} for n in range(30)
]


def write_lines(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in records))
    return path


def write_parquet(path: Path, records: list[dict[str, Any]]) -> Path:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(records), path, row_group_size=7)
    return path


def questions(count: int, seed: int = 0) -> list[str]:
    random_ = random.Random(seed)
    return [" ".join(f"w{random_.randrange(10_000)}" for _ in range(30)) for _ in range(count)]


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """The four files as the hub has them, small, with something to reject in each."""
    folder = tmp_path / "releases"
    folder.mkdir()
    evol = [{"instruction": text, "response": f"answer {n}"} for n, text in enumerate(questions(50))]
    write_lines(
        folder / NAMES["EVOL"], [*evol, {**evol[3], "response": "other"}, {"instruction": "i", "response": " "}]
    )
    with (folder / NAMES["EVOL"]).open("ab") as file:
        file.write(b'{"instruction": "caf\xe9", "response": "r"}\n{"instruction": "cut o')
    oss = [{"lang": "php", "index": n, "problem": q, "solution": "s"} for n, q in enumerate(questions(40, 1))]
    write_lines(folder / NAMES["OSS"], [*oss, {"problem": 5, "solution": "s"}])
    write_parquet(folder / NAMES["ALPACA"], [*ALPACA, {**ALPACA[0], "output": ""}])
    math = [{"source": f"data/{n % 2}.json", "instruction": q, "output": "7"} for n, q in enumerate(questions(35, 2))]
    (folder / NAMES["MATH"]).write_text(json.dumps([*math, math[0]]))
    return folder


def test_all_four_releases(tmp_path: Path, releases: Path, script_command: Command) -> None:
    out = tmp_path / "out"
    result = script_command(SCRIPT, "--from_dir", releases, "--output_dir", out)
    assert result.returncode == 0, result.stderr
    assert verify(out) == []
    sources = ("EVOL", "OSS", "ALPACA", "MATH")
    kinds = ("", "_origin", "_rejects")
    assert sorted(contents(out)) == sorted([f"{s}{kind}.jsonl" for s in sources for kind in kinds] + ["manifest.json"])
    for source, count in zip(sources, (50, 40, 30, 35), strict=True):
        records = list(read_records(out / f"{source}.jsonl"))
        origins = rows(out / f"{source}_origin.jsonl")
        assert len(records) == count
        assert [origin["id"] for origin in origins] == [record.id for record in records]
    assert {row["source"] for row in rows(out / "MATH_origin.jsonl")} == {"data/0.json", "data/1.json"}
    assert {row["source"] for row in rows(out / "ALPACA_origin.jsonl")} == {f"unverified: {NAMES['ALPACA']}"}
    assert [row["line"] for row in rows(out / "ALPACA_origin.jsonl")] == list(range(1, 31))
    assert [row["reason"].split(":")[0] for row in rows(out / "EVOL_rejects.jsonl")] == [
        f"exact duplicate of line 4 (id {rows(out / 'EVOL.jsonl')[3]['id']})",
        "empty output",
        "expected UTF-8, got byte 0xe9 at byte 21 of the line",
        "expected one JSON object, got malformed JSON",
    ]
    table = [line.split() for line in result.stdout.splitlines()]
    assert table[0] == ["EVOL", "OSS", "ALPACA", "MATH"]
    assert ["read", "54", "41", "31", "36"] in table
    assert ["unreadable", "2", "1", "0", "0"] in table
    assert ["kept", "50", "40", "30", "35"] in table
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["source"] == "MATH"
    assert [other["source"] for other in manifest["others"]] == ["ALPACA", "OSS", "EVOL"]
    assert manifest["counts"]["exact_duplicate"] == 1

    before = contents(out)
    again = script_command(SCRIPT, "--from_dir", releases, "--output_dir", out)
    assert again.stdout == result.stdout
    assert again.stderr.count("finished by an earlier run") == 4
    assert contents(out) == before
    script_command(SCRIPT, "--from_dir", releases, "--output_dir", tmp_path / "other")
    assert contents(tmp_path / "other") == before


def test_only_what_has_changed_is_made_anew(tmp_path: Path, releases: Path, script_main: Command) -> None:
    out = tmp_path / "out"
    command = [SCRIPT, "--from_dir", releases, "--output_dir", out, "--sources", "EVOL,MATH"]
    script_main(*command)
    before = contents(out)
    (out / "EVOL.jsonl").write_bytes(before["EVOL.jsonl"][:-1])  # damaged
    result = script_main(*command)
    assert "EVOL: 54 records read" in result.stderr
    assert "MATH: finished by an earlier run" in result.stderr
    assert contents(out)["EVOL.jsonl"] == before["EVOL.jsonl"]
    assert verify(out) == []

    result = script_main(*command, "--near_duplicates", "off")
    assert "finished" not in result.stderr
    result = script_main(*command, "--near_duplicates", "off", "--no-resume")
    assert "finished" not in result.stderr
    result = script_main(*command, "--near_duplicates", "off", "--max_chars", 100)
    assert "over long" in result.stderr

    write_lines(releases / NAMES["MATH"], [{"instruction": "one", "output": "two"}])
    result = script_main(*command, "--near_duplicates", "off", "--max_chars", 300)
    assert "MATH: 1 records read, 1 kept" in result.stderr
    assert verify(out) == []
    assert not (out / "MATH_rejects.jsonl").exists()  # of the earlier run


@pytest.mark.parametrize("name", ["alpaca_data.json", "alpaca.jsonl", "train-00000-of-00001-0123456789abcdef.parquet"])
def test_alpaca_in_its_other_forms(tmp_path: Path, releases: Path, script_main: Command, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    if name.endswith(".json"):
        (folder / name).write_text(json.dumps(ALPACA, indent=4))
    else:
        (write_parquet if name.endswith(".parquet") else write_lines)(folder / name, ALPACA)
    flags = ["--sources", "ALPACA", "--output_dir"]
    result = script_main(SCRIPT, "--from_dir", folder, *flags, tmp_path / "out")
    assert result.returncode == 0, result.stderr
    script_main(SCRIPT, "--from_dir", releases, *flags, tmp_path / "same")
    assert contents(tmp_path / "out")["ALPACA.jsonl"] == contents(tmp_path / "same")["ALPACA.jsonl"]
    assert list((tmp_path / "out").rglob("*.parquet.jsonl")) == []


def test_usage_errors_and_bad_files_are_one_line(tmp_path: Path, releases: Path, script_main: Command) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / NAMES["MATH"]).write_text('[{"instruction": "i", "output": "o"}, {"instr')
    (damaged / NAMES["ALPACA"]).write_bytes(b"PAR1 and no more")
    (damaged / NAMES["EVOL"]).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    write_lines(damaged / NAMES["OSS"], [{"problem": "p", "solution": ""}])
    two = tmp_path / "two"
    two.mkdir()
    for name in ("alpaca.json", "alpaca.jsonl"):
        write_lines(two / name, ALPACA)
    for flags, message in (
        (["--sources", "EVOL,WIZARD"], "expected some of EVOL OSS ALPACA MATH, got 'WIZARD'"),
        (["--revision", "main"], "expected SOURCE=REVISION"),
        (["--revision", "EVOL=main"], "--revision names a revision on the hub: expected none of it with --from_dir"),
        (["--max_chars", 0], "at least 1"),
        (["--near_duplicates", 0], "above 0"),
        (["--near_duplicates", "none"], "from 0 to 1"),
        (["--from_dir", empty], f"{empty}: EVOL: expected one file {NAMES['EVOL']}, got no such file; OSS: "),
        (["--from_dir", tmp_path / "none"], "got no such file"),
        (["--from_dir", two, "--sources", "ALPACA"], "got alpaca.json, alpaca.jsonl"),
        (["--from_dir", damaged, "--sources", "MATH"], "MathInstruct.json:1: expected a JSON array of objects"),
        (["--from_dir", damaged, "--sources", "ALPACA"], "expected a parquet file of texts"),
        (["--from_dir", damaged, "--sources", "EVOL"], "a Git LFS pointer, not the data"),
        (["--from_dir", damaged, "--sources", "OSS"], "got none: 1 records read, 0 kept; 1 empty output"),
    ):
        out = tmp_path / "out"
        result = script_main(SCRIPT, "--from_dir", releases, *flags, "--output_dir", out)
        assert result.returncode == 2, (flags, result.stderr)
        assert message in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not (out / "manifest.json").exists()


def test_a_file_that_cannot_be_read_leaves_earlier_results(
    tmp_path: Path, releases: Path, script_main: Command
) -> None:
    out = tmp_path / "out"
    command = [SCRIPT, "--from_dir", releases, "--output_dir", out]
    script_main(*command)
    before = contents(out)
    (releases / NAMES["OSS"]).write_text("")
    result = script_main(*command)
    assert result.returncode == 2
    assert "the file is empty" in result.stderr
    assert contents(out) == before
    assert verify(out) == []


@pytest.mark.parametrize("parts", [(4, 7), pytest.param((2, 3, 5, 6), marks=pytest.mark.heavy)])
def test_killed_at_any_moment_the_next_run_ends_with_the_same_bytes(
    tmp_path: Path, releases: Path, script_command: Command, parts: tuple[int, ...]
) -> None:
    write_lines(releases / NAMES["EVOL"], [{"instruction": q, "response": q} for q in [*questions(6000)] * 2])
    write_lines(releases / NAMES["OSS"], [{"problem": q, "solution": q} for q in [*questions(6000, 1)] * 2])
    command = [SCRIPT, "--from_dir", str(releases), "--sources", "EVOL,OSS", "--output_dir"]
    start = time.monotonic()
    script_command(*command, tmp_path / "whole")
    took = time.monotonic() - start
    expected = contents(tmp_path / "whole")
    for part in parts:
        out = tmp_path / f"out{part}"
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "Code" / SCRIPT), *command[1:], str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=offline(),
        )
        if part < 7:
            time.sleep(took * part / 7)
        else:  # between the two sources, or when the second has begun
            while not (out / "manifest.json").exists():
                assert process.poll() is None
                time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (out / "manifest.json").exists():
            assert verify(out) == []
        for name in ("EVOL.jsonl", "EVOL_origin.jsonl", "OSS.jsonl"):
            assert not (out / name).exists() or (out / name).read_bytes() == expected[name]
        result = script_command(*command, out)
        assert result.returncode == 0, result.stderr
        assert contents(out) == expected


def record(folder: Path, name: str, commit: str, checksum: str) -> Path:
    """What `hf download --local-dir FOLDER` leaves of a file."""
    path = folder / ".cache" / "huggingface" / "download" / f"{name}.metadata"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{commit}\n{checksum}\n1764000000.5\n")
    return path


def test_a_file_that_nothing_vouches_for_is_said_to_be_unverified(
    tmp_path: Path, releases: Path, script_main: Command
) -> None:
    data = (releases / NAMES["OSS"]).read_bytes()
    sha1 = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    record(releases, NAMES["EVOL"], "c0ffee", hashlib.sha256((releases / NAMES["EVOL"]).read_bytes()).hexdigest())
    record(releases, NAMES["OSS"], "decade", sha1)
    record(releases, NAMES["MATH"], "facade", "no checksum")
    out = tmp_path / "out"
    command = [SCRIPT, "--from_dir", releases, "--output_dir", out]
    done = script_main(*command)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "unverified" in line] == [
        f"{source}: {releases / NAMES[source]} is unverified: there is no download record of {repository} to compare it with"
        for source, repository in (("ALPACA", "tatsu-lab/alpaca"), ("MATH", "TIGER-Lab/MathInstruct"))
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    described = {one["source"]: one["release"] for one in [manifest, *manifest["others"]]}
    assert {source: (one["check"], one["commit"]) for source, one in described.items()} == {
        "EVOL": ("download record", "c0ffee"),
        "OSS": ("download record", "decade"),
        "ALPACA": ("unverified", None),
        "MATH": ("unverified", None),
    }
    assert {row["source"] for row in rows(out / "EVOL_origin.jsonl")} == {"ise-uiuc/Magicoder-Evol-Instruct-110K"}
    assert {row["source"] for row in rows(out / "ALPACA_origin.jsonl")} == {f"unverified: {NAMES['ALPACA']}"}

    # what was made of an unverified file is made anew once there is a record
    record(releases, NAMES["ALPACA"], "bead", hashlib.sha256((releases / NAMES["ALPACA"]).read_bytes()).hexdigest())
    again = script_main(*command)
    assert again.stderr.count("finished by an earlier run") == 3
    assert {row["source"] for row in rows(out / "ALPACA_origin.jsonl")} == {"tatsu-lab/alpaca"}

    found = record(releases, NAMES["OSS"], "decade", "0" * 64)
    other = script_main(*command)
    assert other.returncode == 2
    assert other.stderr.splitlines()[-1].endswith(
        f"{releases / NAMES['OSS']}: expected sha256 {'0' * 64}, got {hashlib.sha256(data).hexdigest()}; it is not what was "
        f"downloaded: fetch it again, or remove {found}"
    )
    assert verify(out) == []


def test_a_file_at_its_path_in_the_repository(tmp_path: Path, releases: Path, script_main: Command) -> None:
    """As `hf download --local-dir` lays it out."""
    (releases / "data").mkdir()
    path = (releases / NAMES["ALPACA"]).rename(releases / "data" / NAMES["ALPACA"])
    record(releases, f"data/{NAMES['ALPACA']}", "bead", hashlib.sha256(path.read_bytes()).hexdigest())
    done = script_main(SCRIPT, "--from_dir", releases, "--sources", "ALPACA", "--output_dir", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "unverified" not in done.stderr


def test_all_missing_files_are_named_at_once_and_in_help(tmp_path: Path, script_main: Command) -> None:
    (tmp_path / NAMES["MATH"]).write_text('[{"instruction": "i", "output": "o"}]')
    (line,) = script_main(SCRIPT, "--from_dir", tmp_path).stderr.splitlines()
    assert [source for source in NAMES if f"{source}: expected one file {NAMES[source]}" in line] == [
        "EVOL",
        "OSS",
        "ALPACA",
    ]
    for shown in (script_main(SCRIPT, "--help").stdout, (ROOT / "Code" / "seeds" / "README.md").read_text()):
        names = [name for release in RELEASES.values() for name in (release.name, *release.also)]
        assert [name for name in names if name not in shown] == []


@pytest.mark.parametrize("flags", [["EVOL,MATH"], ["EVOL", "MATH"], ["EVOL", "EVOL,MATH"]])
def test_sources_stand_with_spaces_or_commas(
    tmp_path: Path, releases: Path, script_main: Command, flags: list[str]
) -> None:
    done = script_main(SCRIPT, "--from_dir", releases, "--output_dir", tmp_path / "out", "--sources", *flags)
    assert done.stdout.splitlines()[0].split() == ["EVOL", "MATH"]


def test_a_manifest_of_an_earlier_release_is_still_read(tmp_path: Path, releases: Path, script_main: Command) -> None:
    """It has no check: what came from the hub stays, what came from a folder is made anew and says so."""
    out = tmp_path / "out"
    command = [SCRIPT, "--from_dir", releases, "--output_dir", out, "--sources", "MATH"]
    script_main(*command)
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["release"]["check"]
    (out / "manifest.json").write_text(json.dumps(manifest))
    done = script_main(*command)
    assert done.returncode == 0
    assert "finished" not in done.stderr
    assert json.loads((out / "manifest.json").read_text())["release"]["check"] == "unverified"
