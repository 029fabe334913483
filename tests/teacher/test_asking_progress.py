"""The line that says how far asking is."""

import time
from collections import Counter

import pytest
from inference.chat import ChatAnswer, Refusal
from teacher import asking_progress
from teacher.asking_progress import AskingProgress


def test_a_line_has_answers_tokens_failures_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asking_progress, "EVERY_S", 0.05)
    failures: Counter[str] = Counter()
    with AskingProgress("EVOL", 10, failures) as progress:
        time.sleep(0.12)
        progress.skipped()
        progress.came([ChatAnswer("a", "stop", 1, 50, 0.1), Refusal("no")])
        failures["HTTP 429"] += 3
        line = progress.line()
    said = capsys.readouterr().err.splitlines()
    assert (
        line.startswith("EVOL: 3 of 10 answers, ") and ", 1 refused, failed tries: HTTP 429 3, about 0 min left" in line
    )
    assert len(said) >= 3 and said[-1].startswith("EVOL: 3 of 10")  # also while nothing came, and one at the end
