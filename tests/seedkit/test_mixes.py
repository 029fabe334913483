"""Mixes as they are written, and verify on the same folder damaged in every way it should notice."""

import shutil
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest
from seedkit import files, verify_mixes
from seedkit.balance import balance, measured
from seedkit.errors import InputError
from seedkit.manifest import OutputFolder
from seedkit.mixes import Mix, Pool, check_sizes, duplicates_of, mix_balance, mix_table, write_mixes
from seedkit.records import Record, json_lines, read_records
from seedkit.spool import Spool, spooled
from seedkit.verify import verify
from support import reseal, rows

MIXES = [Mix("all.jsonl", None, None, {"A": 8})] + [
    Mix(f"{a}_{8 - a}_{repeat}.jsonl", "B", repeat, {"A": a, "B": 8 - a}) for repeat in (1, 2) for a in (6, 4)
]  # 135,660 and 339,150 ways to draw: MANY is lowered below
NAMES = [*(mix.name for mix in MIXES), "pool.jsonl"]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with spooled(tmp_path) as spool:
        yield spool


def pool(kind: str, count: int, spool: Spool) -> Pool:
    result = Pool(kind, spool)
    for number in range(count):
        result.add(Record(f"{kind}{number}", f"instruction {number}", "", f"output {kind}", number + 1))
    return result


def write(folder: Path, seed: int = 0) -> Path:
    with OutputFolder(folder, "mix", NAMES, sources=[]) as output, spooled(folder) as spool:
        mixes = write_mixes(output, [pool("A", 8, spool), pool("B", 20, spool)], MIXES, seed, "pool.jsonl", "kind")
        output.finish({"counts": {"A": 8, "B": 20, "left_out": 0}, "mixes": mixes})
    return folder


@pytest.fixture(autouse=True)
def few_ways_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_mixes, "MANY", 1000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "out")


def test_counts_are_exact_and_mixes_nested(folder: Path) -> None:
    assert verify(folder) == []
    for mix in MIXES:
        ids = [row["id"] for row in rows(folder / mix.name)]
        assert len(set(ids)) == len(ids) == 8
        assert {kind: sum(id_.startswith(kind) for id_ in ids) for kind in mix.counts} == mix.counts
    assert [row["id"] for row in rows(folder / "all.jsonl")] == [f"A{number}" for number in range(8)]
    assert rows(folder / "pool.jsonl")[8] == {"id": "B0", "line": 1, "kind": "B"}


def test_the_balance_table_is_that_of_the_files(tmp_path: Path, spool: Spool) -> None:
    pools = [pool("A", 8, spool), Pool("B", spool)]
    for number in range(20):
        pools[1].add(Record(f"B{number}", f"Tell {'very ' * number}much", "", "words " * number, number + 1))
    with OutputFolder(tmp_path / "out", "mix", NAMES, sources=[]) as output:
        written = write_mixes(output, pools, MIXES, 5, "pool.jsonl", "kind")
    found = mix_balance(pools, MIXES, 5)
    for mix in MIXES:
        records = list(read_records(tmp_path / "out" / mix.name))
        alone = balance(measured(records, len(records)), [("x", np.arange(len(records)))])
        assert found["subsets"][mix.name] == alone["subsets"]["x"]
    assert list(found["subsets"]) == [mix.name for mix in MIXES]
    assert found["largest_differences"]["answer_tokens"]["subsets"][0] == "all.jsonl"
    assert "WARNING: standardised mean differences above 0.25: " in mix_table(MIXES, pools, written, found)


def test_records_are_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "x" * 10_000
    monkeypatch.setattr(files, "BLOCK", 1 << 16)
    tracemalloc.start()
    try:
        with OutputFolder(tmp_path / "out", "mix", NAMES, sources=[]) as output, spooled(tmp_path) as spool:
            pools = [Pool("A", spool), Pool("B", spool)]
            for number in range(2000):
                pools[number % 2].add(Record(str(number), f"instruction {number}", "", text, number + 1))
            write_mixes(output, pools, [replace(mix, counts={"A": 1000}) for mix in MIXES], 0, "pool.jsonl", "kind")
        assert tracemalloc.get_traced_memory()[1] < 10e6  # of 20 MB
    finally:
        tracemalloc.stop()


def test_the_seed_decides(folder: Path, tmp_path: Path) -> None:
    same, other = write(tmp_path / "same"), write(tmp_path / "other", seed=1)
    for name in NAMES:
        assert (same / name).read_bytes() == (folder / name).read_bytes()
    assert all((other / mix.name).read_bytes() != (folder / mix.name).read_bytes() for mix in MIXES[1:])


def change(name: str, edit: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))

    return damage


def alike(folder: Path) -> None:
    shutil.copy(folder / "4_4_1.jsonl", folder / "4_4_2.jsonl")


def same_records(folder: Path) -> None:
    """One repeat's records in another order: other bytes, the same data."""
    for a in (4, 6):
        lines = (folder / f"{a}_{8 - a}_1.jsonl").read_bytes().splitlines(keepends=True)
        (folder / f"{a}_{8 - a}_2.jsonl").write_bytes(b"".join(reversed(lines)))


def swapped(folder: Path) -> None:
    """The right counts, but a B record that the larger mix of the repeat does not hold."""
    small, large = folder / "6_2_1.jsonl", folder / "4_4_1.jsonl"
    held = {row["id"] for row in rows(large)}
    foreign = next(f"B{n}" for n in range(20) if f"B{n}" not in held)
    given = next(row["id"] for row in rows(small) if row["id"].startswith("B"))
    small.write_bytes(small.read_bytes().replace(f'"{given}"'.encode(), f'"{foreign}"'.encode()))


DAMAGE = {
    "twice": (change("4_4_1.jsonl", lambda lines: [lines[1], *lines[1:]]), "a record is in it twice"),
    "short": (change("4_4_1.jsonl", lambda lines: lines[1:]), "expected 4"),
    "foreign": (change("all.jsonl", lambda lines: [lines[0].replace(b'"A0"', b'"X"'), *lines[1:]]), "is not in pool"),
    "keys": (change("all.jsonl", lambda lines: [lines[0].replace(b'"input"', b'"in"'), *lines[1:]]), "has the keys"),
    "kind": (change("pool.jsonl", lambda lines: [lines[0].replace(b'"A"', b'"B"'), *lines[1:]]), "records are A"),
    "pool": (change("pool.jsonl", lambda lines: [*lines, lines[0]]), "A0 is in it twice"),
    "alike": (alike, "are the same file"),
    "same records": (same_records, "though their repeats differ"),
    "swapped": (swapped, "are not all in"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_noticed_by_hash_and_without_it(folder: Path, what: str) -> None:
    damage, message = DAMAGE[what]
    damage(folder)
    assert any("sha256" in fault for fault in verify(folder))
    reseal(folder)
    assert any(message in fault for fault in verify(folder)), verify(folder)


def test_a_pool_that_is_taken_whole_is_the_same_in_every_repeat(tmp_path: Path, spool: Spool) -> None:
    mixes = [Mix(f"{repeat}.jsonl", None, repeat, {"A": 8}) for repeat in (1, 2)]
    with OutputFolder(tmp_path, "mix", [*(mix.name for mix in mixes), "pool.jsonl"], sources=[]) as output:
        found = write_mixes(output, [pool("A", 8, spool)], mixes, 0, "pool.jsonl", "kind")
        output.finish({"counts": {"A": 8, "left_out": 0}, "mixes": found})
    assert verify(tmp_path) == []


def test_whether_a_mix_has_few_ways_is_counted_no_further_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for a, b, sizes in (
        (3, 2, (12, 3)),
        (0, 4, (5, 5)),
        (7, 7, (7, 8)),
        (9, 1, (10, 101)),
        (9, 1, (10, 100)),
        (1, 0, (1000, 3)),
    ):
        ways = comb(sizes[0], a) * comb(sizes[1], b)
        found = verify_mixes.few_ways({"counts": {"A": a, "B": b}}, dict(zip("AB", sizes, strict=True)))
        assert found == (ways <= 1000), (a, b, sizes, ways)
    monkeypatch.setattr(verify_mixes, "MANY", 10**6)
    pool_size = {"A": 5_000_000, "B": 5_000_000}
    start = time.process_time()
    for _ in range(30):
        assert not verify_mixes.few_ways({"counts": {"A": 4_000_000, "B": 1_000_000}}, pool_size)
    assert time.process_time() - start < 1  # the numbers themselves take minutes


def test_too_few_records_are_refused_with_what_is_needed(spool: Spool) -> None:
    with pytest.raises(InputError, match=r"here: 6_2_1.jsonl needs 2 records of B, there are 1"):
        check_sizes(MIXES, [pool("A", 8, spool), pool("B", 1, spool)], "here")


def test_a_prefix_goes_before_the_id_alone(spool: Spool) -> None:
    plain = pool("A", 2, spool)
    marked = plain.prefixed()
    assert marked.ids == ["A:A0", "A:A1"]
    assert [line.replace(b"A:A", b"A", 1) for line in marked.lines()] == list(plain.lines())


def test_copies_are_known_by_their_texts(spool: Spool) -> None:
    first, second = Pool("A", spool), Pool("B", spool)
    for number, texts in enumerate(("i o", "j o", "i o"), 1):
        instruction, output = texts.split()
        first.add(Record(str(number), instruction, "", output, 1))  # a JSON array on one line has all in line 1
    for number, (instruction, output) in enumerate((("j", "o"), ("k", "o"), ("i", "")), 4):
        second.add(Record(str(number), instruction, "" if output else "o", output, number))
    where = "the same instruction, input and output as line 1 of A"
    found = duplicates_of([first, second])
    assert found == [{2: where}, {0: where}]
    rest = second.without(found[1])
    assert rest.ids == ["5", "6"]
    assert rest.record(1) == second.record(2)
    assert duplicates_of([first, rest]) == [{2: where}, {}]
    assert second.record(0) == Record("4", "j", "", "o", 4)


def test_an_id_is_written_as_it_was_read(tmp_path: Path, spool: Spool) -> None:
    odd = Pool("A", spool)
    odd.add(Record('q"u\\o","instruction":"te', "i", "", "o", 1))
    with OutputFolder(tmp_path, "mix", ["1.jsonl", "pool.jsonl"], sources=[]) as output:
        write_mixes(output, [odd], [Mix("1.jsonl", None, 1, {"A": 1})], 0, "pool.jsonl", "kind")
    assert rows(tmp_path / "pool.jsonl")[0]["id"] == rows(tmp_path / "1.jsonl")[0]["id"] == 'q"u\\o","instruction":"te'


def test_classified_records_are_checked(tmp_path: Path) -> None:
    category = {"assigned_category": "X", "category_similarity": 0.5, "category_margin": 0.1, "task_type": "practical"}
    record = {"instruction": "i", "input": "", "output": "o", **category}
    with OutputFolder(tmp_path, "classify", ["c.jsonl"], sources=[]) as output:
        output.write("c.jsonl", json_lines([{"id": "1", **record}, {"id": "2", **record}]))
        counts = {"failed": 0, "unreadable": 0}
        categories = {"X": {"task_type": "practical", "records": 2}}
        output.finish({"counts": counts, "classified": {"file": "c.jsonl", "categories": categories}})
    assert verify(tmp_path) == []
    whole = (tmp_path / "c.jsonl").read_bytes()
    for old, new in (
        (b'"input"', b'"in"'),
        (b'"X"', b'"Y"'),
        (b"practical", b"algorithmic"),
        (b"0.5", b"5.0"),
        (b'"2"', b'"1"'),
    ):
        (tmp_path / "c.jsonl").write_bytes(whole.replace(old, new))
        reseal(tmp_path)
        assert verify(tmp_path) != []
