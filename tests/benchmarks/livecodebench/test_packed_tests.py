"""LiveCodeBench: packed tests that are hostile."""

import base64
import io
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contract import Problem
from benchmarks.livecodebench.benchmark import LiveCodeBench
from benchmarks.livecodebench.packed_tests import _Texts
from livecodebench_rows import fusion, packed, written
from seedkit.errors import InputError


class Hostile:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.parts


def hostile(mark: Path) -> dict[str, bytes]:
    command = f"touch {mark}"
    system = Hostile(os.system, command)
    text = pickle.dumps("[]")
    return {
        "system": pickle.dumps(system),
        "eval": pickle.dumps(Hostile(eval, f"__import__('os').system({command!r})")),
        "protocol 0": pickle.dumps(system, 0),
        "in a list": pickle.dumps([[system]]),
        "in a dict": pickle.dumps({"input_output": system}),
        "as a key": pickle.dumps({system: "[]"}),
        "before the text": b"cos\nsystem\n(S" + repr(command).encode() + b"\ntR0" + text,
        "behind the text": text + pickle.dumps(system),
        "an old instance": b"(S" + repr(command).encode() + b"\nios\nsystem\n.",
        "a class alone": b"cos\nsystem\n.",
        "by names on the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        "an extension": b"\x80\x02\x82\x01.",
        "built": b"\x80\x04}}b.",
        "somewhere else": b"\x80\x04\x8c\x01aQ.",
        "a huge memo": b"\x80\x04\x8c\x01ar\xff\xff\xff\x7f.",
        "a buffer": b"\x80\x05\x97.",
        "a list": pickle.dumps(["[]"]),
        "a number": pickle.dumps(7),
        "bytes": pickle.dumps(b"[]"),
        "another dict": pickle.dumps({"a": "[]"}),
        "cut off": text[:-1],
        "cut off in the text": text[:-4],
        "nothing": b"",
        "no pickle": b"[]",
        "a long text that is not there": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.",
        "a set item of no dict": b"\x80\x04\x8c\x01a\x8c\x01b\x8c\x01cs.",
        "a stop without a value": b"\x80\x04.",
        "broken text": b"\x80\x04\x8c\x01\xff.",
    }


@pytest.mark.parametrize("name", hostile(Path("mark")))
def test_a_pickle_that_is_more_than_text_is_refused(load: Callable[..., Problem], tmp_path: Path, name: str) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(
        InputError, match=r"problems\.jsonl:1: expected (packed tests|JSON) in \"private_test_cases\""
    ) as error:
        load(private_test_cases=packed(hostile(mark)[name]))
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"problems\.jsonl:1: "):
        LiveCodeBench().load(written(tmp_path / "problems.jsonl", fusion(packed(hostile(mark)[name]))))
    assert not mark.exists()


def test_the_reader_itself_knows_no_class(tmp_path: Path) -> None:
    """Should a pickle ever come past the look at its opcodes."""
    for name in ("system", "eval", "in a list", "an old instance", "by names on the stack", "somewhere else"):
        with pytest.raises(pickle.UnpicklingError, match="it asks for"):
            _Texts(io.BytesIO(hostile(tmp_path / "mark")[name])).load()
    assert not (tmp_path / "mark").exists()


def test_a_bomb_is_refused_before_it_unfolds(load: Callable[..., Problem], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.livecodebench.packed_tests.UNPACKED", 1 << 20)
    with pytest.raises(InputError, match="got more than 1,048,576 bytes"):
        load(private_test_cases=packed(bytes(1 << 21)))
    for damaged in (
        "!",
        "AAAA",
        packed(bytes(range(256)))[:80],
        base64.b64encode(zlib.compress(b"x" * 99)[:-6]).decode(),
    ):
        with pytest.raises(InputError, match="no zlib in base64|a part of it"):
            load(private_test_cases=damaged)
