"""Answers through transformers: each row of a batch has its own seed, limit and end, and its place is given away at its end."""

import math
from typing import Any

from seedkit.batching import halving, token_batches
from seedkit.causal_lm import load_causal_lm, load_tokenizer, padded
from seedkit.cli import say
from seedkit.errors import RunError

from inference.engines import Answer, Engine, Request, Sampling, answer
from inference.rows import BatchRow, next_tokens
from inference.slots import Slots, group_heads, slot_limit

# of a batch have ended when their places are given away: on a GPU reading prompts takes as long as a step
RENEWED = 1 / 16


class TransformersEngine(Engine):
    """A batch has at most `max_batch_tokens` tokens: prompts, whole answers and padding. None: all requests are one batch.

    Rows that have ended give their places to waiting requests, where the model's cache allows that (`slot_limit`). What
    does not fit into the GPU's memory goes on with half as many rows.
    """

    def __init__(
        self, model: str, sampling: Sampling, *, device: str, dtype: str, max_batch_tokens: int | None = None
    ) -> None:
        from transformers import GenerationConfig

        self._tokenizer = load_tokenizer(model)
        self._model = load_causal_lm(model, device, dtype)
        # a model folder may bring sampling defaults, such as a repetition penalty, that nobody asked for; generate()
        # decodes greedily, because next_tokens draws and rows stop by themselves
        self._model.generation_config = GenerationConfig(do_sample=False, pad_token_id=0)
        group_heads(self._model)
        self._slot_limit = slot_limit(self._model)
        self._device, self._sampling, self._max_batch_tokens = device, sampling, max_batch_tokens or math.inf

    def __call__(self, requests: list[Request]) -> list[Answer]:
        import torch

        rows = [BatchRow(request, self._sampling, self._tokenizer, self._device) for request in requests]
        with torch.inference_mode():
            if all(row.longest <= self._slot_limit for row in rows):
                self._answer_refilled(rows)
            else:
                self._answer_padded(rows)
        return [answer(self._tokenizer, row.request.prompt, row.tokens, self._sampling) for row in rows]

    def _answer_refilled(self, rows: list[BatchRow]) -> None:
        """Answer in one batch whose places are given to waiting rows as others end."""
        import torch

        waiting = sorted(rows, key=lambda row: row.longest)  # the longest is taken first, from the end
        batch: list[BatchRow] = []
        slots, most = Slots(), math.inf
        while waiting or batch:
            try:
                if sum(row.ended for row in batch) >= RENEWED * len(batch):
                    self._renew(batch, slots, waiting, most)
                if batch:
                    self._step(batch, slots)
                continue
            except torch.OutOfMemoryError as error:
                if len(batch) == 1:
                    raise RunError(f"the GPU's memory does not hold one text: {str(error).splitlines()[0]}") from None
                most = len(batch) // 2
            say(f"the memory of {self._device} does not hold {len(batch)} answers at once: going on with {most}")
            # nothing is lost: what a row has drawn is read again with its prompt
            waiting = sorted([*waiting, *(row for row in batch if not row.ended)], key=lambda row: row.longest)
            batch, slots = [], Slots()
            torch.cuda.empty_cache()  # outside the except block: the traceback would keep the failed batch alive

    def _renew(self, batch: list[BatchRow], slots: Slots, waiting: list[BatchRow], most: float) -> None:
        """Take the rows that have ended out of the batch, and as many waiting ones in as fit."""
        for slot in reversed(range(len(batch))):
            if batch[slot].ended:
                slots.drop(slot)
                batch[slot] = batch[-1]
                batch.pop()
        old = len(batch)
        longest = max((row.longest for row in batch), default=0)
        while waiting and len(batch) < most:
            longest = max(longest, waiting[-1].longest)
            if batch and (len(batch) + 1) * longest > self._max_batch_tokens:
                break
            batch.append(waiting.pop())
        if new := batch[old:]:
            # all but the newest token, which the next step reads with those of the other rows. What pads a row on the
            # right is not seen by the tokens before it, so no mask is needed
            ids, _ = padded([row.ids[:-1] or row.ids for row in new], self._device, left=False)
            read = self._model.base_model(input_ids=ids, use_cache=True)
            slots.append(read.past_key_values, [row.length - 1 for row in new])

    def _step(self, batch: list[BatchRow], slots: Slots) -> None:
        """Draw one token for every row."""
        inputs = slots.inputs([row.newest for row in batch], [row.length - 1 for row in batch], self._device)
        logits = self._model(**inputs).logits[:, -1].float()
        for row, token in zip(batch, next_tokens(logits, batch, self._sampling).tolist(), strict=True):
            row.take(token)

    def _answer_padded(self, rows: list[BatchRow]) -> None:
        """Answer batch by batch, each padded on the left and as long as its longest row."""
        budget = min(self._max_batch_tokens, len(rows) * max(row.longest for row in rows))
        for indices in token_batches([row.longest for row in rows], int(budget)):
            halving(self._generate, [rows[index] for index in indices])

    def _generate(self, rows: list[BatchRow]) -> list[BatchRow]:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        def chosen(_: Any, logits: torch.Tensor) -> torch.Tensor:
            tokens = next_tokens(logits, rows, self._sampling)
            return torch.full_like(logits, -math.inf).scatter_(1, tokens[:, None], 0)

        def ended(ids: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
            for row, token in zip(rows, ids[:, -1].tolist(), strict=True):
                row.take(token)
            return torch.tensor([row.ended for row in rows], device=ids.device)

        for row in rows:
            row.restart()  # after a batch that did not fit
        ids, mask = padded([row.ids for row in rows], self._device, left=True)
        self._model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max(row.request.max_new_tokens for row in rows),
            logits_processor=LogitsProcessorList([chosen]),
            stopping_criteria=StoppingCriteriaList([ended]),
        )
        return rows
