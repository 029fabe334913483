"""Scores from a language model that was trained to answer a prompt with a digit from 1 to 6 (Deita, arXiv 2312.15685).

The score is the expected value of (digit - 1) under the softmax over the next-token logits of the six digits. Two engines
run such a model; what it is asked, `prompt`, is a function that makes a text's prompt.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedkit.causal_lm import context_length, load_causal_lm, load_tokenizer, padded
from seedkit.errors import InputError, RunError
from seedkit.row_scores import row_batches, score_rows
from seedkit.score_store import Score, as_score
from seedkit.scoring_model import compile_layers, keep_rows
from seedkit.vllm_process import vllm_on

VLLM_CALL = 1024  # prompts given to vLLM at once, and run at once: few would leave a GPU idle
DIGITS = ("1", "2", "3", "4", "5", "6")
Prompt = Callable[[str], str]


def expected_score(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores (n,) from the digits' logits or log-probabilities (n, 6): the sum over i = 0..5 of i * softmax(logits)_i."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: NDArray[np.float64] = (weights / weights.sum(axis=1, keepdims=True)) @ np.arange(6.0)
    return scores


def digit_ids(tokenizer: Any, name: str) -> list[int]:
    """The token ids of the digits 1 to 6 (16 to 21 in LLaMA-3's vocabulary); InputError if one is not a token of its own."""
    ids = []
    for digit in DIGITS:
        tokens = tokenizer.encode(digit, add_special_tokens=False)
        if len(tokens) != 1:
            raise InputError(f'model {name}: the digit "{digit}" is {len(tokens)} tokens, expected one: no such scorer')
        ids += tokens
    if len(set(ids)) != len(DIGITS):
        raise InputError(f"model {name}: the digits 1 to 6 have token ids {ids}, expected six different ones")
    return ids


class _PromptReader:
    """Makes the prompts and their token ids, and finds those that are too long for the model.

    Raises InputError if the model is not there or its tokenizer cannot be that of such a scorer.
    """

    def __init__(self, model: str, prompt: Prompt) -> None:
        self._prompt = prompt
        self.tokenizer = load_tokenizer(model)
        self.digits = digit_ids(self.tokenizer, model)
        self.context = context_length(model)

    def __call__(self, texts: list[str]) -> tuple[list[list[int]], dict[int, Score]]:
        """(token ids of every prompt, failures by index). Prompts that are too long fail: truncated, they ask another thing."""
        prompts = [self._prompt(text) for text in texts]
        rows: list[list[int]] = self.tokenizer(prompts)["input_ids"] if prompts else []
        failures = {
            number: Score(None, f"the prompt has {len(row)} tokens, the scoring model takes {self.context}")
            for number, row in enumerate(rows)
            if len(row) > self.context
        }
        return rows, failures


class TransformersDigits:
    """The scorer model through transformers: a forward pass for each batch, logits only where the prompts end.

    The layers compute in `dtype`, the digits' logits in float32. `compiled` compiles the layers first.
    """

    def __init__(
        self, model: str, prompt: Prompt, *, device: str, dtype: str, max_batch_tokens: int, compiled: bool = False
    ) -> None:
        self._read = _PromptReader(model, prompt)
        self._model = load_causal_lm(model, device, dtype)
        digits = self._read.digits
        self._columns = list(range(len(digits))) if keep_rows(self._model, digits) else digits  # of the digits' logits
        if compiled:
            compile_layers(self._model, model)
        self._device, self._max_batch_tokens = device, max_batch_tokens

    def __call__(self, texts: list[str]) -> list[Score]:
        return score_rows(*self._read(texts), self._max_batch_tokens, self._forward)

    def batches(self, texts: list[str]) -> list[list[int]]:
        """The indices of the texts in each batch, longest prompts first."""
        return row_batches(*self._read(texts), self._max_batch_tokens)

    def _forward(self, rows: Sequence[Sequence[int]]) -> list[float]:
        import torch

        # no mask: no token sees what stands behind it. With one, the only kernel that takes float32 on a GPU is wrong at
        # some widths where all heads share one key and value
        ids, mask = padded(rows, self._device, left=False)
        ends, which = torch.unique(mask.sum(1) - 1, return_inverse=True)
        with torch.inference_mode():
            kept = self._model(input_ids=ids, use_cache=False, logits_to_keep=ends).logits
        logits = kept[torch.arange(len(rows), device=ids.device), which][:, self._columns]
        values: list[float] = expected_score(logits.double().cpu().numpy()).tolist()
        return values


class VllmDigits:
    """The scorer model through vLLM: VLLM_CALL prompts at once, the log-probabilities of the six digits by id.

    A step of the engine computes `max_batch_tokens` at most, its layers in `dtype`, the logits in float32.

    `device` is "cpu", or "cuda:" and the indices of one tensor-parallel group ("cuda:0+1"). Data parallel means several
    such groups: several processes, each with an engine of its own.
    """

    def __init__(self, model: str, prompt: Prompt, *, device: str, dtype: str, max_batch_tokens: int) -> None:
        gpus = device.removeprefix("cuda:").split("+") if device.startswith("cuda:") else []
        vllm = vllm_on(device)
        self._read = _PromptReader(model, prompt)
        # All prompts begin with the same words, one block of 16 tokens. Kept in a prefix cache, these need not be computed
        # again; but the first prompts of a process find the cache empty, so what a step computes together, and with it the
        # last digits in low precision, would depend on where a run was interrupted.
        options: dict[str, Any] = {"enable_prefix_caching": False}
        options |= {"max_num_batched_tokens": max_batch_tokens, "max_num_seqs": min(VLLM_CALL, max_batch_tokens)}
        if dtype != "float32":
            options["hf_overrides"] = {"head_dtype": "float32"}
        if not gpus:
            options |= {"enforce_eager": True, "distributed_executor_backend": "uni"}
        wanted: dict[str, Any] = {"max_tokens": 1, "temperature": 0.0, "detokenize": False}
        if "logprob_token_ids" in getattr(vllm.SamplingParams, "__struct_fields__", ()):
            # without logprobs beside it, which would look for the likeliest tokens of the whole vocabulary
            wanted["logprob_token_ids"] = self._read.digits
        else:  # older releases report the likeliest tokens of those that may be sampled: these are the digits then
            wanted |= {"logprobs": len(DIGITS), "allowed_token_ids": self._read.digits}
            options["logprobs_mode"] = "processed_logprobs"
        try:
            self._llm = vllm.LLM(
                model=model,
                dtype=dtype,
                tensor_parallel_size=max(1, len(gpus)),
                seed=0,
                disable_log_stats=True,
                **options,
            )
        except (RuntimeError, ValueError) as error:  # too little memory, a model it does not know
            raise RunError(f"vLLM did not start with {model}: {str(error).splitlines()[0]}") from error
        self._params, self._prompt = vllm.SamplingParams(**wanted), vllm.TokensPrompt
        # one token, the answer, has to fit behind the prompt
        self._room = self._llm.llm_engine.model_config.max_model_len - 1

    def __call__(self, texts: list[str]) -> list[Score]:
        rows, failures = self._read(texts)
        # checked here, since one prompt that is too long would fail the whole call
        failures |= {
            number: Score(None, f"the prompt has {len(row)} tokens, vLLM takes {self._room} of them")
            for number, row in enumerate(rows)
            if len(row) > self._room and number not in failures
        }
        good = [number for number in range(len(rows)) if number not in failures]
        prompts = [self._prompt(prompt_token_ids=rows[number]) for number in good]
        outputs = self._llm.generate(prompts, self._params, use_tqdm=False) if prompts else []
        logits = np.array([self._digit_logprobs(output) for output in outputs]).reshape(-1, len(DIGITS))
        scores = failures | dict(zip(good, map(as_score, expected_score(logits).tolist()), strict=True))
        return [scores[number] for number in range(len(rows))]

    def batches(self, texts: list[str]) -> list[list[int]]:
        """The indices of the texts in each call of the engine, which makes its own batches."""
        return [list(range(start, min(start + VLLM_CALL, len(texts)))) for start in range(0, len(texts), VLLM_CALL)]

    def _digit_logprobs(self, output: Any) -> list[float]:
        found = output.outputs[0].logprobs[0]
        try:
            return [found[digit].logprob for digit in self._read.digits]
        except KeyError as missing:
            raise RunError(
                f"vLLM gave no log-probability for the digit token {missing}; expected all of {self._read.digits}"
            ) from None
