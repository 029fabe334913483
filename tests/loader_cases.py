"""Files that LLaMA-Factory's loader loses whole or treats record by record, and what its templates make of a turn."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from support import answered

GOOD = {"id": "g", "instruction": "add", "input": "1 2", "output": "3 is it"}
PAD = "x" * 100_000  # a hundred lines with it are the 10 MB that set the types of the columns


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def array(*rows: Any) -> bytes:
    return json.dumps(rows).encode()


def good(**fields: Any) -> dict[str, Any]:
    return {**GOOD, **fields}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def late(first: dict[str, Any], then: dict[str, Any]) -> bytes:
    """More than 10 MB of the first record, then the other one, which comes too late to set the types of the columns."""
    return lines(*[{**first, "pad": PAD}] * 105, {**then, "pad": PAD})


def write(folder: Path, name: str, content: bytes) -> Path:
    """The file, in a folder of its own, because dataset_info.json is written beside it."""
    path = folder / name.replace(".", "_") / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


RAW = b'{"instruction": "a", "input": "", "output": "b"'
# name of the file: (its bytes, the line to blame, a part of the reason)
LOST: dict[str, tuple[bytes, int | None, str]] = {
    "malformed.jsonl": (lines(GOOD, b'{"instruction": "a", "output": ', GOOD), 2, "malformed JSON"),
    "text_after.jsonl": (lines(GOOD, RAW + b"} x", GOOD), 2, "malformed JSON"),
    "control_character.jsonl": (lines(GOOD, RAW + b',"z":"a\tb"}'), 2, "Invalid control character"),
    "surrogate.jsonl": (lines(GOOD, b'{"instruction": "a\\ud800", "input": "", "output": "b"}'), 2, "lone surrogate"),
    "surrogate_unused.jsonl": (lines(GOOD, RAW + b',"z":"\\ud800"}'), 2, "lone surrogate"),
    "utf8.jsonl": (lines(GOOD, b'{"instruction": "a\xff", "input": "", "output": "b"}'), 2, "not UTF-8"),
    "utf8_first_unused.jsonl": (lines(RAW + b',"z":"\xff"}', GOOD), 1, "not UTF-8"),
    "utf8_key.jsonl": (lines(GOOD, RAW + b',"z\xff":"a"}'), 2, "not UTF-8"),
    "utf16.jsonl": (lines(GOOD).decode().encode("utf-16"), 1, "not UTF-8"),
    "mixed.jsonl": (lines(GOOD, GOOD, good(output=3)), 3, '"output" holds different types: string above, number here'),
    "mixed_unused.jsonl": (lines(good(z=1), good(z="a")), 2, '"z" holds different types: number above, string here'),
    "mixed_boolean.jsonl": (lines(good(z=1), good(z=True)), 2, "number above, boolean here"),
    "nested.jsonl": (lines(good(z={"a": 1}), good(z={"a": "x"})), 2, '"z/a" holds different types'),
    "nested_kind.jsonl": (lines(good(z={"a": 1}), good(z=[1])), 2, "object above, array here"),
    "list.jsonl": (lines(GOOD, good(z=[1, "a"])), 2, '"z/[]" holds different types'),
    "numbers.jsonl": (lines(good(output=1), good(output=2)), 1, '"output" holds numbers, expected text'),
    "dates.jsonl": (lines(good(output="2020-01-01"), good(output="2020-01-02")), 1, '"output" holds dates'),
    "booleans.jsonl": (lines(good(output=True), good(output=False)), 1, "true or false"),
    "objects.jsonl": (lines(good(output={"a": "b"})), 1, "objects, expected text"),
    "date_instructions.jsonl": (lines(good(instruction="2020-01-01")), 1, '"instruction" holds dates'),
    "number_instructions.jsonl": (lines(good(instruction=0), good(instruction=1)), 2, '"instruction" holds numbers'),
    "list_instructions.jsonl": (lines(good(instruction=["a"])), 1, '"instruction" holds lists'),
    "no_input.jsonl": (lines(without("input"), without("input")), None, 'no record has the column "input"'),
    "no_instruction.jsonl": (lines(without("instruction")), None, 'no record has the column "instruction"'),
    "no_output.jsonl": (lines(without("output")), None, 'no record has the column "output"'),
    "no_answers.jsonl": (lines(good(output=None), good(output=None)), 1, '"output" is missing or null'),
    "key_twice.jsonl": (lines(GOOD, RAW + b',"output":"c"}'), 2, 'the key "output" stands twice'),
    "key_twice_unused.jsonl": (lines(GOOD, RAW + b',"z":"c","z":"d"}'), 2, 'the key "z" stands twice'),
    "number.jsonl": (lines(GOOD, 5), 2, "expected a JSON object, got: number"),
    "list_of_columns.jsonl": (lines(GOOD, [1]), 2, "expected a JSON object, got: array"),
    "pretty_mixed.jsonl": (
        json.dumps(GOOD, indent=1).encode() + b"\n" + json.dumps(good(output=3), indent=1).encode(),
        7,
        '"output" holds different types',
    ),
    "empty.jsonl": (b"", None, "no record"),
    "blank.jsonl": (b"\n\n", None, "no record"),
    "batch_first.jsonl": (lines(*[good(output=None)] * 1000, GOOD), 1, "none of the 1,000 records"),
    "batch_second.jsonl": (lines(*[GOOD] * 1000, *[without("output")] * 1000, GOOD), 1001, "none of the 1,000"),
    "batch_last.jsonl": (lines(*[GOOD] * 1000, *[good(output=None)] * 3), 1001, "none of the 3 records"),
    "late_column.jsonl": (late(GOOD, good(z=1)), 106, '"z" is not in the first 10 MB'),
    "late_input.jsonl": (late(without("input"), GOOD), None, 'no record has the column "input"'),
    "late_text.jsonl": (late(good(z=1), good(z="a")), 106, '"z" is int64 in the first 10 MB'),
    "late_fraction.jsonl": (late(good(z=1), good(z=1.5)), 106, "cannot be made that from double"),
    "late_value.jsonl": (late(good(z=None), good(z="a")), 106, '"z" is null in the first 10 MB'),
    "late_date.jsonl": (late(good(z="2020-01-01"), good(z="a")), 106, "timestamp[s] in the first 10 MB"),
    "late_object.jsonl": (late(good(z="a"), good(z={"a": 1})), 106, "string in the first 10 MB"),
    "late_field.jsonl": (late(good(z={"a": 1}), good(z={"b": 1})), 106, "struct<a: int64> in the first 10 MB"),
    "late_list.jsonl": (late(good(z=[]), good(z=[1])), 106, "list<item: null> in the first 10 MB"),
    "late_malformed.jsonl": (late(GOOD, GOOD) + b"{oops\n", 107, "malformed JSON"),
    "mark.json": (b"\xef\xbb\xbf" + array(GOOD), 1, "byte order mark"),
    "numbers.json": (array(good(output=1), good(output=None)), 1, '"output" holds numbers'),
    "mixed.json": (json.dumps([GOOD, good(output=3)], indent=1).encode(), 8, "string above, number here"),
    "mixed_unused.json": (array(good(z=3), good(z="a")), 1, '"z" holds different types'),
    "mixed_boolean.json": (array(good(z=3), good(z=True)), 1, "number above, boolean here"),
    "nested.json": (array(good(z={"a": 1}), good(z={"a": "x"})), 1, '"z" holds different types'),
    "utf8.json": (array(GOOD).replace(b"add", b"a\xff"), 1, "not UTF-8"),
    "cut.json": (array(GOOD, GOOD)[:-1], 1, "the array is not closed"),
    "text_after.json": (array(GOOD) + b" x", 1, "text after the array"),
    "long_integer.json": (array(good(z=10**30)), 1, "more than 64 bits"),
    "number.json": (array(GOOD, 5), 1, "expected a JSON object"),
    "null.json": (array(GOOD, None), 1, "expected a JSON object"),
    "list.json": (array(GOOD, []), 1, "expected a JSON object"),
    "empty.json": (array(), None, "no record"),
    "no_input.json": (array(without("input")), None, 'no record has the column "input"'),
}

EACH = [
    GOOD,
    good(output=None),
    without("output"),
    good(output=""),
    good(instruction=""),
    good(instruction=None),
    good(instruction="", input=""),
    good(input=None),
    without("input"),
    {},
    good(output=" "),
    good(instruction="{{idx}} and {{content}}"),
    good(output="<think>so</think> {{idx}}"),
    good(output="a\0b <|end|>"),
    good(instruction="word " * 90),
    good(output="word " * 90),
    good(instruction="word " * 90, output="sum " * 90),
    good(instruction="<image> <|eot_id|> <|im_end|>", output="é漢😀"),
    good(z=1),
    good(z=1.5),
]
KEPT: dict[str, bytes] = {
    "each.jsonl": lines(*EACH),
    "each.json": json.dumps(EACH, indent=1).encode(),
    "mark.jsonl": b"\xef\xbb\xbf" + lines(GOOD, GOOD),
    "crlf.jsonl": lines(GOOD, GOOD).replace(b"\n", b"\r\n"),
    "blank.jsonl": lines(GOOD) + b"\n \n" + lines(GOOD)[:-1],
    "utf8_unused.jsonl": lines(GOOD, RAW + b',"z":"\xff"}'),
    "number_texts.jsonl": lines(good(output="1"), good(output="2")),
    "one_date.jsonl": lines(good(output="2020-01-01"), good(output="x")),
    "zero.jsonl": lines(good(instruction=0), good(instruction=0)),
    "null_line.jsonl": lines(GOOD, None, GOOD),
    "nan.jsonl": lines(GOOD, RAW + b',"z":NaN}'),
    "long_integer.jsonl": lines(good(z=1), good(z=10**30)),
    "other_fields.jsonl": lines(good(z={"a": 1}), good(z={"b": "x"})),
    "two_on_a_line.jsonl": lines(json.dumps(GOOD).encode() + json.dumps(GOOD).encode(), GOOD),
    "pretty.jsonl": json.dumps(GOOD, indent=1).encode() + json.dumps(good(output=None), indent=1).encode(),
    "almost_a_batch.jsonl": lines(*[good(output=None)] * 999, GOOD),
    "across_batches.jsonl": lines(*[GOOD] * 500, *[good(output=None)] * 1100, GOOD),
    "late_number.jsonl": late(good(z="a"), good(z=1, output=3, instruction=4)),
    "late_boolean.jsonl": late(GOOD, good(output=True)),
    "late_null.jsonl": late(good(z="a"), GOOD),
    "late_fewer.jsonl": late(good(z={"a": 1, "b": 2}), good(z={"a": 1})),
    "number_texts.json": array(good(output="1"), good(output="2")),
    "dates.json": array(good(output="2020-01-01"), good(date="2020-01-01")),
    "surrogates.json": array(GOOD, good(output="\ud83d x \ude00 \U0001f600")),
    "control_character.json": b'[{"instruction":"a\tb","input":"","output":"b"}]',
    "key_twice.json": b"[" + RAW + b',"output":"c"}]',
    "integers.json": array(good(z=10**19), good(z=1)),
}


ANSWER = "x = 1"
_ENCODE = """
import json, sys
from types import SimpleNamespace
from llamafactory.data.template import get_template_and_fix_tokenizer
from transformers import AutoTokenizer

model, answer, *names = sys.argv[1:]
texts, found = json.load(sys.stdin), {}
settings = dict.fromkeys(("train_on_prompt", "tool_format", "default_system", "enable_thinking", "preserve_thinking"))
for name in names:
    tokenizer = AutoTokenizer.from_pretrained(model)
    named = None if name == "tokenizer" else name
    template = get_template_and_fix_tokenizer(tokenizer, SimpleNamespace(template=named, **settings))
    turns = [[{"role": "user", "content": text}, {"role": "assistant", "content": answer}] for text in texts]
    found[name] = [template.encode_oneturn(tokenizer, turn) for turn in turns]
print("\\n" + json.dumps(found))
"""


def encoded_turns(
    environment: str, folder: Path, model: Path, texts: list[str], templates: Iterable[str]
) -> dict[str, list[tuple[list[int], list[int]]]]:
    """By template, the token ids (prompt, answer) that LLaMA-Factory itself makes of each text with ANSWER behind it."""
    path = folder / "encode.py"
    path.write_text(_ENCODE)
    found: dict[str, list[tuple[list[int], list[int]]]] = answered(environment, path, texts, model, ANSWER, *templates)
    return found
