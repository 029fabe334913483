"""Answers through vLLM: all prompts of a chunk at once, as token ids, each with a seed of its own."""

import math
import os
from typing import Any

from seedkit.causal_lm import load_tokenizer
from seedkit.errors import InputError, RunError

from evaluation.engines import NOT_FINITE, Answer, Request, Sampling, answer


class VllmEngine:
    """`device` is "cpu" or one GPU, "cuda:0"; several GPUs are several processes, each with an engine of its own.

    `max_model_len` is the longest prompt with its answer: room for more would only take memory.
    """

    def __init__(self, model: str, sampling: Sampling, *, device: str, dtype: str, max_model_len: int) -> None:
        if device.startswith("cuda:"):
            index = device.removeprefix("cuda:")
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
            os.environ["CUDA_VISIBLE_DEVICES"] = visible.split(",")[int(index)] if visible else index
        self._tokenizer = load_tokenizer(model)
        # The engine runs in this process, which is its own anyway: requests are all there before the first step, so the
        # batches are the same every time, and no process waits for another.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        try:
            from vllm import LLM, SamplingParams, TokensPrompt
        except ImportError as error:
            raise InputError(
                f"--engine vllm: vLLM cannot be imported ({error}); install it: pip install vllm==0.32.0"
            ) from None

        # prompts that share a cached beginning would be computed in other batches than those that do not
        options: dict[str, Any] = {"enable_prefix_caching": False, "disable_log_stats": True, "seed": 0}
        if not device.startswith("cuda"):
            options |= {"enforce_eager": True, "distributed_executor_backend": "uni"}
        try:
            # generation_config: the sampling defaults that a model folder may bring are nobody's wish
            self._llm = LLM(model=model, dtype=dtype, max_model_len=max_model_len, generation_config="vllm", **options)
        except (RuntimeError, ValueError) as error:  # too little memory, a model it does not know
            raise RunError(f"vLLM did not start with {model}: {str(error).splitlines()[0]}") from error
        self._params, self._prompt, self._sampling = SamplingParams, TokensPrompt, sampling

    def __call__(self, requests: list[Request]) -> list[Answer]:
        if not requests:
            return []
        sampling = self._sampling
        prompts = [self._prompt(prompt_token_ids=list(request.prompt)) for request in requests]
        params = [
            self._params(
                n=1, temperature=sampling.temperature, top_p=sampling.top_p if sampling.temperature else 1.0,
                logprobs=0,  # those of what was drawn, which show whether there was anything to draw from
                max_tokens=request.max_new_tokens, seed=request.seed, stop=list(sampling.stop),
                stop_token_ids=list(sampling.stop_ids), ignore_eos=True,  # the ends are among the stop_token_ids
            )
            for request in requests
        ]  # fmt: skip
        outputs = self._llm.generate(prompts, params, use_tqdm=False)
        drawn = (one.logprob for output in outputs for step in output.outputs[0].logprobs for one in step.values())
        if not all(map(math.isfinite, drawn)):
            raise RunError(NOT_FINITE)
        return [
            answer(self._tokenizer, request.prompt, output.outputs[0].token_ids, sampling)
            for request, output in zip(requests, outputs, strict=True)
        ]
