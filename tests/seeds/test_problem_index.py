"""Problems that are found in a text, and texts that hold none."""

import random
import re
from pathlib import Path

import pytest
from benchmarks.contract import ProblemTexts
from seed_problems import CLEAN, CODE, PROMPT, SOLUTION, TEXT, searched
from seeds.problem_index import Index
from seeds.problem_scan import best_findings, leakage_by_benchmark, scan_all
from seeds.problem_texts import read_problems


def renamed(text: str) -> str:
    names = {
        "longest_plateau": "f7",
        "heights": "readings",
        "slack": "tolerance",
        "best": "top",
        "run": "streak",
        "before": "p",
        "here": "q",
    }
    return re.sub(r"\w+", lambda match: names.get(match[0], match[0]), text)


def found(items: list[ProblemTexts], text: str, threshold: float = 0.7) -> list[tuple[str, str]]:
    index = Index(items, threshold)
    return [(items[f.item].name, f.kind) for f in best_findings(index, index.scan([text], [(0,)]).findings)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PROMPT, "prompt"),
        (re.sub(r"\s+", " \n\t", PROMPT), "prompt"),
        (PROMPT.replace('"""', "'''"), "prompt"),
        (renamed(PROMPT + SOLUTION), "renamed prompt"),
        (SOLUTION, "solution"),
        (renamed(SOLUTION), "renamed solution"),
    ],
    ids=["verbatim", "white space", "quotes", "renamed", "solution", "renamed solution"],
)
def test_a_problem_is_found_in_other_text(items: list[ProblemTexts], text: str, kind: str) -> None:
    before = "A friend asked me for help with the following and I do not know how to begin.\n\n"
    assert found(items, f"{before}{text}\n\nThank you for every hint, and for patience.") == [("HumanEval/900", kind)]


def test_a_problem_of_one_sentence(items: list[ProblemTexts]) -> None:
    assert found(items, f"{TEXT}\nThank you!") == [("MBPP/77", "prompt")]
    assert found(items, f"Please {TEXT.lower().rstrip('.')}, in Rust") == [("MBPP/77", "prompt")]
    assert found(items, CODE.replace("\r\n", "\n\n")) == [("MBPP/77", "solution")]
    for near in (
        "Write a function to find the lamp that is oldest in the given evening log.",
        "Write a function to find the door that is opened most often in the given evening log.",
    ):
        assert found(items, near) == []


def test_pieces_of_problems_are_no_problem(items: list[ProblemTexts]) -> None:
    head, prose = PROMPT.split('"""')[:2]
    assert found(items, f'{head}""" Sum the heights. """\n    return sum(heights)') == []
    assert found(items, f"{' '.join(prose.split()[:14])}\n{SOLUTION[:90]}") == []
    scattered = PROMPT.split()
    random.Random(3).shuffle(scattered)
    assert found(items, " ".join(scattered)) == []
    assert found(items, "\n".join(CLEAN)) == []


def test_what_the_problems_of_a_benchmark_share_does_not_count() -> None:
    frame = (
        "Read the input from the standard input stream and print the answer to the standard output. {} Use fast input."
    )
    items = [
        ProblemTexts("B", str(n), frame.format(f"Count the {w} that glow."))
        for n, w in enumerate(("beetles", "rivers", "towers", "clouds"))
    ]
    assert found(items, frame.format("Count the violins that hum.")) == []
    assert found(items, frame.format("Count the towers that glow.")) == [("2", "prompt")]


def test_threshold_is_what_may_be_missing(items: list[ProblemTexts]) -> None:
    words = PROMPT.split(" ")
    most = " ".join(words[: len(words) * 4 // 5])
    assert found(items, most, 0.6) == [("HumanEval/900", "prompt")]
    assert found(items, most, 0.95) == []
    assert found(items, f"Hi. {PROMPT} Bye.", 1.0) == [("HumanEval/900", "prompt")]
    assert found(items, PROMPT, 0.0) == [("HumanEval/900", "prompt")]


def test_the_passage_is_that_of_the_problem(items: list[ProblemTexts]) -> None:
    text = f"İstanbul’s ridge.\n{PROMPT}\nDone."
    (finding,) = Index(items).scan([text], [(0,)]).findings[:1]
    assert finding.overlap == 1.0
    assert text[finding.start : finding.end].startswith("from typing import List")
    assert text[finding.start : finding.end].endswith("1")


@pytest.mark.heavy
def test_every_real_problem_is_found_verbatim(shared_data: Path) -> None:
    # EvalPlus's files are another form of HumanEval and MBPP, which is not read
    read = sorted(path for path in (shared_data / "benchmarks").iterdir() if path.name != "evalplus")
    items = read_problems(read)
    index = Index(items)
    texts = [f"Solve this.\n{item.prompt}\nThank you." for item in items]
    scan, _ = scan_all(index, map(searched, texts), 1, 1, lambda *_: None)
    own = {(f.row, index.items[f.item].prompt) for f in scan.findings}
    missed = [item.name for row, item in enumerate(items) if (row, item.prompt) not in own]
    assert missed == [] and index.too_short == 0
    assert leakage_by_benchmark(index, scan, 0, range(len(texts)))[0].indicator_4 == 1.0
