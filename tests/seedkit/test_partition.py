"""What the closing tables and the manifest say of tertiles: matched or not, and of an input that was decontaminated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seedkit import partition
from seedkit.files import file_facts
from seedkit.manifest import OutputFolder
from seedkit.records import json_lines, read_records
from seedkit.sources import Source

NAMES = ("T1.jsonl", "T2.jsonl", "T3.jsonl")


def told(folder: Path, path: Path, match: str | None) -> tuple[dict[str, Any], str]:
    """What describe and report say of tertiles by instruction length."""
    records = list(read_records(path))
    with OutputFolder(folder, "stage", (*NAMES, "scores.jsonl"), sources=[path]) as output:
        source = Source("S", path, file_facts(path), output, records, [])
        found = partition.scored_rows(source, [None] * len(records), 0)
        measured = partition.measure(source)
        values = np.array([float(len(record.instruction)) for record in records])
        by = partition.answer_tokens(measured) if match else None
        tertiles = partition.split("length", NAMES, "scores.jsonl", values, matched=match, by=by)
        balance = partition.balanced(source, found, tertiles, measured)
        return partition.describe(source, found, tertiles, balance), partition.report(source, found, tertiles, balance)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Records whose answers grow with their instructions, the clean file of a decontamination."""
    pick = np.random.default_rng(1)
    lengths = pick.integers(5, 200, 600)
    rows = [
        {"instruction": f"{number} {'a ' * length}", "output": "b " * int(length * pick.uniform(0.5, 1.5))}
        for number, length in enumerate(lengths.tolist())
    ]
    with OutputFolder(tmp_path / "in", "decontamination", ("S_clean.jsonl", "other.jsonl"), sources=[]) as output:
        for name in output.names:
            output.write(name, json_lines(rows))
        output.finish(
            {"clean": "S_clean.jsonl", "benchmarks": [{"file": "HumanEval.jsonl"}], "arguments": {"threshold": 0.7}}
        )
    return tmp_path / "in" / "S_clean.jsonl"


def test_what_was_taken_out_of_the_input_is_told(tmp_path: Path, path: Path) -> None:
    manifest, report = told(tmp_path / "out", path, None)
    assert manifest["balance"]["leakage"] == {"removed_before": ["HumanEval.jsonl"], "threshold": 0.7}
    assert report.splitlines()[-1] == "problems of HumanEval.jsonl were taken out of the input"
    manifest, report = told(tmp_path / "out", path.with_name("other.jsonl"), None)  # what was searched is not clean
    assert manifest["balance"]["leakage"] is None
    assert "taken out" not in report


def test_matched_tertiles_say_what_they_keep(tmp_path: Path, path: Path) -> None:
    (plain, _), (matched, report) = (told(tmp_path / "out", path, match) for match in (None, "answer_tokens"))
    assert "matched" not in plain["tertiles"]
    kept = matched["tertiles"]["matched"]["contrast_kept"]
    assert 0.1 < kept < 0.6
    assert f"within 20 bins of answer_tokens: {kept:.0%} of the contrast in length is kept" in report
    differing = [found["balance"]["largest_differences"]["answer_tokens"]["smd"] for found in (plain, matched)]
    assert abs(differing[1]) < 0.25 < 2 < abs(differing[0])
    assert [row["records"] for row in plain["balance"]["subsets"].values()] == [200, 200, 200]


def test_the_contrast_kept_is_a_share_of_the_means() -> None:
    values = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8])
    by = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3])  # three bins, each of which has a tertile of the values
    tertiles = partition.split("value", NAMES, "scores.jsonl", values, matched="x", by=by)
    assert tertiles.tertile.tolist() == [1, 2, 3] * 3
    assert tertiles.contrast_kept == pytest.approx((5 - 3) / (7 - 1))
