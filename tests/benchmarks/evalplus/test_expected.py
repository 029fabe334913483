"""What the reference answers: computed once, kept by content, and never what a damaged file says."""

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.evalplus.comparison import HUMANEVAL, MBPP
from benchmarks.evalplus.expected import LARGE, InputSet, expected
from sandbox.in_jail.codec import digest
from seedkit.errors import InputError


def calls(body: str, inputs: list[Any], **more: Any) -> InputSet:
    fields = {"data_set": HUMANEVAL, "number": 0, "name": "f", "atol": 0.0, **more}
    return InputSet(reference=f"def f(x):\n    {body}\n", inputs=json.dumps(inputs), count=len(inputs), **fields)


def values(which: InputSet) -> list[Any]:
    """As another process would find them."""
    expected.cache_clear()
    return [answer.value for answer in expected(which)]


@pytest.fixture
def counted(tmp_path: Path) -> tuple[InputSet, Path]:
    """Calls whose reference leaves a letter in a file for each."""
    log = tmp_path / "log"
    return calls(
        f"import pathlib\n    with pathlib.Path({str(log)!r}).open('a') as f: f.write('x')\n    return x + 1",
        [[1], [2]],
    ), log


def test_it_is_computed_once(cache: Path, counted: tuple[InputSet, Path]) -> None:
    which, log = counted
    assert [values(which), values(which)] == [[2, 3], [2, 3]]
    assert log.read_text() == "xx" and len(list(cache.iterdir())) == 1
    assert all(answer.seconds > 0 for answer in expected(which))
    other = InputSet(HUMANEVAL, 0, "f", which.reference, "[[5]]", 1, 0.0)
    assert values(other) == [6] and len(list(cache.iterdir())) == 2


@pytest.mark.parametrize(
    "damage", [b"", b"[", b"{}x", b"[1]", b'[[["i", "z"], null, 1, 1.0]]', b'[[["o", 0], null, 1, 1.0]]', b"\xff"]
)
def test_a_damaged_file_is_made_anew(cache: Path, counted: tuple[InputSet, Path], damage: bytes) -> None:
    which, log = counted
    values(which)
    (file,) = cache.iterdir()
    sound = [value for value, *_ in json.loads(file.read_bytes())]
    file.write_bytes(damage)
    assert values(which) == [2, 3] and log.read_text() == "xxxx"
    assert [value for value, *_ in json.loads(file.read_bytes())] == sound


def test_a_file_of_too_few_answers_is_made_anew(cache: Path, counted: tuple[InputSet, Path]) -> None:
    which, _ = counted
    values(which)
    (file,) = cache.iterdir()
    file.write_text(json.dumps(json.loads(file.read_text())[:1]))
    assert values(which) == [2, 3]


def test_a_folder_that_cannot_be_written(tmp_path: Path, cache: Path, counted: tuple[InputSet, Path]) -> None:
    which, log = counted
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert [values(which), values(which)] == [[2, 3], [2, 3]]
    assert log.read_text() == "xxxx"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 // x", "the reference of f fails: ZeroDivisionError"),
        ("return object()", "the reference of f answers a object, expected plain data"),
        ("return (", "the reference of f fails: SyntaxError"),
        ("return g(x)", "the reference of f fails: NameError"),
    ],
)
def test_a_reference_that_fails_is_one_line(cache: Path, body: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        values(calls(body, [[0]]))
    assert "\n" not in str(raised.value) and not cache.exists()


def test_values_come_back_as_they_were(cache: Path) -> None:
    which = calls("return [x, 10 ** 5000, float('inf'), {1: (2, {3})}, 1j, b'a', True, '\\ud800']", [[10**30]])
    first, again = values(which), values(which)
    assert first == again == [[10**30, 10**5000, float("inf"), {1: (2, {3})}, 1j, b"a", True, "\ud800"]]
    counter = calls("import collections; return collections.Counter(x)", [["aab"]])
    assert [type(value) for value in values(counter) + values(counter)] == [dict, dict]
    assert values(calls("print(x)", [[1]], data_set=MBPP, name="f", number=3)) == [None]


def test_of_a_large_answer_the_hash_is_kept(cache: Path) -> None:
    which = calls("return [x] * 100_000", [[1], [2]])
    for _ in range(2):
        expected.cache_clear()
        found = expected(which)
        assert [answer.digest for answer in found] == [digest([1] * 100_000), digest([2] * 100_000)]
        assert all(answer.value is None and answer.size == 300_000 > LARGE for answer in found)
    (file,) = cache.iterdir()
    assert file.stat().st_size < 1000
    mapping = calls("return {n: x for n in range(20_000)}", [[1]])  # of a dict the order says nothing
    assert expected(mapping)[0].digest is None and values(mapping) == [{n: 1 for n in range(20_000)}]


def test_what_a_reference_prints_is_not_shown(cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert values(calls("import sys; print('out'); print('err', file=sys.stderr); return x", [[1]])) == [1]
    assert capfd.readouterr() == ("", "")
