import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seedkit import json_values, records
from seedkit.errors import InputError
from seedkit.records import Keys, Record, Reject, read_records, record_id, record_line


def write(folder: Path, content: str | bytes, name: str = "data.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def line(**fields: object) -> str:
    return json.dumps({"instruction": "a", "output": "b"} | fields, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"instruction": "i", "output": "o"}, ("i", "", "o")),
        ({"instruction": "i", "response": "o"}, ("i", "", "o")),
        ({"problem": "i", "solution": "o", "lang": "python", "index": 3}, ("i", "", "o")),
        ({"instruction": "i", "input": "n", "output": "o"}, ("i", "n", "o")),
        ({"source": "s", "instruction": "i", "output": "o"}, ("i", "", "o")),
    ],
)
def test_schemas_of_the_releases_need_no_flags(
    tmp_path: Path, fields: dict[str, object], expected: tuple[str, ...]
) -> None:
    for content in (json.dumps(fields), json.dumps([fields])):
        (record,) = read_records(write(tmp_path, content))
        assert (record.instruction, record.input, record.output) == expected
        assert record.id == record_id(*expected)
        assert record.line == 1


def test_schemas_may_change_within_a_file(tmp_path: Path) -> None:
    path = write(
        tmp_path, '{"instruction":"a","response":"b"}\n{"problem":"c","solution":"d"}\n{"instruction":"e","output":"f"}'
    )
    assert [record.query + record.output for record in read_records(path)] == ["ab", "cd", "ef"]


def test_the_order_of_the_aliases_decides_and_not_the_record_before(tmp_path: Path) -> None:
    both = '{"instruction":"b","problem":"p","output":"OUT","response":"RESP"}'
    one = '{"instruction":"a","response":"r"}'
    for lines in ([one, both], [both, one]):
        found = {record.instruction: record.output for record in read_records(write(tmp_path, "\n".join(lines)))}
        assert found == {"a": "r", "b": "OUT"}


def test_given_keys_replace_the_aliases(tmp_path: Path) -> None:
    path = write(tmp_path, '{"q":"ask","ctx":"with","a":"answer","instruction":"no"}')
    (record,) = read_records(path, Keys("q", "ctx", "a"))
    assert (record.instruction, record.input, record.output) == ("ask", "with", "answer")
    assert record.query == "ask\nwith"
    with pytest.raises(InputError, match='data.jsonl:1: "extra" is missing'):
        list(read_records(path, Keys("q", "extra", "a")))


def test_byte_order_mark_crlf_and_blank_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path, b"\xef\xbb\xbf" + line().encode() + b"\r\n \n" + line(output="c").replace("\n", "\r\n").encode()
    )
    assert [record.line for record in read_records(path)] == [1, 4]
    array = write(
        tmp_path,
        b"\xef\xbb\xbf\r\n [\r\n" + line().strip().encode() + b",\r\n\r\n" + line(output="c").encode() + b"]\n",
    )
    assert [record.line for record in read_records(array)] == [3, 5]


def test_own_id_is_kept_and_copies_without_one_get_their_own(tmp_path: Path) -> None:
    path = write(tmp_path, line(id="x") + line(id=7) + line() + line() + line())
    ids = [record.id for record in read_records(path)]
    first = record_id("a", "", "b")
    assert ids == ["x", "7", first, f"{first}-2", f"{first}-3"]


def test_id_is_blake2b_over_the_texts_joined_by_nul() -> None:
    # printf 'a\0\0b' | b2sum | cut -c1-16
    assert record_id("a", "", "b") == "3d0b4b882630a065"


BAD = [
    ("{broken", "expected one JSON object, got malformed JSON"),
    ('{"instruction": "a", "output": 5}', '"output" must be a string, got the number 5'),
    ('{"instruction": null, "output": "b"}', '"instruction" must be a string, got null'),
    ('{"instruction": ["a"], "output": "b"}', '"instruction" must be a string, got an array'),
    ('{"instruction": "a", "output": "b", "input": {}}', '"input" must be a string, got an object'),
    ('{"instruction": "a", "output": "b", "id": true}', '"id" must be a string, got a boolean'),
    (
        '{"question": "a", "output": "b"}',
        r'"instruction" is missing \(keys: question, output\); pass --instruction_key KEY',
    ),
    ('{"instruction": "a"}', '"output" is missing'),
    ("{}", r"\(keys: none\)"),
    ('"text"', "expected an object, got a string"),
    ("5", "expected an object, got the number 5"),
    ('{"instruction": "\\ud800", "output": "b"}', "a lone surrogate"),
    ('{"instruction": "a", "output": "b", "id": "same"}', 'duplicate id "same", first seen in line 1'),
    ('{"instruction": "a", "output": NaN}', "malformed JSON"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_bad_record_is_an_error_with_its_line_or_a_reject(tmp_path: Path, bad: str, message: str) -> None:
    path = write(tmp_path, line(id="same") + "\n" + bad + "\n" + line(id="good"))
    with pytest.raises(InputError, match=rf"data\.jsonl:3: .*{message}"):
        list(read_records(path))
    rejects: list[Reject] = []
    assert [record.id for record in read_records(path, rejects=rejects)] == ["same", "good"]
    (reject,) = rejects
    assert reject.line == 3
    json.dumps(reject.record, ensure_ascii=False).encode()  # it can be written down


@pytest.mark.parametrize(("raw", "what"), [(b"\xed\xa0\x80", "a lone surrogate"), (b"caf\xe9", "byte 0xe9")])
def test_bytes_that_are_not_utf8(tmp_path: Path, raw: bytes, what: str) -> None:
    path = write(tmp_path, line().encode() + b'{"instruction": "' + raw + b'", "output": "b"}\n')
    with pytest.raises(InputError, match=rf":2: expected UTF-8, got {what} at byte"):
        list(read_records(path))
    with pytest.raises(InputError, match="expected UTF-8"):
        list(read_records(write(tmp_path, b'[{"instruction": "' + raw + b'", "output": "b"}]')))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \r\n", "no records|the file is empty"),
        (b"[]", "no records"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "git lfs pull"),
        ("[]".encode("utf-16"), "UTF-16"),
    ],
)
def test_files_with_nothing_to_read(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_records(write(tmp_path, content)))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(read_records(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_records(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"instruction":"a","output":"b"}', "cut off"),
        ('[{"instruction":"a","output":"b"},', "cut off"),
        ('[{"instruction":"a","output":"b"},]', "comma before"),
        ('[{"instruction":"a","output":"b"} {}]', "between elements"),
        ('[{"instruction":"a","output":"b"}] x', "text after the array"),
        ('[{"instruction":"a","output":"b', "malformed"),
        ('[\n{"instruction":"a" "output":"b"},\n{"instruction":"a","output":"c"}]', ":2: .*malformed"),
        ('[{"instruction":"a","output":NaN}]', "NaN is not JSON"),
        ("[" * 100000, "nested too deeply"),
    ],
)
def test_damaged_array_is_an_error_even_when_rejecting(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_records(write(tmp_path, content), rejects=[]))


def test_bad_elements_of_an_array_can_be_rejected(tmp_path: Path) -> None:
    path = write(tmp_path, '[\n{"instruction":"a","output":"b"},\n5,\n{"instruction":"\\udfff","output":"b"},\n"x"\n]')
    rejects: list[Reject] = []
    assert len(list(read_records(path, rejects=rejects))) == 1
    assert [reject.line for reject in rejects] == [3, 4, 5]


def test_rejects_that_orjson_cannot_write_are_kept_as_text(tmp_path: Path) -> None:
    deep = '{"instruction":"a","x":' + "[" * 300 + "]" * 300 + "}"
    for content in (deep, f"[{deep}]", '[{"instruction":"a","x":123456789012345678901234567890}]'):
        rejects: list[Reject] = []
        assert list(read_records(write(tmp_path, content), rejects=rejects)) == []
        assert b"instruction" in b"".join(records.json_lines([{"record": rejects[0].record}]))


def test_a_number_that_python_does_not_convert(tmp_path: Path) -> None:
    path = write(tmp_path, '[\n{"instruction":"a","output":"b","x":' + "1" * 5000 + "}]")
    with pytest.raises(InputError, match=":2: .*an unreadable value"):
        list(read_records(path))


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="got a pipe or a device"):
        list(read_records(tmp_path / "pipe"))


def test_many_copies(tmp_path: Path) -> None:
    ids = [record.id for record in read_records(write(tmp_path, line() * 50000))]
    assert len(set(ids)) == 50000
    assert ids[-1].endswith("-50000")


def test_limit(tmp_path: Path) -> None:
    path = write(tmp_path, line() + line(output="c") + "{broken")
    assert len(list(read_records(path, limit=2))) == 2


texts = st.text(st.characters(codec="utf-8"), max_size=40)
tables = st.lists(
    st.fixed_dictionaries({"instruction": texts, "input": texts, "output": texts}), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@given(rows=tables, chunk=st.integers(1, 50), indent=st.sampled_from([None, 1]), ascii_=st.booleans())
def test_array_and_lines_give_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], chunk: int, indent: int | None, ascii_: bool
) -> None:
    folder = tmp_path_factory.mktemp("array")
    array = write(folder, json.dumps(rows, ensure_ascii=ascii_, indent=indent), "data.json")
    lines = write(folder, "".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "ARRAY_CHUNK", chunk)
        from_array = list(read_records(array))
    from_lines = list(read_records(lines))
    assert [r.instruction for r in from_lines] == [row["instruction"] for row in rows]
    assert [(r.id, r.query, r.output) for r in from_array] == [(r.id, r.query, r.output) for r in from_lines]
    # and what is written reads back as it was
    copy = write(folder, b"".join(map(record_line, from_lines)), "copy.jsonl")
    assert [(r.id, r.instruction, r.input, r.output) for r in read_records(copy)] == [
        (r.id, r.instruction, r.input, r.output) for r in from_lines
    ]


def test_written_form() -> None:
    written = record_line(Record("x", "é\u2028", "", 'q"\n'))
    assert written == '{"id":"x","instruction":"é\u2028","input":"","output":"q\\"\\n"}\n'.encode()
