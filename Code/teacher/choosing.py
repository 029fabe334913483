"""Which answers become records, and what each way of filtering them would cost.

Papers disagree on whether filtering answers helps (OpenThoughts3, arXiv 2506.04178, found no filter that beats none;
OpenCodeInstruct, arXiv 2504.04030, keeps 9%), so nothing is left out unless it is asked for, and the table shows every filter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seedkit.errors import UsageError

from teacher.answer_files import BEST, FIRST, NumberedAnswer
from teacher.answer_verdicts import INFRA_ERROR, PARSES, RAISES, RUNS, TIMES_OUT, TRUNCATED, AnswerVerdict

PARSING = (PARSES, RUNS, RAISES, TIMES_OUT)  # verdicts of code that parses
TESTS = "tests"
REQUIRED = (PARSES, RUNS, TESTS)
_SHARES = (0.25, 0.5, 0.75)  # of tests, in the table


@dataclass(frozen=True, slots=True)
class VerifiedAnswer:
    """An answer with its verdict and, where its record has tests, what it made of them."""

    numbered: NumberedAnswer
    verdict: AnswerVerdict
    pass_fraction: float | None  # tests passed, of all; None without tests
    agreement: float | None  # see `agreements`

    @property
    def tests_passed(self) -> int | None:
        return None if self.verdict.passed is None else sum(self.verdict.passed)


def agreements(verdicts: Sequence[AnswerVerdict]) -> list[float | None]:
    """For each answer to a record, the share of the record's other answers that pass exactly the same tests.

    Of n answers with results r_1 ... r_n, each a vector of passed and not passed: a_i = |{j != i: r_j = r_i}| / (n - 1).
    Answers without results (infra_error) are left out of n and have None; so has the only one. It is 1 where all answers
    do the same, be it all wrong, as CodeT's consensus sets are (arXiv 2207.10397).
    """
    results = [verdict.passed for verdict in verdicts]
    known = [one for one in results if one is not None]
    if len(known) < 2:
        return [None] * len(results)
    return [None if one is None else round((known.count(one) - 1) / (len(known) - 1), 6) for one in results]


def verified(numbered: Sequence[NumberedAnswer], verdicts: Sequence[AnswerVerdict]) -> list[VerifiedAnswer]:
    """The answers to one record with their verdicts."""
    shares = [None if one.passed is None else round(sum(one.passed) / len(one.passed), 6) for one in verdicts]
    return list(map(VerifiedAnswer, numbered, verdicts, shares, agreements(verdicts)))


def passes(answer: VerifiedAnswer, require: str | None, min_pass_fraction: float) -> bool:
    """Whether an answer is kept by --require and --min_pass_fraction; one without a pass_fraction passes no test."""
    verdict, share = answer.verdict.verdict, answer.pass_fraction or 0.0
    if min_pass_fraction > 0 and share < min_pass_fraction:
        return False
    if require == TESTS:
        return share == 1.0
    return require is None or verdict == RUNS or (require == PARSES and verdict in PARSING)


def chosen_of(answers: Sequence[VerifiedAnswer], choose: str) -> list[VerifiedAnswer]:
    """The answers to one record that become records, of those that are kept.

    BEST is the one that passes most tests, then the one with the highest agreement, then the shortest, then the first.
    """
    if choose == FIRST:
        return list(answers[:1])
    if choose == BEST:
        return sorted(answers, key=_rank)[:1]
    return list(answers)


def _rank(answer: VerifiedAnswer) -> tuple[float, float, int, int]:
    tests = -1 if answer.tests_passed is None else answer.tests_passed
    agreement = -1.0 if answer.agreement is None else answer.agreement
    return -tests, -agreement, len(answer.numbered.answer.text), answer.numbered.number


def check_choice(choose: str, require: str | None, min_pass_fraction: float, tests: bool) -> None:
    """Raises UsageError where a choice needs tests and there are none."""
    wants = [
        f"--choose {choose}" if choose == BEST else "",
        f"--require {require}" if require == TESTS else "",
        f"--min_pass_fraction {min_pass_fraction:g}" if min_pass_fraction else "",
    ]
    if not tests and any(wants):
        raise UsageError(f"{next(filter(None, wants))}: goes by tests; expected --tests with it")


@dataclass(frozen=True, slots=True)
class FilterCost:
    """What a filter would keep."""

    filter: str
    answers: int
    records: int  # with at least one answer that is kept
    completion_tokens: int | None  # of the answers that are kept; None where a server does not say them


def filter_costs(records: Sequence[Sequence[VerifiedAnswer]], *, tests: bool) -> list[FilterCost]:
    """What each filter alone would keep, the first of them being none; `records` has a list of answers for each record."""
    filters: list[tuple[str, str | None, float]] = [("none", None, 0.0), ("parses", PARSES, 0.0), ("runs", RUNS, 0.0)]
    if tests:
        filters += [(f"pass_fraction >= {share:g}", None, share) for share in _SHARES]
        filters.append((TESTS, TESTS, 0.0))
    found = [
        _cost(name, [[one for one in answers if passes(one, require, share)] for answers in records])
        for name, require, share in filters
    ]
    whole = [[one for one in answers if one.verdict.verdict != TRUNCATED] for answers in records]
    return [found[0], _cost("not truncated", whole), *found[1:]]


def _cost(name: str, kept: Sequence[Sequence[VerifiedAnswer]]) -> FilterCost:
    tokens = [one.numbered.answer.completion_tokens for answers in kept for one in answers]
    total = None if None in tokens else sum(count for count in tokens if count is not None)
    return FilterCost(name, len(tokens), sum(map(bool, kept)), total)


def undecided(answers: Sequence[VerifiedAnswer]) -> int:
    """How many answers have no verdict for a reason that is not theirs."""
    return sum(one.verdict.verdict == INFRA_ERROR for one in answers)
