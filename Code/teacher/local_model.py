"""A teacher that is loaded here: its chat template makes token ids of messages, and an engine of inference answers them."""

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from inference.chat import ChatAnswer, ChatRequest, Keep, Refusal, chat_ids, end_ids
from inference.engines import TRANSFORMERS, Answer, Request, Sampling
from seedkit.causal_lm import context_length, load_tokenizer
from seedkit.stage import StageFactory, Workers

CHUNK_BATCHES = 2  # batches of transformers in a chunk; answers are kept when their chunk is finished
VLLM_CHUNK = 256  # requests that vLLM is given at once


class LocalModel:
    """A ChatEngine.

    `done` says of a key whether its answer is kept already. In half precision an answer can depend on what is computed
    together with it: then a chunk in which anything is missing is computed whole, so that a resumed run has the same bytes.
    """

    def __init__(
        self,
        model: str,
        *,
        engine: str,
        devices: list[str],
        dtype: str,
        temperature: float,
        top_p: float,
        max_batch_tokens: int,
        done: Callable[[str], bool],
    ) -> None:
        self._model, self._engine, self._devices, self._dtype, self._done = model, engine, devices, dtype, done
        self._max_batch_tokens = max_batch_tokens
        self.failures: Counter[str] = Counter()  # none: nothing is tried again here
        self._tokenizer = load_tokenizer(model)
        self._context = context_length(model)
        self._sampling = Sampling(temperature, top_p, (), tuple(sorted(end_ids(model, self._tokenizer))))

    def prompt(self, request: ChatRequest) -> list[int]:
        """The token ids of a request's messages."""
        return chat_ids(self._model, self._tokenizer, request.messages)

    def ask(self, requests: Iterable[ChatRequest], keep: Keep) -> None:
        """See ChatEngine. A prompt that leaves no room for an answer is refused."""
        keyed: list[tuple[str, Request]] = []
        for one in requests:
            ids = self.prompt(one)
            room = self._context - len(ids)
            if room > 0:
                keyed.append((one.key, Request(tuple(ids), min(one.max_new_tokens, room), one.seed)))
            elif not self._done(one.key):
                keep([(one.key, Refusal(f"the prompt has {len(ids):,} tokens, the model takes {self._context:,}"))])
        if not keyed:
            return
        longest = max(len(request.prompt) + request.max_new_tokens for _, request in keyed)
        chunks = [left for chunk in self._chunks(keyed, longest) if (left := self._left(chunk))]
        if not chunks:
            return
        isolate = self._engine != TRANSFORMERS  # vLLM takes most of a GPU's memory for as long as its process lives
        with Workers(self._factory(longest), self._devices, isolate=isolate) as workers:
            began = time.monotonic()
            for number, answers in workers.map([[request for _, request in chunk] for chunk in chunks]):
                now = time.monotonic()
                each, began = (now - began) / len(answers), now
                keep(
                    [
                        (key, ChatAnswer(one.text, one.finish_reason, len(request.prompt), one.tokens, each))
                        for (key, request), one in zip(chunks[number], answers, strict=True)
                    ]
                )

    def _chunks(self, keyed: list[tuple[str, Request]], longest: int) -> list[list[tuple[str, Request]]]:
        """The requests in chunks that depend on nothing but the requests."""
        rows = max(1, self._max_batch_tokens // longest)
        size = CHUNK_BATCHES * rows if self._engine == TRANSFORMERS else VLLM_CHUNK
        return [keyed[start : start + size] for start in range(0, len(keyed), size)]

    def _left(self, chunk: list[tuple[str, Request]]) -> list[tuple[str, Request]]:
        missing = [one for one in chunk if not self._done(one[0])]
        return missing if self._dtype == "float32" or not missing else chunk

    def _factory(self, longest: int) -> StageFactory[Request, list[Answer]]:
        common: dict[str, Any] = {"dtype": self._dtype}
        if self._engine == TRANSFORMERS:
            from inference.transformers_engine import TransformersEngine

            tokens = self._max_batch_tokens
            return functools.partial(TransformersEngine, self._model, self._sampling, max_batch_tokens=tokens, **common)
        from inference.vllm_engine import VllmEngine

        return functools.partial(VllmEngine, self._model, self._sampling, max_model_len=longest, **common)
