"""Programs that want a verdict that they have not earned, against plus tests: no base test stands before these."""

from collections.abc import Callable

import pytest
from adversary import PIPES, attacks
from benchmarks.contract import Problem
from benchmarks.evalplus.benchmark import HumanEvalPlus
from sandbox.contract import Limits, Sandbox

PROMPT = 'def add(x: int, y: int):\n    """Add two numbers."""\n'
NAMES = (
    "equal_object",
    "equal_int",
    "prints_pass",
    "frames_on_every_fd",
    "thread_of_frames",
    "leaves_with_status_0",
    "exits_at_last_call",
    "answers_early",
    "replays_stdin",
    "giant_frame_length",
    "deep_list",
    "huge_int_digits",
    "reads_ahead",
    "driver_globals",
    "builtins_patched",
)
# reads what was sent ahead of its calls, and answers all of it at once with what it takes for right
ANSWERS_AHEAD = f"""{PIPES}
import os

def add(x, y):
    for fd in READ:
        os.set_blocking(fd, False)
        try:
            while os.read(fd, 65536): pass
        except OSError:
            pass
    frame = b'["value",0,[]]'
    for fd in WRITE:
        try:
            os.write(fd, 3000 * (len(frame).to_bytes(4, "little") + frame))
        except OSError:
            pass
    return 0
"""
# of a large answer a hash comes out first: this one takes any text for the hash, and gives an object for the answer
FORGES_HASHES = """
import sys

class Equal(list):
    def __eq__(self, other): return True
    def __repr__(self): return "[" + ", ".join(["1"] * 30000) + "]"

def add(x, y):
    frame = sys._getframe()
    while frame:
        if "digest" in frame.f_globals:
            frame.f_globals["digest"] = lambda value: Equal()
        frame = frame.f_back
    return Equal([0] * 30000)
"""


@pytest.fixture
def plus_alone(load: Callable[..., Problem]) -> Problem:
    return load(
        task_id="HumanEval/53",
        prompt=PROMPT,
        canonical_solution="    return x + y\n",
        base_input=[],
        plus_input=[[n, n * n] for n in range(1, 2000)],
    )


@pytest.mark.parametrize("name", NAMES)
def test_hostile_programs_do_not_pass(name: str, plus_alone: Problem, sandbox: Sandbox) -> None:
    (attack,) = [one for one in attacks() if one.name == name]
    world = dict.fromkeys(
        ("MARK", "SECRET", "CANARY", "OUTSIDE", "TCP", "UDP", "UNIX", "ABSTRACT", "JUDGE", "ROOT"), "1"
    )
    found = HumanEvalPlus().judge(plus_alone, attack.completion(world), sandbox, Limits(1.0))
    assert found.name in attack.verdicts, (attack.tries, found)
    assert found.base in ("pass", found.name)  # there are no base tests to fail, but a program may not load
    right = HumanEvalPlus().judge(plus_alone, "    return x + y\n", sandbox, Limits(1.0))
    assert (right.name, right.base) == ("pass", "pass")


@pytest.mark.parametrize("body", [ANSWERS_AHEAD, FORGES_HASHES])
def test_calls_sent_ahead_and_hashes_give_nothing_away(body: str, plus_alone: Problem, sandbox: Sandbox) -> None:
    found = HumanEvalPlus().judge(plus_alone, f"    pass\n{body}", sandbox, Limits(1.0))
    assert found.name in ("fail", "timeout"), found


def test_a_forged_hash_of_a_large_answer(load: Callable[..., Problem], sandbox: Sandbox) -> None:
    problem = load(prompt=PROMPT, canonical_solution="    return [1] * 30000\n", base_input=[], plus_input=[[1, 1]])
    found = HumanEvalPlus().judge(problem, f"    pass\n{FORGES_HASHES}", sandbox, Limits(1.0))
    assert found.name == "fail", found
    right = HumanEvalPlus().judge(problem, "    return [1] * 30000\n", sandbox, Limits(1.0))
    assert right.name == "pass"
