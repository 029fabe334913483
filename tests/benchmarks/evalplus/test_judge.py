"""Judging answers to HumanEval+ and MBPP+ in a jail: both parts, their limits, and large answers."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.contract import Problem
from benchmarks.evalplus import judge as judging
from benchmarks.evalplus.benchmark import HumanEvalPlus, MbppPlus
from benchmarks.evalplus.expected import expected
from python_problems import ADD, MBPP_PLUS, PLUS, write
from sandbox.contract import Limits, Sandbox
from sandbox.judging.verdict import Verdict

Load = Callable[..., Problem]
LIMITS = Limits(1.0)


def judged(problem: Problem, body: str, sandbox: Sandbox, limits: Limits = LIMITS) -> tuple[str, str | None]:
    verdict = HumanEvalPlus().judge(problem, body, sandbox, limits)
    return verdict.name, verdict.base


@pytest.mark.parametrize(
    ("body", "verdict", "base"),
    [
        ("    return a + b\n", "pass", "pass"),
        ("    return None\n", "fail", "fail"),
        ("    return a + b if a > -5 else 0\n", "fail", "pass"),
        ("    return a + b if a else 7\n", "fail", "pass"),
        ("    while a != 1: pass\n    return a + b\n", "timeout", "pass"),
        ("    while True: pass\n", "timeout", "timeout"),
        ("    if a != 1: exit(0)\n    return a + b\n", "fail", "pass"),
        ("    if a == -5: open('/x', 'w')\n    return a + b\n", "blocked", "pass"),
        ("    if a == -5: [0] * (1 << 30)\n    return a + b\n", "memory", "pass"),
        ("    return (\n", "syntax", "syntax"),
        ("def add(a, b):\n    return a + b\n", "pass", "pass"),  # a whole program instead of what follows the prompt
    ],
)
def test_verdicts(load: Load, sandbox: Sandbox, body: str, verdict: str, base: str) -> None:
    assert judged(load(), body, sandbox) == (verdict, base)


def test_which_input_failed_is_said(load: Load, sandbox: Sandbox) -> None:
    found = HumanEvalPlus().judge(load(), "    return a + b if a > -5 else 0\n", sandbox, LIMITS)
    assert found.stderr.splitlines()[0] == "plus input 3 of 3: another answer"
    found = HumanEvalPlus().judge(load(), "    raise KeyError(a)\n", sandbox, LIMITS)
    assert found.stderr.splitlines()[0] == "base input 1 of 1: KeyError"


def test_programs_for_tests(tmp_path: Path, cache: Path, sandbox: Sandbox) -> None:
    """The form of the base benchmark: here the package's own tests of HumanEval/53, `add`, are the base."""
    test = "def check(candidate):\n    assert candidate(1, 1) == 2\n    assert candidate(2.5, 1) == 3.5\n"
    row = {**ADD, "task_id": "HumanEval/53", "prompt": PLUS["prompt"], "test": test}
    (problem,) = HumanEvalPlus().load(write(tmp_path / "one.jsonl", row))
    assert judged(problem, "    return a + b\n", sandbox) == ("pass", "pass")
    assert judged(problem, "    return int(a + b)\n", sandbox) == ("fail", "pass")
    assert judged(problem, "    return 2\n", sandbox) == ("fail", "fail")
    assert not cache.exists()  # such tests have what is expected in them


def test_programs_for_tests_may_expect_large_answers(tmp_path: Path, cache: Path, sandbox: Sandbox) -> None:
    test = "def check(candidate):\n    assert candidate([7], 2_000_000) == [7] * 2_000_000\n"
    (problem,) = HumanEvalPlus().load(write(tmp_path / "one.jsonl", {**ADD, "task_id": "HumanEval/999", "test": test}))
    assert judged(problem, "    return a * b\n", sandbox, Limits(10.0)) == (
        "pass",
        None,
    )  # 6 MB; there are no base tests
    assert judged(problem, "    return a * (b + 1)\n", sandbox, Limits(10.0)) == ("fail", None)


def test_the_slip_in_the_release_is_mended(tmp_path: Path, cache: Path, sandbox: Sandbox) -> None:
    """HumanEval/32: the program for a test unpacks the answer, which is a number, instead of the arguments."""
    test = "def _poly(xs, x):\n    return xs[0] + xs[1] * x\n\ndef check(candidate):\n    for inp in [[[2, 1]]]:\n"
    row = {**ADD, "task_id": "HumanEval/999", "entry_point": "zero", "prompt": "def zero(xs):\n"}
    row["test"] = f"{test}        assert _poly(*candidate(*inp), inp) <= 0.0001\n"
    (problem,) = HumanEvalPlus().load(write(tmp_path / "one.jsonl", row))
    for answer, verdict in (("-xs[0] / xs[1]", "pass"), ("-5", "fail"), ("0", "fail"), ("[xs[0], 0]", "fail")):
        assert judged(problem, f"    return {answer}\n", sandbox)[0] == verdict


def test_mbpp_plus(tmp_path: Path, cache: Path, sandbox: Sandbox) -> None:
    (problem,) = MbppPlus().load(write(tmp_path / "one.jsonl", MBPP_PLUS))
    for program, verdict in (
        (problem.reference, Verdict("pass", 0, "", "pass")),
        (problem.wrong, Verdict("fail", 0, "", "fail")),
        ("def twice(x): return x * 2 if isinstance(x, int) else x", Verdict("fail", 0, "", "pass")),
    ):
        found = MbppPlus().judge(problem, program, sandbox, LIMITS)
        assert (found.name, found.base) == (verdict.name, verdict.base), found


def test_a_reference_that_raises_is_the_datas_fault(load: Load, sandbox: Sandbox) -> None:
    problem = load(plus_input=[["a", 1]])
    found = HumanEvalPlus().judge(problem, "    return a + b\n", sandbox, LIMITS)
    assert (found.name, found.base) == ("infra_error", None)
    assert found.stderr.startswith("the reference of add fails: TypeError")


def test_what_is_expected_is_not_computed_in_the_jail(load: Load, sandbox: Sandbox) -> None:
    """No name of the judge's is there, and calls that come ahead hold no answers."""
    spying = "    import sys, gc\n    texts = [o for o in gc.get_objects() if type(o) is dict and '987654321' in str(o.get('x'))]\n"
    problem = load(plus_input=[[987654320, 1]] * 3)
    assert judged(problem, f"{spying}    return texts and 987654321 or None\n", sandbox) == ("fail", "fail")


def test_an_argument_changed_in_place_is_no_harm(load: Load, sandbox: Sandbox) -> None:
    """The next call gets its own, and the comparison sees the one of its call."""
    problem = load(
        prompt="def add(a, b):\n",
        canonical_solution="    return sorted(a)[b]\n",
        base_input=[[[3, 1], 0]],
        plus_input=[[[3, 1, 2], 0], [[3, 1, 2], 2]],
    )
    assert judged(problem, "    a.sort()\n    found = a[b]\n    a.clear()\n    return found\n", sandbox) == (
        "pass",
        "pass",
    )


def test_more_inputs_than_a_pipe_holds(load: Load, sandbox: Sandbox) -> None:
    """Small calls go ahead by the thousand; one larger than the pipe goes alone; the order of the answers is kept."""
    calls: list[list[object]] = [[n, n] for n in range(5000)]
    calls[100:100] = [["x" * 300_000, "y"]]
    problem = load(plus_input=calls)
    assert judged(problem, "    return a + b\n", sandbox) == ("pass", "pass")
    assert judged(problem, "    return a + b if a != 4998 else 0\n", sandbox) == ("fail", "pass")
    printing = "    import sys; print('x' * 500, file=sys.stderr); return a + b\n"
    assert judged(problem, printing, sandbox) == ("pass", "pass")


def test_the_time_of_each_call_counts(load: Load, sandbox: Sandbox) -> None:
    """Each of many calls has its own limit: those that were sent ahead do not use up that of the first."""
    problem = load(plus_input=[[n, 0] for n in range(8)])
    slow = "    import time; time.sleep(0.4); return a + b\n"
    started = time.monotonic()
    assert judged(problem, slow, sandbox) == ("pass", "pass")  # more than 3 s together, and a second for each
    assert time.monotonic() - started > 3
    assert judged(problem, "    import time; time.sleep(4.5 * (a == 6)); return a + b\n", sandbox) == (
        "timeout",
        "pass",
    )


def test_the_limit_of_a_call_is_a_multiple_of_its_reference(load: Load, sandbox: Sandbox) -> None:
    problem = load(
        canonical_solution="    import time; time.sleep(0.5 * (a == 9)); return a + b\n", plus_input=[[9, 1]]
    )
    assert judged(problem, "    import time; time.sleep(4.5); return a + b\n", sandbox)[0] == "timeout"  # base: 1 s
    assert judged(problem, "    import time; time.sleep(1.5 * (a == 9)); return a + b\n", sandbox) == ("pass", "pass")


def test_all_calls_of_a_part_have_a_limit(load: Load, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_S", 1.0)
    problem = load(plus_input=[[n, 0] for n in range(100)])
    started = time.monotonic()
    slow = "    import time; time.sleep(0.3 * (b == 0)); return a + b\n"
    assert judged(problem, slow, sandbox) == ("timeout", "pass")
    assert time.monotonic() - started < 20  # all calls would take 30


@pytest.mark.parametrize(
    ("returned", "verdict"),
    [
        ("[a + b] * 100_000", "pass"),
        ("[float(a + b)] * 100_000", "pass"),  # another text, but equal
        ("[a + b] * 99_999 + [0]", "fail"),
        ("[a + b] * 100_001", "fail"),
        ("(a + b,) * 100_000", "fail"),
        ("str([a + b] * 100_000)", "fail"),
        ("type('L', (list,), {'__repr__': lambda s: str([a + b] * 100_000)})()", "fail"),
        ("None", "fail"),
        ("list(range(3_000_000))", "fail"),  # more than thrice as long as what is expected
    ],
)
def test_large_answers(load: Load, sandbox: Sandbox, returned: str, verdict: str) -> None:
    problem = load(
        canonical_solution="    return [a + b] * (100_000 if a else 1)\n",
        base_input=[[0, 1]],
        plus_input=[[1, 1], [2, 3]],
    )
    body = f"    return {returned} if a else [b]\n"
    assert judged(problem, body, sandbox, Limits(5.0)) == (verdict, "pass")


def test_a_hash_that_a_program_names_is_not_believed(load: Load, sandbox: Sandbox) -> None:
    """The driver's own function may be replaced from within: without the value there is no hash to give."""
    problem = load(canonical_solution="    return [a + b] * 100_000\n")
    forging = "    import sys\n    sys._getframe(1).f_globals['digest'] = lambda _: '0' * 32\n    return [0]\n"
    assert judged(problem, forging, sandbox) == ("fail", "fail")


def test_big_integers_and_infinities(load: Load, sandbox: Sandbox) -> None:
    problem = load(
        canonical_solution="    return a ** b\n", base_input=[[10, 6000]], plus_input=[[10**40, 3], [float("inf"), 2]]
    )
    assert "Infinity" in json.dumps(problem.tests.plus.read())
    assert judged(problem, "    return a ** b\n", sandbox) == ("pass", "pass")
    assert judged(problem, "    return a ** b + (a == 10 ** 40)\n", sandbox) == ("fail", "pass")


def test_what_is_expected_comes_from_the_cache(load: Load, cache: Path, sandbox: Sandbox) -> None:
    """Two files, for base and plus; a verdict follows what they say."""
    problem = load()
    assert judged(problem, "    return a + b\n", sandbox) == ("pass", "pass")
    assert len(list(cache.iterdir())) == 2
    for path in cache.iterdir():
        path.write_text(path.read_text().replace("[3,", "[4,").replace("[[3", "[[4"))
    expected.cache_clear()
    assert judged(problem, "    return a + b\n", sandbox) == ("fail", "fail")
