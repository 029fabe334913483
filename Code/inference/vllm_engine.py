"""Answers through vLLM: all prompts of a chunk at once, as token ids, each with a seed of its own."""

import math
from typing import Any

from seedkit.causal_lm import load_tokenizer
from seedkit.errors import RunError
from seedkit.vllm_process import vllm_on

from inference.engines import NOT_FINITE, Answer, Request, Sampling, answer


class VllmEngine:
    """`device` is "cpu" or one GPU, "cuda:0"; several GPUs are several processes, each with an engine of its own.

    `max_model_len` is the longest prompt with its answer: room for more would only take memory.
    """

    def __init__(self, model: str, sampling: Sampling, *, device: str, dtype: str, max_model_len: int) -> None:
        vllm = vllm_on(device)
        self._tokenizer = load_tokenizer(model)
        # prompts that share a cached beginning would be computed in other batches than those that do not
        options: dict[str, Any] = {"enable_prefix_caching": False, "disable_log_stats": True, "seed": 0}
        if not device.startswith("cuda"):
            options |= {"enforce_eager": True, "distributed_executor_backend": "uni"}
        try:
            # generation_config: the sampling defaults that a model folder may bring are nobody's wish
            self._llm = vllm.LLM(
                model=model, dtype=dtype, max_model_len=max_model_len, generation_config="vllm", **options
            )
        except (RuntimeError, ValueError) as error:  # too little memory, a model it does not know
            raise RunError(f"vLLM did not start with {model}: {str(error).splitlines()[0]}") from error
        self._params, self._prompt, self._sampling = vllm.SamplingParams, vllm.TokensPrompt, sampling

    def __call__(self, requests: list[Request]) -> list[Answer]:
        if not requests:
            return []
        sampling = self._sampling
        prompts = [self._prompt(prompt_token_ids=list(request.prompt)) for request in requests]
        params = [
            self._params(
                n=1,
                temperature=sampling.temperature,
                top_p=sampling.top_p if sampling.temperature else 1.0,
                logprobs=0,  # those of what was drawn, which show whether there was anything to draw from
                max_tokens=request.max_new_tokens,
                seed=request.seed,
                stop=list(sampling.stop),
                stop_token_ids=list(sampling.stop_ids),
                ignore_eos=True,  # the ends are among the stop_token_ids
            )
            for request in requests
        ]
        outputs = self._llm.generate(prompts, params, use_tqdm=False)
        drawn = (one.logprob for output in outputs for step in output.outputs[0].logprobs for one in step.values())
        if not all(map(math.isfinite, drawn)):
            raise RunError(NOT_FINITE)
        return [
            answer(self._tokenizer, request.prompt, output.outputs[0].token_ids, sampling)
            for request, output in zip(requests, outputs, strict=True)
        ]
