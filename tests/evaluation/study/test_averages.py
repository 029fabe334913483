"""The average over benchmarks, and its interval: versions of one problem count as one."""

import numpy as np
import pytest
from evaluation.metrics.intervals import mean_interval
from evaluation.study.averages import average, average_interval, weights


def tasks(form: str, problems: int) -> list[str]:
    return [form.format(number) for number in range(problems)]


def one_sample(rates: object) -> "np.typing.NDArray[np.float64]":
    return np.asarray(rates, dtype=np.float64)


def test_languages_together_count_as_one_benchmark() -> None:
    names = ["humaneval", "multipl-e-js", "multipl-e-mbpp-cpp", "livecodebench"]
    assert weights(names) == pytest.approx({names[0]: 1 / 3, names[1]: 1 / 6, names[2]: 1 / 6, names[3]: 1 / 3})
    assert average(dict(zip(names, [0.5, 0.2, 0.4, 0.0], strict=True))) == pytest.approx((0.5 + 0.3 + 0.0) / 3)
    assert average({"humaneval": 0.5, "mbpp": None}) is None and average({}) is None


def test_versions_of_a_problem_say_no_more_than_one() -> None:
    """The same verdicts in HumanEval, HumanEval+ and a translation: as wide as HumanEval alone. Of others it is narrower."""
    verdicts = one_sample([[1] * 60 + [0] * 104])
    alone = mean_interval(verdicts[0])
    same = {
        "humaneval": (tasks("HumanEval/{}", 164), verdicts),
        "humaneval-plus": (tasks("HumanEval/{}", 164), verdicts),
        "multipl-e-js": (tasks("HumanEval_{}_a_name", 164), verdicts),
    }
    found = average_interval(same)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))
    others = {
        name: (tasks(form, 164), verdicts)
        for name, form in (("humaneval", "HumanEval/{}"), ("mbpp", "MBPP/{}"), ("livecodebench", "x{}"))
    }
    narrow = average_interval(others)
    assert narrow.high - narrow.low < 0.65 * (alone.high - alone.low)
    mbpp = {"mbpp": (tasks("MBPP/{}", 164), verdicts), "mbpp-plus": (tasks("Mbpp/{}", 164), verdicts)}
    assert average_interval(mbpp).low == pytest.approx(alone.low)


def test_it_holds_the_average_of_benchmarks_with_problems_in_common() -> None:
    """HumanEval, two translations of most of it, and MBPP; three runs. Taken one by one, the problems would hold less."""
    rng = np.random.default_rng(0)
    names = ["humaneval", "multipl-e-js", "multipl-e-sh", "mbpp"]
    ids = [tasks("HumanEval/{}", 164), *[tasks("HumanEval_{}_n", 161)] * 2, tasks("MBPP/{}", 200)]
    covered = apart = 0
    for _ in range(300):
        problem = 2.5 * rng.standard_normal(164), 2.5 * rng.standard_normal(200)
        run = 0.05 * rng.standard_normal((3, 1))
        rates = {}
        for name, own in zip(names, ids, strict=True):
            latent = problem[name == "mbpp"][: len(own)] + run + rng.standard_normal((3, len(own)))
            rates[name] = own, one_sample(latent > 0)
        found = average_interval(rates)
        covered += found.low <= 0.5 <= found.high
        renamed = {name: ([f"{name}-{task}" for task in own], table) for name, (own, table) in rates.items()}
        wrong = average_interval(renamed)
        apart += wrong.low <= 0.5 <= wrong.high
    assert covered / 300 >= 0.93
    assert apart < covered - 10


def test_none_and_all_are_not_certain() -> None:
    for verdict in (0, 1):
        found = average_interval(
            {name: (tasks(f"{name}{{}}", 20), one_sample([[verdict] * 20] * 3)) for name in ("humaneval", "mbpp")}
        )
        assert found.high - found.low > 0.05
