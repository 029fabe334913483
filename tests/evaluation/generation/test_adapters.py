"""LoRA students: what they answer is what the adapter and its base say together, on every engine, and no other base does."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from benchmarks import BENCHMARKS
from engine_cases import VLLM, generate_flags
from evaluation.generation.adapters import base_model
from evaluation.generation.prompts import TrainingPrompts
from evaluation.generation.settings import GenerationSettings
from evaluation.generation.steps import generate
from seedkit.causal_lm import load_causal_lm, load_tokenizer, merge_adapter, vocabulary_size
from seedkit.errors import InputError
from seedkit.models import model_revision
from seedkit.verify import verify
from study_cases import finished, tertiles_and_student, train, train_flags
from support import Command, answered, contents, rows
from training import student_run

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TARGETS = ["q_proj", "v_proj", "down_proj"]


pytestmark = pytest.mark.usefixtures("one_thread")


def adapter(base: Path, folder: Path, *, tokens: int | None = None, **config: Any) -> Path:
    """A LoRA adapter with random weights as peft saves it; with `tokens` the base's vocabulary was made that large."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    if tokens is not None:
        model.resize_token_embeddings(tokens)
    torch.manual_seed(1)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": TARGETS, "init_lora_weights": False, **config}
    network = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if "modules_to_save" in name:
                weights.add_(torch.randn_like(weights) * 0.1)
    # as LLaMA-Factory: whole layers are there because the settings say so
    network.save_pretrained(str(folder), save_embedding_layers=False)
    load_tokenizer(str(base)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    return Path(shutil.copytree(tiny_llama, tmp_path_factory.mktemp("lora") / "base"))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    return adapter(base, tmp_path_factory.mktemp("lora") / "adapter")


@pytest.fixture(scope="session")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "HumanEval.jsonl"
    with path.open("w") as file:
        for number, name in enumerate(("double", "first", "count", "negate")):
            row = {
                "task_id": f"HumanEval/{number}",
                "entry_point": name,
                "canonical_solution": "    return x\n",
                "prompt": f'def {name}(x):\n    """Say what {name} says."""\n',
                "test": "def check(candidate):\n    assert candidate(1) == 1\n",
            }
            file.write(json.dumps(row) + "\n")
    return path


def settings(model: Path, problems: Path, **changed: Any) -> GenerationSettings:
    return GenerationSettings(str(model), "humaneval", problems, **{"max_new_tokens": 16, "device": "cpu", **changed})


def student(weights: Path, base: Path, runs: Path, tertile: str = "T1_LOWER") -> Path:
    """The adapter as train.py leaves a student, with its run.json; returns the model folder."""
    trained_on = ("base", model_revision(str(base)))
    folder = train(runs, weights, f"RQ1_COMPLEXITY_{tertile}", finetuning="lora", base=trained_on)
    return folder / student_run.MODEL


def logits(network: Any) -> Any:
    import torch

    with torch.inference_mode():
        return network.eval()(input_ids=torch.tensor([[5, 17, 90, 41, 8, 222]])).logits


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True},
    "decomposed": {"use_dora": True},
    "head": {"modules_to_save": ["lm_head"]},
    "tokens": {"modules_to_save": ["embed_tokens", "lm_head"], "tokens": 320},
}


@pytest.mark.filterwarnings("ignore:Model .* `tie_word_embeddings:UserWarning")  # peft, where the test calls it itself
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_merged_model_is_the_base_with_the_adapter_on_it(kind: str, tied: bool, base: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    origin = Path(shutil.copytree(base, tmp_path / "base"))
    network = AutoModelForCausalLM.from_pretrained(base)
    if tied:
        network.config.tie_word_embeddings = True
        network.tie_weights()
        network.save_pretrained(origin)
    plain = logits(network)
    made = adapter(origin, tmp_path / "adapter", **KINDS[kind])
    merge_adapter(str(origin), "main", str(made), "float32", tmp_path / "merged")
    if "tokens" in KINDS[kind]:
        network.resize_token_embeddings(KINDS[kind]["tokens"])
    expected = logits(PeftModel.from_pretrained(network, made))
    found = logits(load_causal_lm(str(tmp_path / "merged"), "cpu", "float32"))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert (found[..., : plain.shape[-1]] - plain).abs().max() > 0.1
    assert vocabulary_size(str(origin), adapter=str(made)) == found.shape[-1]
    assert load_tokenizer(str(tmp_path / "merged")).get_vocab() == load_tokenizer(str(base)).get_vocab()


def test_in_half_precision_the_sum_is_rounded_once(base: Path, plain: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    merge_adapter(str(base), "main", str(plain), "bfloat16", tmp_path)
    layer = "model.layers.1.self_attn.q_proj"
    before, parts = load_file(base / "model.safetensors"), load_file(plain / "adapter_model.safetensors")
    down, up = (parts[f"base_model.model.{layer}.lora_{part}.weight"] for part in "AB")
    expected = (before[f"{layer}.weight"].bfloat16().float() + 2.0 * up @ down).bfloat16()
    assert torch.equal(load_file(tmp_path / "model.safetensors")[f"{layer}.weight"], expected)


def test_the_answers_are_those_of_the_merged_model(
    base: Path, plain: Path, problems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    by_hand = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), plain).merge_and_unload()
    by_hand.save_pretrained(tmp_path / "by_hand")
    load_tokenizer(str(plain)).save_pretrained(tmp_path / "by_hand")
    for temperature in (0.0, 0.9):
        found, expected, without = (
            generate(settings(model, problems, temperature=temperature), tmp_path / f"{name}{temperature}").read_bytes()
            for name, model in (("adapter", plain), ("whole", tmp_path / "by_hand"), ("base", base))
        )
        assert found == expected != without
    out = tmp_path / "adapter0.0"
    assert verify(out) == []
    made = json.loads((out / "manifest.json").read_text())
    assert made["model"]["revision"] == model_revision(str(plain))
    assert made["model"]["base"] == {"name": "base", "revision": model_revision(str(base))}
    assert "peft" in made["versions"]
    assert str(base) not in json.dumps(made)

    # what is there already needs no merging; what a kill left of it goes
    first = contents(out)
    left = out / ".answers" / "merged"
    (left / "deep").mkdir(parents=True)
    assert "merging the adapter with its base model base (float32)" in capsys.readouterr().err
    generate(settings(plain, problems), out)
    assert "merging" not in capsys.readouterr().err
    assert contents(out) == first
    assert not left.exists()


def test_another_base_is_asked_anew(base: Path, plain: Path, problems: Path, tmp_path: Path) -> None:
    origin = Path(shutil.copytree(base, tmp_path / "base"))
    model = changed(plain, tmp_path / "adapter", base_model_name_or_path=str(origin))
    generate(settings(model, problems), tmp_path / "out")
    (origin / "note.txt").write_text("another revision")
    generate(settings(model, problems), tmp_path / "out")
    assert len(list((tmp_path / "out" / ".answers").iterdir())) == 2


def test_a_failure_while_asking_leaves_no_merged_model(
    plain: Path, problems: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.transformers_engine import TransformersEngine

    def interrupted(*_: object) -> None:
        assert (tmp_path / ".answers" / "merged" / "model.safetensors").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(TransformersEngine, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate(settings(plain, problems), tmp_path)
    assert not (tmp_path / ".answers" / "merged").exists()


def changed(weights: Path, folder: Path, **settings: Any) -> Path:
    made = Path(shutil.copytree(weights, folder))
    config = json.loads((made / "adapter_config.json").read_text())
    (made / "adapter_config.json").write_text(json.dumps({**config, **settings}))
    return made


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"base_model_name_or_path": "/gone/base"}, "its base model /gone/base: no such folder; put the model, or a link"),
    ({"base_model_name_or_path": "no/such"}, "model no/such: no such folder, and not to be had from the model hub"),
    ({"base_model_name_or_path": None}, 'expected an adapter\'s settings with "base_model_name_or_path"'),
    ({"peft_type": "PROMPT_TUNING"}, "expected a LoRA adapter, got peft_type PROMPT_TUNING"),
    ({"target_modules": [*TARGETS, "k_proj"]}, "its weights do not fit its base model"),
    ({"target_modules": TARGETS[:2]}, "its weights do not fit its base model"),
    ({"r": 8}, "cannot be loaded: RuntimeError"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=lambda value: " " if isinstance(value, str) else None)
def test_what_is_no_adapter_of_its_base(
    settings: dict[str, Any], message: str, plain: Path, problems: Path, tmp_path: Path, script_main: Command
) -> None:
    model = changed(plain, tmp_path / "adapter", **settings)
    done = script_main("evaluation/generate.py", *generate_flags(model, problems, tmp_path / "out"))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / ".answers" / "merged").exists()


def test_folders_that_are_neither_one_nor_the_other(base: Path, plain: Path, tmp_path: Path) -> None:
    assert base_model(str(base), None) is None
    both = Path(shutil.copytree(plain, tmp_path / "both"))
    (both / "model-00001-of-00002.safetensors").touch()
    with pytest.raises(InputError, match="got both: adapter_config.json and model-00001-of"):
        base_model(str(both), None)
    with pytest.raises(InputError, match="is an adapter too; expected a whole model"):
        base_model(str(changed(plain, tmp_path / "chain", base_model_name_or_path=str(plain))), None)
    bare = Path(shutil.copytree(plain, tmp_path / "bare"))
    (bare / "adapter_model.safetensors").rename(bare / "adapter_model.bin")
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: no such file"):
        base_model(str(bare), None)
    (bare / "adapter_config.json").write_text("{")
    with pytest.raises(InputError, match=r"adapter_config\.json: cannot be read"):
        base_model(str(bare), None)


def test_weights_that_are_not_finite(base: Path, plain: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = Path(shutil.copytree(plain, tmp_path / "broken"))
    weights = load_file(broken / "adapter_model.safetensors")
    next(iter(weights.values()))[0, 0] = float("nan")
    save_file(weights, broken / "adapter_model.safetensors")
    with pytest.raises(InputError, match="some weights are not finite"):
        merge_adapter(str(base), "main", str(broken), "float32", tmp_path / "merged")


def test_a_base_on_the_hub_is_taken_as_it_was_trained_on(
    base: Path, plain: Path, problems: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    cache = tmp_path / "cache" / "models--someone--base"
    shutil.copytree(base, cache / "snapshots" / COMMIT)
    newer = Path(shutil.copytree(base, cache / "snapshots" / COMMIT[::-1]))
    (newer / "model.safetensors").write_bytes(b"of today")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(newer.name)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    model = student(changed(plain, tmp_path / "adapter", base_model_name_or_path="someone/base"), base, tmp_path)
    path = model.parent / student_run.RUN
    document = json.loads(path.read_text())
    with pytest.raises(InputError, match=f"run.json says sha256:.*, got commit:{newer.name}"):
        generate(settings(model, problems), tmp_path / "out")
    document["plan"]["student"] = {"model": "someone/base", "revision": f"commit:{COMMIT}"}
    path.write_text(json.dumps(document))
    expected = generate(settings(plain, problems, form="instruct", template="default"), tmp_path / "local")
    assert generate(settings(model, problems), tmp_path / "out").read_bytes() == expected.read_bytes()
    made = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert made["model"]["base"] == {"name": "someone/base", "revision": f"commit:{COMMIT}"}


def test_a_study_of_lora_students(
    base: Path, plain: Path, problems: Path, tmp_path: Path, script_main: Command
) -> None:
    origin = Path(shutil.copytree(base, tmp_path / "base"))
    weights = changed(plain, tmp_path / "adapter", base_model_name_or_path=str(origin))
    for tertile in ("T1_LOWER", "T2_MIDDLE"):
        student(weights, origin, tmp_path / "runs", tertile)
    arguments = (
        "--runs",
        tmp_path / "runs",
        "--benchmark",
        "humaneval",
        "--benchmark_file",
        f"humaneval={problems}",
        "--limit",
        2,
        "--max_new_tokens",
        8,
        "--device",
        "cpu",
        "--workers",
        1,
        "--output_dir",
        tmp_path / "out",
    )
    done = script_main("evaluation/evaluate_study.py", *arguments)
    assert done.returncode == 0, done.stderr
    assert "| tiny-lora | RQ1 | EVOL | T1_LOWER |" in done.stdout
    assert "trained with different" not in done.stdout
    assert not list((tmp_path / "out").rglob("model.safetensors"))
    again = script_main("evaluation/evaluate_study.py", *arguments)
    assert (again.stdout, again.stderr.count("2 answers taken from earlier runs")) == (done.stdout, 2)

    (origin / "note.txt").write_text("another revision")
    other = script_main("evaluation/evaluate_study.py", *arguments)
    assert other.returncode == 1
    assert f"its base model {origin} is another than it was trained on: run.json says sha256:" in other.stderr


# What follows runs in environments of their own.


@pytest.mark.heavy
def test_vllm_gives_the_same_greedy_text(
    base: Path, problems: Path, tmp_path: Path, vllm_environment: str, script_command: Command
) -> None:
    model = adapter(base, tmp_path / "adapter", **KINDS["tokens"])
    flags = generate_flags(model, problems, tmp_path / "vllm", *VLLM, "--max_new_tokens", 16)
    done = script_command("evaluation/generate.py", *flags, python=f"{vllm_environment}/bin/python", timeout_s=600)
    assert done.returncode == 0, done.stderr
    expected = generate(settings(model, problems), tmp_path / "transformers")
    assert (tmp_path / "vllm" / "samples.jsonl").read_bytes() == expected.read_bytes()
    assert [path.suffix for path in (tmp_path / "vllm" / ".answers").iterdir()] == [".jsonl"]


@pytest.mark.heavy
def test_a_student_that_was_really_trained(problems: Path, tmp_path: Path, trainer_environment: str) -> None:
    """Its answers are those that its adapter gives, unmerged, in the environment that trained it."""
    flags = train_flags(tertiles_and_student(tmp_path), trainer_environment, tmp_path / "runs", "--subsets", "*_T1_*")
    finished("training/train.py", *flags, "--finetuning", "lora", "--max_steps", 8, "--learning_rate", "3e-2")
    (model,) = (tmp_path / "runs" / "tiny-lora").glob("*/model")
    found = [row["raw"] for row in rows(generate(settings(model, problems), tmp_path / "out"))]
    asked = [
        TrainingPrompts(str(model), "default")(one.instruction) for one in BENCHMARKS["humaneval"]().load(problems)
    ]
    script_file = tmp_path / "ask.py"
    script_file.write_text(UNMERGED)
    trained, untrained = answered(trainer_environment, script_file, asked, tmp_path / "tiny", model)
    assert found == trained != untrained


UNMERGED = """
import json, sys
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base, adapter = sys.argv[1:]
asked = json.load(sys.stdin)
tokens = AutoTokenizer.from_pretrained(adapter)
network = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter).eval()

def answers():
    found = []
    for ids in asked:
        whole = network.generate(input_ids=torch.tensor([ids]), max_new_tokens=16, do_sample=False)[0].tolist()
        before, text = (tokens.decode(part, skip_special_tokens=True) for part in (ids, whole))
        found.append(text[len(before):])
    return found

trained = answers()
with network.disable_adapter():
    print("\\n" + json.dumps([trained, answers()]))
"""
