"""Answers through transformers: one padded batch at a time, in which each row has its own seed, limit and end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seedkit.batching import halving
from seedkit.causal_lm import load_causal_lm, load_tokenizer, padded
from seedkit.errors import RunError

from inference.engines import NOT_FINITE, Answer, Engine, Request, Sampling, answer, continuation, decode, first_stop

if TYPE_CHECKING:
    import torch


class TransformersEngine(Engine):
    """A chunk of requests is one batch, padded on the left, and halved where it does not fit into the GPU's memory."""

    def __init__(self, model: str, sampling: Sampling, *, device: str, dtype: str) -> None:
        from transformers import GenerationConfig

        self._tokenizer = load_tokenizer(model)
        self._model = load_causal_lm(model, device, dtype)
        # a model folder may bring sampling defaults, such as a repetition penalty, that nobody asked for; generate()
        # decodes greedily, because Rows draws and stops by itself
        self._model.generation_config = GenerationConfig(do_sample=False, pad_token_id=0)
        self._device, self._sampling = device, sampling

    def __call__(self, requests: list[Request]) -> list[Answer]:
        return halving(self._generate, requests) if requests else []

    def _generate(self, requests: list[Request]) -> list[Answer]:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList, TemperatureLogitsWarper, TopPLogitsWarper

        sampling = self._sampling
        rows = Rows(self._tokenizer, requests, sampling, self._device)
        warpers: list[Any] = [numbers]
        if sampling.temperature > 0:
            warpers += [TemperatureLogitsWarper(sampling.temperature), rows.perturb]
            if sampling.top_p < 1:
                warpers.insert(2, TopPLogitsWarper(sampling.top_p))
        ids, mask = padded([request.prompt for request in requests], self._device, left=True)
        with torch.inference_mode():
            self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max(row.max_new_tokens for row in requests),
                logits_processor=LogitsProcessorList(warpers),
                stopping_criteria=StoppingCriteriaList([rows.ended]),
            )
        return [
            answer(self._tokenizer, request.prompt, tokens, sampling)
            for request, tokens in zip(requests, rows.tokens, strict=True)
        ]


def numbers(_: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
    """The logits unchanged. Raises RunError if one is NaN: argmax would make an answer of it all the same."""
    if scores.isnan().any():
        raise RunError(NOT_FINITE)
    return scores


class Rows:
    """The state of a batch: what each row has drawn and whether it has ended.

    Sampling is by the Gumbel-max trick: with independent g_i ~ Gumbel(0, 1), argmax_i(logit_i + g_i) is distributed as
    softmax(logits) (Maddison et al. 2014, arXiv 1411.0030), so that greedy decoding of perturbed logits samples exactly.
    transformers draws for a whole batch from one generator. Here each row has its own, seeded by its request, and draws one
    value per step and entry of the vocabulary. CPU and CUDA have different generators, so they draw different samples.
    """

    def __init__(self, tokenizer: Any, requests: Sequence[Request], sampling: Sampling, device: str) -> None:
        import torch

        self.tokens: list[list[int]] = [[] for _ in requests]
        self._tokenizer, self._requests, self._sampling = tokenizer, requests, sampling
        self._open = [True] * len(requests)
        # a stop string that the last token completes spans at most as many tokens as it has bytes; two tokens more,
        # because the first one may be decoded differently without the text before it
        self._tail = max((len(word.encode()) for word in sampling.stop), default=0) + 2
        self._generators = [torch.Generator(device).manual_seed(request.seed) for request in requests]

    def perturb(self, _: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """Add Gumbel noise, -log of a standard exponential, to scores (rows, vocabulary), float32."""
        import torch

        # float64, because float32 draws from 2^24 values of which one is 0: in one step of a hundred some entry of a large
        # vocabulary would get it, and would win however unlikely it is
        noise = torch.empty(scores.shape[1], dtype=torch.float64, device=scores.device)
        tiny = torch.finfo(torch.float64).tiny
        for row, generator in enumerate(self._generators):
            if self._open[row]:
                scores[row] -= noise.exponential_(generator=generator).clamp_(min=tiny).log_()
        return scores

    def ended(self, ids: "torch.Tensor", _: Any, **__: Any) -> "torch.Tensor":
        """Take each row's newest token from `ids` (rows, tokens); returns which rows have ended: bool, shape (rows,)."""
        import torch

        for row, token in enumerate(ids[:, -1].tolist()):
            if self._open[row]:
                self.tokens[row].append(token)
                self._open[row] = not self._at_end(row, token)
        return torch.tensor([not is_open for is_open in self._open], device=ids.device)

    def _at_end(self, row: int, token: int) -> bool:
        request, tokens, stop = self._requests[row], self.tokens[row], self._sampling.stop
        if token in self._sampling.stop_ids or len(tokens) == request.max_new_tokens:
            return True
        if not stop:
            return False
        if first_stop(decode(self._tokenizer, tokens[-self._tail :]), stop) is None:
            return False
        # the last tokens alone may be decoded differently, so the whole text decides
        return first_stop(continuation(self._tokenizer, request.prompt, tokens), stop) is not None
