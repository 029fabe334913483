"""Agreement, filters, and which answer is the best one."""

import pytest
from inference.chat import ChatAnswer
from seedkit.errors import UsageError
from teacher.answer_files import NumberedAnswer
from teacher.answer_verdicts import VERDICTS, AnswerVerdict
from teacher.choosing import VerifiedAnswer, agreements, check_choice, chosen_of, filter_costs, passes, verified


def group(*answers: tuple[str, str, str | None], id_: str = "a") -> list[VerifiedAnswer]:
    """Answers to a record: (text, verdict, results such as "101")."""
    numbered = [
        NumberedAnswer(id_, n, ChatAnswer(text, "stop", 1, len(text), 0.0)) for n, (text, *_) in enumerate(answers, 1)
    ]
    verdicts = [
        AnswerVerdict(verdict, "py", "", None if said is None else tuple(one == "1" for one in said))
        for _, verdict, said in answers
    ]
    return verified(numbered, verdicts)


def test_agreement_is_the_share_of_the_others_that_pass_the_same_tests() -> None:
    found = group(
        ("a", "runs", "101"),
        ("b", "runs", "101"),
        ("c", "runs", "111"),
        ("d", "raises", "000"),
        ("e", "infra_error", None),
    )
    assert [one.agreement for one in found] == [round(1 / 3, 6), round(1 / 3, 6), 0.0, 0.0, None]
    assert [one.pass_fraction for one in found] == [round(2 / 3, 6), round(2 / 3, 6), 1.0, 0.0, None]
    assert agreements([AnswerVerdict("runs", "py", "", (True,))]) == [None]
    assert agreements([AnswerVerdict("runs", "py")] * 3) == [None] * 3


def test_best_is_most_tests_then_agreement_then_the_shortest_then_the_first() -> None:
    def best(*answers: tuple[str, str, str | None]) -> str:
        (one,) = chosen_of(group(*answers), "best")
        return one.numbered.answer.text

    assert best(("long one", "runs", "11"), ("b", "runs", "10"), ("c", "runs", "10")) == "long one"
    assert best(("a", "runs", "10"), ("long one", "runs", "01"), ("long two", "runs", "01")) == "long one"
    assert best(("longer", "runs", "11"), ("short", "runs", "11")) == "short"
    assert best(("one", "runs", "11"), ("two", "runs", "11")) == "one"
    assert best(("one", "infra_error", None), ("two", "raises", "00")) == "two"
    assert [one.numbered.number for one in chosen_of(group(("x", "runs", None), ("y", "runs", None)), "all")] == [1, 2]
    assert chosen_of([], "best") == []


def test_what_each_filter_keeps() -> None:
    kept = {
        require: {verdict for verdict in VERDICTS if passes(group(("a", verdict, None))[0], require, 0)}
        for require in (None, "parses", "runs", "tests")
    }
    assert kept == {
        None: set(VERDICTS), "parses": {"parses", "runs", "raises", "times_out"}, "runs": {"runs"}, "tests": set(),
    }  # fmt: skip
    half, whole = group(("a", "runs", "10"), ("b", "raises", "11"))
    assert [passes(half, None, share) for share in (0.0, 0.5, 0.6)] == [True, True, False]
    assert not passes(half, "tests", 0) and passes(whole, "tests", 0) and not passes(whole, "runs", 0.5)


def test_the_table_has_what_every_filter_would_cost() -> None:
    records = [
        group(("aaaa", "runs", "11"), ("bb", "truncated", "10")),
        group(("c", "syntax_error", "00"), ("d", "raises", "01"), id_="b"),
        group(("e", "no_code", None), id_="c"),
    ]
    found = {one.filter: (one.answers, one.records, one.completion_tokens) for one in filter_costs(records, tests=True)}
    assert found == {
        "none": (5, 3, 9), "not truncated": (4, 3, 7), "parses": (2, 2, 5), "runs": (1, 1, 4),
        "pass_fraction >= 0.25": (3, 2, 7), "pass_fraction >= 0.5": (3, 2, 7), "pass_fraction >= 0.75": (1, 1, 4),
        "tests": (1, 1, 4),
    }  # fmt: skip
    assert [one.filter for one in filter_costs(records, tests=False)] == ["none", "not truncated", "parses", "runs"]


@pytest.mark.parametrize("asked", [("best", None, 0.0), ("first", "tests", 0.0), ("all", None, 0.5)])
def test_what_goes_by_tests_needs_them(asked: tuple[str, str | None, float]) -> None:
    with pytest.raises(UsageError, match="expected --tests with it"):
        check_choice(*asked, tests=False)
    check_choice(*asked, tests=True)
