"""Benchmarks by their names."""

from datetime import date

import pytest
from benchmarks import BENCHMARKS, open_benchmark
from benchmarks.contract import Selection
from seedkit.errors import UsageError


def test_each_benchmark_is_found_under_its_name() -> None:
    assert {name: BENCHMARKS[name]().name for name in BENCHMARKS} == {name: name for name in BENCHMARKS}
    assert {name: open_benchmark(name).name for name in BENCHMARKS} == {name: name for name in BENCHMARKS}


def test_each_benchmark_has_the_time_limit_of_its_authors() -> None:
    found = {name: open_benchmark(name).min_seconds for name in BENCHMARKS if not name.startswith("multipl-e")}
    three = dict.fromkeys(("humaneval", "mbpp", "mbpp-full"), 3.0)
    assert found == {**three, "humaneval-plus": 1.0, "mbpp-plus": 1.0, "livecodebench": 6.0}


def test_a_selection_is_for_livecodebench_alone() -> None:
    selection = Selection(date_from=date(2024, 8, 1))
    assert open_benchmark("livecodebench", selection).name == "livecodebench"
    with pytest.raises(UsageError, match="--benchmark mbpp: expected no --release, --date_from"):
        open_benchmark("mbpp", selection)
    with pytest.raises(UsageError, match="--benchmark evals: expected one of humaneval, humaneval-plus, "):
        open_benchmark("evals")
