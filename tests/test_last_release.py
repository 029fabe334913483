"""Folders that the last release wrote, before its names changed: they are still read, verified and made again."""

import shutil
from pathlib import Path

import pytest
from seedkit.verify import verify
from support import ROOT, Command, contents, rows

MADE = ROOT / "tests" / "last_release"
FOLDERS = ("RQ1", "RQ2", "RQ3", "RQ4", "leakage", "seeds")


@pytest.mark.parametrize("name", FOLDERS)
def test_its_folders_are_verified(name: str, tmp_path: Path) -> None:
    assert verify(MADE / name) == []
    # and not because nothing is looked at
    copy = shutil.copytree(MADE / name, tmp_path / name)
    path = next(path for path in sorted(copy.glob("*.jsonl")))
    path.write_bytes(path.read_bytes().replace(b'"', b"'", 1))
    assert any(path.name in fault for fault in verify(copy))


def test_its_classified_records_give_the_same_mixes(tmp_path: Path, script_main: Command) -> None:
    folder = shutil.copytree(MADE / "RQ2", tmp_path / "RQ2")
    for path in folder.glob("RQ2_COMPOSITION_*.jsonl"):
        path.unlink()
    done = script_main(
        "RQ2_composition/composition_mixer.py", "--input_file", folder / "classified.jsonl", "--output_dir", folder,
        "--subset_size", "auto", "--num_repeats", 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert verify(folder) == []
    before, after = contents(MADE / "RQ2"), contents(folder)
    assert {**before, "manifest.json": b""} == {**after, "manifest.json": b""}


def test_the_same_domains_give_the_same_mixes(tmp_path: Path, script_main: Command) -> None:
    done = script_main(
        "RQ4_breadth/domain_mixer.py", "--input_file", MADE / "CODE.jsonl", "--general_file", MADE / "GENERAL.jsonl",
        "--math_file", MADE / "MATH.jsonl", "--num_samples", 1, "--output_dir", tmp_path / "RQ4",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = contents(MADE / "RQ4"), contents(tmp_path / "RQ4")
    new = {name for name in after if name.startswith("breadth_shares.")}  # figures, since this release
    assert {**before, "manifest.json": b""} == {name: after[name] for name in after if name not in new} | {
        "manifest.json": b""
    }


def test_its_mixes_of_domains_are_made_again_in_their_folder(tmp_path: Path, script_main: Command) -> None:
    folder = shutil.copytree(MADE / "RQ4", tmp_path / "RQ4")
    command = [
        "RQ4_breadth/domain_mixer.py", "--input_file", MADE / "CODE.jsonl", "--general_file", MADE / "GENERAL.jsonl",
        "--math_file", MADE / "MATH.jsonl", "--output_dir", folder, "--num_draws",
    ]  # fmt: skip
    other = script_main(*command, 2)
    assert other.returncode == 2
    assert "of another run, arguments.num_draws: 1 there, 2 here" in other.stderr.splitlines()[-1]
    assert contents(folder) == contents(MADE / "RQ4")
    done = script_main(*command, 1)
    assert done.returncode == 0, done.stderr
    assert verify(folder) == []
    assert "num_draws" in (folder / "manifest.json").read_text()


def test_its_partitions_are_reported_on(tmp_path: Path, script_main: Command) -> None:
    folders = [MADE / name for name in ("RQ1", "RQ2", "RQ3", "RQ4")]
    done = script_main("seeds/decontaminate.py", "--report", *folders, "--output_dir", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {row["folder"] for row in rows(tmp_path / "leakage.jsonl")} == {"RQ1", "RQ2", "RQ3", "RQ4"}
