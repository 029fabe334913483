"""Each step of the cleaning by itself."""

import json
import random
import resource
import tracemalloc
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from seedkit.records import Record
from seeds.cleaning import STEPS, Cleaned, clean, fault

WORDS = [f"word{number}" for number in range(500)]


def text(length: int, seed: int = 0) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def file(path: Path, *lines: bytes | dict[str, Any]) -> Path:
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def record(instruction: str, output: str = "an answer", **more: object) -> dict[str, Any]:
    return {"instruction": instruction, "output": output, **more}


def rejects(cleaned: Cleaned) -> list[dict[str, Any]]:
    return [json.loads(line) for line in cleaned.rejects()]


def kept(cleaned: Cleaned) -> list[str]:
    return [json.loads(line)["instruction"] for line in cleaned.lines()]


@pytest.mark.parametrize(
    ("line", "step", "reason"),
    [
        (b"{", "unreadable", "expected one JSON object, got malformed JSON"),
        (b"[1]", "unreadable", "expected an object, got an array"),
        (b'{"instruction": "i", "output": "caf\xe9"}', "unreadable", "expected UTF-8, got byte 0xe9"),
        (b'{"instruction": "i", "output": "\xed\xa0\x80"}', "unreadable", "expected UTF-8, got a lone surrogate"),
        (b'{"instruction": "i", "output": "\\ud800"}', "unreadable", "expected valid Unicode, got a lone surrogate"),
        (b'{"instruction": "i"}', "unreadable", '"output" is missing'),
        (b'{"instruction": 7, "output": "o"}', "unreadable", '"instruction" must be a string, got the number 7'),
        (b'{"instruction": "i", "output": null}', "unreadable", '"output" must be a string, got null'),
        (record(" \n\u3000"), "empty_instruction", "empty instruction"),
        (record("", input="there is one"), "empty_instruction", "empty instruction"),
        (record("i", "\t"), "empty_output", "empty output"),
        (record("i", "caf\ufffd"), "replacement_characters", "replacement characters: U+FFFD in output"),
        (record("i", input="\ufffd"), "replacement_characters", "replacement characters: U+FFFD in input"),
        (record("i", "o" * 100), "over_long", "over long: 101 characters, at most 100 are kept"),
        (
            record("first", "other"),
            "exact_duplicate",
            "exact duplicate of line 1 (id a): the same instruction and input",
        ),
    ],
)
def test_a_record_leaves_with_its_step_and_reason(
    tmp_path: Path, line: bytes | dict[str, Any], step: str, reason: str
) -> None:
    path = file(tmp_path / "in.jsonl", record("first", id="a"), line, record("last"))
    with clean(path, "release", max_chars=100) as cleaned:
        assert kept(cleaned) == ["first", "last"]
        (row,) = rejects(cleaned)
    assert list(row) == ["line", "id", "reason", "record"]
    assert row["line"] == 2
    assert row["reason"].startswith(reason)
    assert row["record"]
    assert cleaned.counts() == {"read": 3, **dict.fromkeys(STEPS, 0), step: 1, "kept": 2}


def test_a_record_as_long_as_allowed_stays(tmp_path: Path) -> None:
    path = file(tmp_path / "in.jsonl", record("i" * 50, "o" * 25, input="n" * 25))
    for max_chars, there in ((100, 1), (99, 0)):
        with clean(path, "release", max_chars=max_chars) as cleaned:
            assert len(kept(cleaned)) == cleaned.counts()["kept"] == there


def test_the_earliest_of_duplicates_stays_and_a_damaged_one_does_not_count(tmp_path: Path) -> None:
    long = text(80)
    near = long.replace(long.split()[40], "exchanged")
    path = file(
        tmp_path / "in.jsonl",
        record("same", ""),  # leaves before anything can be its duplicate
        record("same"),
        record("same", input="but asked of something else"),
        record("same", "another answer"),
        record(long, id="long"),
        record(near),
        record(near, "another answer"),
        record("Same"),  # not to the letter, but the same words
    )
    with clean(path, "release") as cleaned:
        assert kept(cleaned) == ["same", "same", long]
        rows = rejects(cleaned)
    assert [row["line"] for row in rows] == [1, 4, 6, 7, 8]
    assert rows[1]["reason"].startswith("exact duplicate of line 2 (id ")
    assert rows[2]["reason"] == f"near duplicate of line 5 (id long): Jaccard similarity {75 / 81:.3f}"
    assert rows[3]["reason"].startswith("exact duplicate of line 6 (id ")
    assert rows[4]["reason"].startswith("near duplicate of line 2 (id ")
    with clean(path, "release", near_duplicates=None) as off:
        assert kept(off) == ["same", "same", long, near, "Same"]
        assert off.counts()["near_duplicate"] == 0


def test_an_array_on_one_line_has_duplicates_too(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text(
        json.dumps(
            [
                record("a"),
                record("A"),
                {"instruction": 5},
                record("b"),
                record("a"),
                record("B"),
                record("c", ""),
                record("B", "."),
            ]
        )
    )
    with clean(path, "release") as cleaned:
        assert kept(cleaned) == ["a", "b"]
        rows = rejects(cleaned)
    assert [row["line"] for row in rows] == [1] * 6
    steps = ["near duplicate", "exact duplicate", "near duplicate", "empty output", "exact duplicate", '"instruction"']
    assert [row["reason"].startswith(step) for row, step in zip(rows, steps, strict=True)] == [True] * 6


def test_an_origin_is_the_records_own_source_or_the_release(tmp_path: Path) -> None:
    sources: list[object] = ["data/CoT/aqua_rat.json", "", None, 5]
    path = file(
        tmp_path / "in.jsonl",
        b"{",
        *(record(f"question {n}", source=source) for n, source in enumerate(sources)),
        record("question 4"),
    )
    with clean(path, "the/release") as cleaned:
        origins = [json.loads(line) for line in cleaned.origins()]
        ids = [json.loads(line)["id"] for line in cleaned.lines()]
    assert [list(origin) for origin in origins] == [["id", "source", "line"]] * 5
    assert [origin["source"] for origin in origins] == ["data/CoT/aqua_rat.json", *["the/release"] * 4]
    assert [origin["line"] for origin in origins] == [2, 3, 4, 5, 6]
    assert [origin["id"] for origin in origins] == ids


def test_texts_are_kept_to_the_letter(tmp_path: Path) -> None:
    odd = " \u00e9\u2028\x00 \U0001f600\n"
    path = file(tmp_path / "in.jsonl", {"problem": odd, "solution": odd, "lang": "python"})
    with clean(path, "release") as cleaned:
        (line,) = cleaned.lines()
    row = json.loads(line)
    assert list(row) == ["id", "instruction", "input", "output"]
    assert (row["instruction"], row["input"], row["output"]) == (odd, "", odd)


def test_fault_takes_a_good_record(tmp_path: Path) -> None:
    assert fault(Record("1", "i", "", "o"), 10) is None


def test_a_long_cleaning_says_how_far_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(step=10)
    monkeypatch.setattr("seedkit.display.time.monotonic", lambda: float(next(clock)))  # 10 s for each record
    with clean(file(tmp_path / "long.jsonl", *[record(text(20, n)) for n in range(12)]), "release"):
        pass
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" records, about ")[0] for line in said] == [
        f"long.jsonl: cleaning: {done}" for done in (3, 6, 9, 12)
    ]


def test_the_texts_of_a_release_are_not_held_in_memory(tmp_path: Path) -> None:
    path = file(tmp_path / "in.jsonl", *[record(f"{text(10, n)} {n}", f"{n} " * 2500) for n in range(2000)])
    tracemalloc.start()
    try:
        with clean(path, "release", scratch=tmp_path) as cleaned:
            written = sum(map(len, cleaned.lines()))
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written > 2e7
    assert peak < written / 3
    assert [one.name for one in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_full_disk_is_an_error_with_the_folders_name(tmp_path: Path) -> None:
    path = file(tmp_path / "in.jsonl", *[record(f"{text(10, n)} {n}", f"{n} " * 2500) for n in range(100)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))  # as if no more room were left than that
    try:
        with pytest.raises(OSError, match="too large") as caught, clean(path, "release", scratch=tmp_path):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path)
