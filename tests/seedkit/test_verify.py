"""verify on a finished folder, and on the same folder damaged in every way it should notice."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.manifest import MANIFEST, OutputFolder, made_by
from seedkit.records import json_lines
from seedkit.verify import verify
from support import reseal

TERTILES = ["T1.jsonl", "T2.jsonl", "T3.jsonl"]
NAMES = [*TERTILES, "scores.jsonl"]


def record(number: int) -> dict[str, str]:
    return {"id": str(number), "instruction": f"i{number}", "input": "", "output": "o"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven records with the scores 6, 5, ..., 0; the eighth failed."""
    source = tmp_path / "source.jsonl"
    source.write_text("x")
    third = [3, 3, 3, 2, 2, 1, 1]
    with OutputFolder(tmp_path / "out", "stage", NAMES, sources=[source]) as output:
        for number, name in enumerate(TERTILES, 1):
            output.write(name, json_lines(record(n) for n in range(7) if third[n] == number))
        rows: list[dict[str, Any]] = [
            {"id": str(n), "line": n + 1, "value": 6.0 - n, "tertile": third[n], "status": "ok", "reason": None}
            for n in range(7)
        ]
        failed = {"id": "7", "line": 8, "value": None, "tertile": None, "status": "failed", "reason": "why"}
        output.write("scores.jsonl", json_lines([*rows, failed]))
        output.write(output.rejects, json_lines([{"line": 8, "id": "7", "reason": "why", "record": record(7)}]))
        output.finish(
            {
                "counts": {"scored": 7, "failed": 1, "unreadable": 0},
                "tertiles": {"scores": "scores.jsonl", "column": "value", "files": TERTILES},
            }
        )
    return tmp_path / "out"


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
    drop_record(folder)
    bad = run(folder)
    assert bad.returncode == 1
    assert "T3.jsonl: lines is 2, the manifest says 3" in bad.stdout
    (folder / MANIFEST).unlink()
    unfinished = run(folder)
    assert unfinished.returncode == 2
    assert unfinished.stderr.count("\n") == 1
    assert run(folder / "none").returncode == 2


def test_output_folder_guards(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.jsonl"
    with pytest.raises(InputError, match="holds T1.jsonl of stage"):
        OutputFolder(folder, "another", NAMES, sources=[source])
    for name in (TERTILES[0], MANIFEST):
        with pytest.raises(InputError, match="overwrite the input"):
            OutputFolder(folder, "stage", NAMES, sources=[folder / name])
    with pytest.raises(InputError, match="got a file"):
        OutputFolder(source, "stage", NAMES, sources=[source])
    with (
        OutputFolder(folder, "stage", NAMES, sources=[source]) as output,
        pytest.raises(InputError, match="another run is writing here"),
    ):
        OutputFolder(output.path, "stage", NAMES, sources=[source])


def test_publishing_withdraws_the_manifest_and_removes_what_is_stale(folder: Path, tmp_path: Path) -> None:
    with OutputFolder(folder, "stage", NAMES, sources=[tmp_path / "source.jsonl"]) as output:
        assert (folder / MANIFEST).exists()
        output.write(TERTILES[0], [b"{}\n"])
        assert not (folder / MANIFEST).exists()
        output.finish({})
    assert sorted(path.name for path in folder.iterdir()) == [TERTILES[0], MANIFEST]


def test_outputs_share_a_folder_and_each_stays_verified(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.jsonl"
    with OutputFolder(folder, "another", ["other.jsonl", "old.jsonl"], sources=[source]) as output:
        output.write("other.jsonl", [b"{}\n"])
        assert json.loads((folder / MANIFEST).read_text())["stage"] == "stage"  # unfinished, but what was here still is
        output.write("old.jsonl", [b"{}\n"])
        output.finish(
            {"input_is_here": True, "input": {"file": "T1.jsonl", "sha256": file_facts(folder / "T1.jsonl").sha256}}
        )
    assert verify(folder) == []
    with OutputFolder(folder, "another", ["other.jsonl"], sources=[source]) as output:
        output.write("other.jsonl", [b"[]\n"])
        output.finish({"input_is_here": True, "input": {"file": "T1.jsonl", "sha256": "0"}})
    assert not (folder / "old.jsonl").exists()  # of the output that this one replaces
    assert verify(folder) == [f"{folder}: another was made from another T1.jsonl than the one here"]
    assert (folder / "rejects.jsonl").exists()
    with OutputFolder(folder, "another", ["other.jsonl"], sources=[source]) as output:
        assert output.rejects == "other_rejects.jsonl"  # rejects.jsonl is the first output's
        output.write("other.jsonl", [b"{}\n"])
        output.write(output.rejects, [b"{}\n"])
        output.finish({})
    assert verify(folder) == []
    repeat_tertile(folder)
    assert any("T2.jsonl: sha256" in fault for fault in verify(folder))


def test_made_by_knows_what_the_manifest_beside_a_file_says(folder: Path) -> None:
    origin = made_by(folder / TERTILES[0])
    assert origin is not None
    assert origin["stage"] == "stage"
    assert "files" not in origin
    drop_record(folder)
    assert made_by(folder / TERTILES[2]) is None
    assert made_by(folder.parent / "source.jsonl") is None
    assert made_by(folder / "none.jsonl") is None


def test_what_is_replaced_goes_before_its_manifest_does(folder: Path, tmp_path: Path) -> None:
    with OutputFolder(folder, "stage", [TERTILES[0]], sources=[tmp_path / "source.jsonl"]) as output:
        output.write(TERTILES[0], [b"{}\n"])  # and the run is killed here
    assert sorted(path.name for path in folder.iterdir()) == [TERTILES[0], "rejects.jsonl"]


def test_an_input_that_is_an_earlier_output_is_never_removed(folder: Path) -> None:
    with pytest.raises(InputError, match="overwrite the input"):
        OutputFolder(folder, "stage", [TERTILES[0]], sources=[folder / TERTILES[1]])
    with OutputFolder(folder, "stage", ["new.jsonl"], sources=[folder / TERTILES[1]]) as output:
        output.write("new.jsonl", [b"{}\n"])
        output.finish({})
    assert (folder / TERTILES[1]).exists()
    assert verify(folder) == []
