"""Answers through vLLM: all prompts of a chunk at once, as token ids, each with its own seed."""

import math
from typing import Any

from seedkit.causal_lm import load_tokenizer
from seedkit.errors import RunError
from seedkit.vllm_process import vllm_on

from inference.engines import NOT_FINITE, Answer, Engine, Request, Sampling, answer

STEP_TOKENS, STEP_REQUESTS = 16384, 1024  # that are computed together at most; by itself vLLM asks which GPU it has


class VllmEngine(Engine):
    """`device` is "cpu" or one GPU such as "cuda:0"; several GPUs are several processes with an engine each.

    `max_model_len` is the number of tokens of the longest prompt with its answer; more would only take memory.
    """

    def __init__(self, model: str, sampling: Sampling, *, device: str, dtype: str, max_model_len: int) -> None:
        vllm = vllm_on(device)
        self._tokenizer = load_tokenizer(model)
        # Prompts may begin alike. With a prefix cache, what a step computes together would depend on what this process has
        # computed before, and so would the answers of a resumed run in low precision.
        options: dict[str, Any] = {"enable_prefix_caching": False, "disable_log_stats": True, "seed": 0}
        options |= {"max_num_batched_tokens": STEP_TOKENS, "max_num_seqs": STEP_REQUESTS}
        if not device.startswith("cuda"):
            options |= {"enforce_eager": True, "distributed_executor_backend": "uni"}
        try:
            # generation_config="vllm": without the sampling defaults that a model folder may bring
            self._llm = vllm.LLM(
                model=model, dtype=dtype, max_model_len=max_model_len, generation_config="vllm", **options
            )
        except (RuntimeError, ValueError) as error:  # too little memory, or a model that vLLM does not know
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
                logprobs=0,  # of the drawn tokens alone; they are not finite where the logits were not
                max_tokens=request.max_new_tokens,
                seed=request.seed,
                stop=list(sampling.stop),
                stop_token_ids=list(sampling.stop_ids),
                ignore_eos=True,  # the end-of-text tokens are among stop_token_ids
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
