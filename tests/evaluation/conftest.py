"""Problems and models that the tests of this folder share."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_models
from seedkit.models import model_revision

SPECIAL = [
    "<s>",
    "</s>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|EOT|>",
]


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven problems in HumanEval's format."""
    path = tmp_path_factory.mktemp("problems") / "HumanEval.jsonl"
    pick = random.Random(3)
    with path.open("w") as file:
        for number in range(7):
            words = " ".join(pick.choices("add the two numbers of a list and return it".split(), k=4 + 3 * number))
            row = {
                "task_id": f"HumanEval/{number}",
                "entry_point": f"f{number}",
                "prompt": f'def f{number}(x):\n    """{words}"""\n',
                "canonical_solution": "    return x\n",
                "test": "def check(candidate):\n    assert candidate(1) == 1\n",
            }
            file.write(json.dumps(row) + "\n")
    return path


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny LLaMA whose tokenizer knows the special tokens of all templates; it puts <s> before a text."""
    from tokenizers.processors import TemplateProcessing

    tokens = tiny_models.tokenizer()
    tokens.add_special_tokens({"bos_token": "<s>", "eos_token": "</s>", "additional_special_tokens": SPECIAL[2:]})
    begin = tokens.bos_token_id
    tokens._tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    return tiny_models.llama(tmp_path_factory.mktemp("tiny") / "chat", tokens)


@pytest.fixture(scope="session")
def trained() -> Callable[..., Path]:
    """Lays a model out as train.py leaves a student; called with (model, folder, **settings of the training)."""

    def lay_out(model: Path, folder: Path, **settings: object) -> Path:
        made = Path(shutil.copytree(model, folder / "EVOL_T1_seed42" / "model"))
        document = {
            "format": 1,
            "run": "EVOL_T1_seed42",
            "plan": {"student": {"model": "tiny"}, "data": {"file": "T1.jsonl"}, "settings": settings},
            "model": {"folder": "model", "revision": model_revision(str(made))},
        }
        (made.parent / "run.json").write_text(json.dumps(document))
        return made

    return lay_out
