"""Reading rows: files that are none, a hub out of reach, and fields that are not what they must be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks import contract
from benchmarks.dataset_rows import Row
from benchmarks.humaneval import HumanEval
from benchmarks.mbpp import Mbpp, SanitizedMbpp
from python_problems import write
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
