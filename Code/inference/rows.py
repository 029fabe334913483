"""The rows of a batch: what each request has drawn so far, with which random numbers, and whether its answer has ended."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seedkit.errors import RunError

from inference.engines import NOT_FINITE, Request, Sampling, continuation, decode, first_stop

if TYPE_CHECKING:
    import torch

BLOCK = 256  # tokens of the vocabulary in a block of `draw`


class BatchRow:
    """A request and the tokens drawn for it."""

    def __init__(self, request: Request, sampling: Sampling, tokenizer: Any, device: str) -> None:
        self.request = request
        self._sampling, self._tokenizer, self._device = sampling, tokenizer, device
        # a stop string that the last token completes spans at most as many tokens as it has bytes; two tokens more,
        # because the first one may be decoded differently without the text before it
        self._tail = max((len(word.encode()) for word in sampling.stop), default=0) + 2
        self.restart()

    def restart(self) -> None:
        """As if nothing had been drawn yet."""
        import torch

        self.tokens: list[int] = []
        self.ended = False
        self.generator = torch.Generator(self._device).manual_seed(self.request.seed)

    @property
    def ids(self) -> list[int]:
        """The prompt and what has been drawn after it."""
        return [*self.request.prompt, *self.tokens]

    @property
    def newest(self) -> int:
        """The last token of `ids`."""
        return self.tokens[-1] if self.tokens else self.request.prompt[-1]

    @property
    def length(self) -> int:
        """How many tokens `ids` has."""
        return len(self.request.prompt) + len(self.tokens)

    @property
    def longest(self) -> int:
        """How many tokens `ids` has at most."""
        return len(self.request.prompt) + self.request.max_new_tokens

    def take(self, token: int) -> None:
        """Add a drawn token. A row that has ended takes none."""
        if not self.ended:
            self.tokens.append(token)
            self.ended = self._at_end(token)

    def _at_end(self, token: int) -> bool:
        stop = self._sampling.stop
        if token in self._sampling.stop_ids or len(self.tokens) == self.request.max_new_tokens:
            return True
        if not stop or first_stop(decode(self._tokenizer, self.tokens[-self._tail :]), stop) is None:
            return False
        # the last tokens alone may be decoded differently, so the whole text decides
        return first_stop(continuation(self._tokenizer, self.request.prompt, self.tokens), stop) is not None


def next_tokens(logits: "torch.Tensor", rows: Sequence[BatchRow], sampling: Sampling) -> "torch.Tensor":
    """The next token of every row, int64 of shape (rows,), from its logits, float32 of shape (rows, vocabulary).

    Raises RunError if a logit is NaN: argmax would make an answer of it all the same.
    """
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    if logits.isnan().any():
        raise RunError(NOT_FINITE)
    if sampling.temperature == 0:
        return logits.argmax(-1)
    scores = TemperatureLogitsWarper(sampling.temperature)(None, logits)
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(None, scores)
    return draw(scores, rows)


def draw(scores: "torch.Tensor", rows: Sequence[BatchRow]) -> "torch.Tensor":
    """A token for every row, drawn from softmax(scores) with the random numbers of that row alone; for ended rows any.

    This is the Gumbel-max trick: with independent g_i ~ Gumbel(0, 1), argmax_i(score_i + g_i) is distributed as
    softmax(scores) (Maddison et al. 2014, arXiv 1411.0030). As max_i(score_i + g_i) is Gumbel-distributed around
    log(sum_i exp(score_i)), a block of the vocabulary is drawn in this way first and then a token in it: some hundred
    random numbers instead of one for each token, which would take longer than a small model's step.
    """
    import torch
    from torch.nn.functional import pad

    count, known = scores.shape
    blocks = pad(scores, (0, -known % BLOCK), value=-math.inf).view(count, -1, BLOCK)
    first, second = (torch.ones(count, size, dtype=torch.float64, device=scores.device) for size in blocks.shape[1:])
    for number, row in enumerate(rows):
        if not row.ended:
            first[number].exponential_(generator=row.generator)
            second[number].exponential_(generator=row.generator)
    # float64, because float32 draws from 2^24 values of which one is 0, which would win however unlikely it is
    tiny = torch.finfo(torch.float64).tiny
    block = (blocks.logsumexp(-1) - first.clamp_(min=tiny).log_()).argmax(-1)
    inside = blocks[torch.arange(count, device=scores.device), block]
    return block * BLOCK + (inside - second.clamp_(min=tiny).log_()).argmax(-1)
