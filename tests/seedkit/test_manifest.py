"""What an output folder refuses, replaces and keeps, and what its manifest knows of a file."""

import json
import shutil
from pathlib import Path

import pytest
from seedkit.errors import InputError
from seedkit.files import file_facts
from seedkit.manifest import MANIFEST, OutputFolder, made_by
from seedkit.verify import verify

TERTILES = ["T1.jsonl", "T2.jsonl", "T3.jsonl"]
NAMES = [*TERTILES, "scores.jsonl"]


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
        assert (
            json.loads((folder / MANIFEST).read_text())["stage"] == "stage"
        )  # the new output is unfinished, the earlier one still has its manifest
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
    shutil.copy(folder / TERTILES[0], folder / TERTILES[1])
    assert any("T2.jsonl: sha256" in fault for fault in verify(folder))


def test_made_by_knows_what_the_manifest_beside_a_file_says(folder: Path) -> None:
    origin = made_by(folder / TERTILES[0])
    assert origin is not None
    assert origin["stage"] == "stage"
    assert "files" not in origin
    (folder / TERTILES[2]).write_text("")
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


def test_outputs_of_another_identity_are_refused_unless_overwrite(tmp_path: Path) -> None:
    def write(text: str, *names: str, overwrite: bool = False, **identity: object) -> None:
        with OutputFolder(tmp_path, "stage", names, sources=[], identity=identity, overwrite=overwrite) as output:
            for name in names:
                output.write(name, [text.encode()])
            output.finish({**identity, "arguments": {"seed": text}})

    write("first\n", "evidence.jsonl", "a_clean.jsonl", source="A", input={"file": "a.jsonl", "bytes": 3})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for identity, what in (
        ({"source": "B", "input": {"file": "b.jsonl"}}, 'source: "A" there, "B" here'),
        ({"source": "A", "input": {"file": "b.jsonl"}}, 'input.file: "a.jsonl" there, "b.jsonl" here'),
        ({"source": "A", "benchmark": "mbpp"}, 'benchmark: null there, "mbpp" here'),
        ({"source": {"name": "A"}}, 'source.name: null there, "A" here'),
    ):
        with pytest.raises(InputError, match="holds evidence.jsonl of another run, ") as refused:
            write("second\n", "evidence.jsonl", **identity)
        assert what in str(refused.value)
        assert "--overwrite" in str(refused.value)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    write("again\n", "evidence.jsonl", "a_clean.jsonl", source="A", input={"file": "a.jsonl"})  # a rerun
    write("other\n", "else.jsonl", source="B")  # of other names: beside it
    assert (tmp_path / "a_clean.jsonl").read_text() == "again\n"
    assert verify(tmp_path) == []
    write("second\n", "evidence.jsonl", source="B", overwrite=True)
    assert not (tmp_path / "a_clean.jsonl").exists()
    assert verify(tmp_path) == []
