"""When the layers of a scoring model are compiled, and what is said when they cannot be."""

from pathlib import Path
from typing import Any

import pytest
from seedkit import scoring_model
from seedkit.causal_lm import load_causal_lm
from seedkit.errors import RunError


def test_what_is_missing_for_compiling_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CC", "TORCH_COMPILE_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(scoring_model, "find_spec", lambda _: None)
    assert scoring_model.why_not_compiled() == "the package triton is not there"
    monkeypatch.setattr(scoring_model, "find_spec", lambda _: object())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert scoring_model.why_not_compiled() == "there is no C compiler"
    (tmp_path / "gcc").touch(0o755)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    assert "header files" in str(scoring_model.why_not_compiled())
    (tmp_path / "Python.h").touch()
    assert scoring_model.why_not_compiled() is None
    monkeypatch.setenv("TORCH_COMPILE_DISABLE", "1")
    assert scoring_model.why_not_compiled() == "TORCH_COMPILE_DISABLE is 1"


def test_layers_that_cannot_be_compiled_are_one_line(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    compiling = torch.nn.Module.compile

    def failing(graph: Any, inputs: Any) -> Any:
        raise OSError("gcc: no such file\nmore of it")

    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, **_: compiling(self, backend=failing, dynamic=True))
    model = load_causal_lm(str(tiny_llama), "cpu", "float32")
    with pytest.raises(
        RunError, match=r"^model x: its layers cannot be compiled \([^\n]*\); .* TORCH_COMPILE_DISABLE=1$"
    ):
        scoring_model.compile_layers(model, "x")
