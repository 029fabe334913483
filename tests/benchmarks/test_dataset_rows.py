"""Reading rows: files that are none, a hub out of reach, and fields that are not what they must be."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import livecodebench_rows
import pytest
from benchmarks import contract, open_benchmark
from benchmarks.contract import ALL, Selection
from benchmarks.dataset_rows import Row
from benchmarks.humaneval import HumanEval
from benchmarks.mbpp import Mbpp, SanitizedMbpp
from benchmarks.multipl_e.languages.base import control_row
from benchmarks.multipl_e.languages.registry import LANGUAGES
from python_problems import ADD, FULL, SANITIZED, write
from seedkit.errors import InputError, RunError


@pytest.mark.parametrize("load", [HumanEval().load, Mbpp().load, SanitizedMbpp().load])
def test_files_that_are_none(load: Callable[[Path | None], list[contract.Problem]], tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "none.jsonl", "no such file"),
        (write(tmp_path / "empty.jsonl"), "the file is empty"),
        (write(tmp_path / "list.jsonl", [1]), "expected|must be"),
        (write(tmp_path / "text.jsonl", "x"), ":1: expected an object, got str"),
        (tmp_path / "torn.jsonl", ":1: .*malformed JSON"),
        (tmp_path / "x.jsonl.gz", "expected gzip"),
        (tmp_path, "expected a folder with"),
    ):
        if path.name in ("torn.jsonl", "x.jsonl.gz"):
            path.write_text('{"task_id": ')
        with pytest.raises(InputError, match=message):
            load(path)
    with pytest.raises(InputError, match=r':1: "(prompt|task_id)" is missing \(keys: a\)'):
        load(write(tmp_path / "other.jsonl", {"a": 1}))


def test_hub_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="google-research-datasets/mbpp: .*--benchmark_file"):
        Mbpp().load(None)

    def refuse(*_: object, **__: object) -> str:
        request = httpx2.Request("GET", "http://hub")
        raise HfHubHTTPError("no", response=httpx2.Response(503, request=request))

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    with pytest.raises(RunError, match="the hub answered 503"):
        Mbpp().load(None)


def test_fields_of_a_row() -> None:
    row = Row("file:7", {"text": "a\r\nb\rc", "blank": " ", "number": 1, "texts": ["a\r\n"], "task_id": 5})
    assert (row.text("text"), row.exact_text("text")) == ("a\nb\nc", "a\r\nb\rc")
    assert (row.exact_text("blank"), row.text("blank", empty=True), row.texts("texts")) == (" ", " ", ["a\n"])
    assert row.has("text", "number") and not row.has("text", "other")
    assert (row.task_name(), Row("file:7", {}).task_name()) == ("5", "7")
    for read, message in (
        (lambda: row.text("blank"), 'file:7: expected text in "blank", got none'),
        (lambda: row.exact_text("number"), 'file:7: "number" must be a string, got int'),
        (lambda: row.exact_text("other"), 'file:7: "other" is missing'),
        (lambda: row.texts("text"), 'file:7: "text" must be a list of strings'),
    ):
        with pytest.raises(InputError, match=message):
            read()


@pytest.mark.parametrize("name", ["humaneval", "mbpp", "mbpp-full", "multipl-e-sh", "livecodebench"])
def test_packed_files_are_read_as_unpacked_ones(name: str, tmp_path: Path) -> None:
    """By their own names in a folder, and given by themselves."""
    form = {
        "humaneval": ("HumanEval.jsonl", [ADD]),
        "mbpp": ("sanitized-mbpp.json", [SANITIZED]),
        "mbpp-full": ("mbpp.jsonl", [FULL]),
        "multipl-e-sh": ("humaneval-sh.jsonl", [control_row(LANGUAGES["sh"], "humaneval")[0]]),
        "livecodebench": ("test.jsonl", [livecodebench_rows.row()]),
    }
    file, values = form[name]
    whole = json.dumps(values) if file.endswith(".json") else "".join(json.dumps(value) + "\n" for value in values)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / file).write_text(whole)
    (tmp_path / "packed").mkdir()
    packed = tmp_path / "packed" / f"{file}.gz"
    packed.write_bytes(gzip.compress(whole.encode()))
    selection = Selection(release="release_v1") if name == "livecodebench" else ALL
    (plain,) = open_benchmark(name, selection).load(tmp_path / "plain")
    for source in (packed.parent, packed):
        benchmark = open_benchmark(name, ALL if source == packed else selection)
        (found,) = benchmark.load(source)
        assert (found.task_id, found.prompt, found.instruction) == (plain.task_id, plain.prompt, plain.instruction)
    if name == "livecodebench":
        assert found.tests.read() == plain.tests.read()  # they are read from the file again
    packed.write_bytes(packed.read_bytes()[:-15])
    with pytest.raises(InputError, match=f"{packed}: .*(end-of-stream|malformed)"):
        open_benchmark(name).load(packed)
    packed.write_text(whole)
    with pytest.raises(InputError, match=f"{packed}: .*(expected gzip|cannot be read)"):
        open_benchmark(name).load(packed)


def test_packed_arrays_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "sanitized-mbpp.json.gz"
    for text, message in (
        (b"{}", "expected a JSON array, got dict"),
        (b"[", "malformed JSON"),
        (b"[1]", ":1: expected an object"),
    ):
        path.write_bytes(gzip.compress(text))
        with pytest.raises(InputError, match=message):
            SanitizedMbpp().load(path)
    with pytest.raises(InputError, match="no such file"):
        SanitizedMbpp().load(tmp_path / "none.json.gz")
