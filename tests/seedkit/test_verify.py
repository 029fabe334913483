"""verify on a finished folder, and on the same folder damaged in every way it should notice."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from seedkit.errors import InputError
from seedkit.manifest import MANIFEST, OutputFolder
from seedkit.records import json_lines
from seedkit.verify import remarks, verify
from support import reseal

TERTILES = ["T1.jsonl", "T2.jsonl", "T3.jsonl"]


def swap_records(folder: Path) -> None:
    first, second = (folder / TERTILES[0]).read_text(), (folder / TERTILES[1]).read_text()
    (folder / TERTILES[0]).write_text(second)
    (folder / TERTILES[1]).write_text(first)


def repeat_tertile(folder: Path) -> None:
    shutil.copy(folder / TERTILES[0], folder / TERTILES[1])


def drop_record(folder: Path) -> None:
    lines = (folder / TERTILES[2]).read_text().splitlines(keepends=True)
    (folder / TERTILES[2]).write_text("".join(lines[1:]))


def shuffle_records(folder: Path) -> None:
    lines = (folder / TERTILES[2]).read_text().splitlines(keepends=True)
    (folder / TERTILES[2]).write_text("".join(reversed(lines)))


def extra_key(folder: Path) -> None:
    text = (folder / TERTILES[0]).read_text()
    (folder / TERTILES[0]).write_text(text.replace('"input":""', '"input":null'))


def change_score(folder: Path) -> None:
    text = (folder / "scores.jsonl").read_text()
    (folder / "scores.jsonl").write_text(text.replace('"value":6.0', '"value":-1.0'))


def invent_score(folder: Path) -> None:
    text = (folder / "scores.jsonl").read_text()
    (folder / "scores.jsonl").write_text(text.replace('"value":null', '"value":2.0'))


def lose_reject(folder: Path) -> None:
    (folder / "rejects.jsonl").write_text("")


DAMAGE: list[Callable[[Path], None]] = [
    swap_records,
    repeat_tertile,
    drop_record,
    shuffle_records,
    extra_key,
    change_score,
    invent_score,
    lose_reject,
]


def test_a_finished_folder_is_verified(folder: Path) -> None:
    assert verify(folder) == []


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_noticed_by_hash_and_without_it(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    assert any("sha256" in fault for fault in verify(folder))
    reseal(folder)
    assert verify(folder) != []


def test_a_missing_file_is_noticed_and_a_foreign_one_is_not_ours(folder: Path) -> None:
    (folder / "foreign.jsonl").write_text("{}\n")
    assert verify(folder) == []
    (folder / TERTILES[0]).unlink()
    assert len(verify(folder)) == 1


@pytest.mark.parametrize("content", ['{"files"', "[]", '{"files":{}}', '{"files":{"T1.jsonl":3}}'])
def test_what_is_no_manifest(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json: expected a manifest"):
        verify(folder)


def test_command(folder: Path) -> None:
    def run(*folders: Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "seedkit.verify", *map(str, folders)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run(folder).returncode == 0
    (folder.parent / "another").mkdir()
    above = run(folder.parent)  # the folders below that have a manifest
    assert (above.returncode, above.stdout) == (0, f"{folder}: verified\n")
    drop_record(folder)
    bad = run(folder)
    assert bad.returncode == 1
    assert "T3.jsonl: lines is 2, the manifest says 3" in bad.stdout
    (folder / MANIFEST).unlink()
    unfinished = run(folder)
    assert unfinished.returncode == 2
    assert unfinished.stderr.count("\n") == 1
    assert run(folder / "none").returncode == 2


def test_files_that_no_manifest_knows_are_told(folder: Path) -> None:
    assert remarks(folder) == []
    with OutputFolder(folder, "another", ["other.jsonl"], sources=[]) as output:
        output.write("other.jsonl", [b"{}\n"])
        output.finish({})
    (folder / ".scores").mkdir()
    (folder / ".hidden").touch()
    assert (verify(folder), remarks(folder)) == ([], [])  # every manifest of the folder is asked
    (folder / "T4.jsonl").touch()
    (folder / "notes b.txt").touch()
    told = "files that no manifest knows: T4.jsonl, notes b.txt"
    assert (verify(folder), remarks(folder)) == ([], [told])
    drop_record(folder)  # and beside faults
    command = [sys.executable, "-m", "seedkit.verify", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{folder}: {told}" in done.stdout.splitlines()


CATEGORIES = {"red": {"group": "warm", "records": 2}, "blue": {"group": "cold", "records": 1}}
COLUMNS = {"category": "colour", "group": "group", "ranges": {"shade": [0, 1]}}


def classified(path: Path, said: dict[str, Any], rows: list[dict[str, Any]]) -> Path:
    """A finished folder of classified records: `rows` have what classification adds to each."""
    plain = {"instruction": "i", "input": "", "output": "o"}
    with OutputFolder(path, "stage", ["c.jsonl"], sources=[]) as output:
        output.write("c.jsonl", json_lines({"id": str(n), **plain, **row} for n, row in enumerate(rows)))
        output.finish({"counts": {"failed": 0, "unreadable": 0}, "classified": {"file": "c.jsonl", **said}})
    return path


def coloured(path: Path, **changed: object) -> list[str]:
    """What verify finds where the first of three rows is changed."""
    rows = [
        {"colour": "red", "shade": 0.5, "group": "warm", **changed},
        {"colour": "red", "shade": 0.0, "group": "warm"},
        {"colour": "blue", "shade": 1.0, "group": "cold"},
    ]
    return verify(classified(path, {"columns": COLUMNS, "categories": CATEGORIES}, rows))


def test_the_columns_of_classified_records_are_those_of_the_manifest(tmp_path: Path) -> None:
    assert coloured(tmp_path / "right") == []
    assert coloured(tmp_path / "range", shade=1.5) == ["c.jsonl: 0 has shade 1.5, expected 0 to 1"]
    assert coloured(tmp_path / "group", group="cold") == [
        "c.jsonl: 0 is cold in red, which is no category of the manifest's"
    ]
    assert len(coloured(tmp_path / "count", colour="blue", group="cold")) == 2
    assert "expected the strings" in coloured(tmp_path / "column", size=3)[0]


def test_manifests_of_the_first_release_name_no_columns(tmp_path: Path) -> None:
    said = {"categories": {"Web": {"task_type": "practical", "records": 1}}}
    row = {"assigned_category": "Web", "category_similarity": 1.0, "category_margin": 0.0, "task_type": "practical"}
    assert verify(classified(tmp_path / "right", said, [row])) == []
    assert verify(classified(tmp_path / "wrong", said, [{**row, "category_margin": -0.1}])) != []
