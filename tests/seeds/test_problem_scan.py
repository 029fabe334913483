"""Many texts at once, and the figures of leakage."""

import random
from collections.abc import Iterator

import pytest
from benchmarks.contract import ProblemTexts
from seed_problems import TEXT, searched
from seedkit.errors import InputError
from seeds.problem_index import Finding, Index
from seeds.problem_scan import AHEAD, CHUNK, Text, best_findings, leakage_by_benchmark, scan_all


def test_indicator_is_the_mean_of_the_best_overlaps() -> None:
    def n_grams(text: str, n: int) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    chance = random.Random(1)

    def text(size: int) -> str:
        return " ".join(chance.choice("red green blue grey".split()) for _ in range(size))

    problems, records = [text(20) for _ in range(6)], [text(30) for _ in range(700)]
    index = Index([ProblemTexts("AB"[n % 2], str(n), problem) for n, problem in enumerate(problems)])
    sets = [[row % 2] if row % 3 else [0, 1] for row in range(700)]
    scan, _ = scan_all(index, map(searched, records, sets), 2, 1, lambda *_: None)
    for number in (0, 1):
        own = [row for row in range(700) if number in sets[row]]
        lines = {line.benchmark: line for line in leakage_by_benchmark(index, scan, number, own)}
        for n, name in ((4, "indicator_4"), (5, "indicator_5")):
            best = [
                max(len(n_grams(p, n) & n_grams(records[row], n)) for row in own) / len(n_grams(p, n)) for p in problems
            ]
            assert getattr(lines["all"], name) == round(sum(best) / 6, 4)
            assert getattr(lines["B"], name) == round(sum(best[1::2]) / 3, 4)


def test_the_number_of_processes_changes_nothing(items: list[ProblemTexts]) -> None:
    texts = [f"{TEXT} {n}" if n % 500 == 0 else f"Count {n} things of sort {n % 7}." for n in range(5000)]
    index = Index(items)
    (one, held), (two, also_held) = (
        scan_all(index, map(searched, texts), 1, workers, lambda *_: None) for workers in (1, 2)
    )
    assert one.findings == two.findings
    assert len(one.findings) == 10
    assert all((one.best[n] == two.best[n]).all() for n in (4, 5))
    assert {row: text.text for row, text in held.items()} == {row: texts[row] for row in range(0, 5000, 500)}
    assert held == also_held


@pytest.mark.parametrize("workers", [1, 2])
def test_texts_are_taken_when_there_is_a_process_for_them(items: list[ProblemTexts], workers: int) -> None:
    done = most = 0

    def texts() -> Iterator[Text]:
        nonlocal most
        for number in range(20 * CHUNK):
            most = max(most, number + 1 - done)
            yield searched(f"Count {number} things.")

    def advance(count: int, _: int) -> None:
        nonlocal done
        done += count

    _, held = scan_all(Index(items), texts(), 1, workers, advance)
    assert (done, held) == (20 * CHUNK, {})
    assert most <= (workers + AHEAD + 1) * CHUNK


def test_a_mistake_in_the_texts_ends_the_scan(items: list[ProblemTexts]) -> None:
    def texts() -> Iterator[Text]:
        yield from map(searched, ["Count the things."] * 5 * CHUNK)
        raise InputError("line 7")

    with pytest.raises(InputError, match="line 7"):
        scan_all(Index(items), texts(), 1, 2, lambda *_: None)


def test_best_finding_of_each_benchmark(items: list[ProblemTexts]) -> None:
    mine = [
        Finding(0, 0, "solution", 1.0, 0, 1),
        Finding(0, 0, "prompt", 1.0, 0, 1),
        Finding(0, 2, "prompt", 0.8, 0, 1),
        Finding(0, 1, "prompt", 0.9, 0, 1),
    ]
    best = best_findings(Index(items), mine)
    assert [(f.item, f.kind) for f in best] == [(0, "prompt"), (1, "prompt")]
