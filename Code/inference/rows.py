"""The rows of a batch: what each request has drawn so far, with which random numbers, and whether its answer has ended."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seedkit.errors import RunError

from inference.engines import NOT_FINITE, Request, Sampling, continuation, decode, first_stop

if TYPE_CHECKING:
    import torch


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


def scores_of(logits: "torch.Tensor", rows: Sequence[BatchRow], sampling: Sampling) -> "torch.Tensor":
    """The scores whose largest in each row is its next token; float32, shape (rows, vocabulary), as `logits`, which change.

    At temperature 0 they are the logits. Above 0 sampling is by the Gumbel-max trick: with independent g_i ~ Gumbel(0, 1),
    argmax_i(logit_i + g_i) is distributed as softmax(logits) (Maddison et al. 2014, arXiv 1411.0030). transformers draws
    for a whole batch from one generator; here each row has its own, seeded by its request, and draws one value per step and
    entry of the vocabulary. CPU and CUDA have different generators, so they draw different samples.

    Raises RunError if a logit is NaN: argmax would make an answer of it all the same.
    """
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    if logits.isnan().any():
        raise RunError(NOT_FINITE)
    if sampling.temperature == 0:
        return logits
    scores = TemperatureLogitsWarper(sampling.temperature)(None, logits)
    if sampling.top_p < 1:
        scores = TopPLogitsWarper(sampling.top_p)(None, scores)
    return perturb(scores, rows)


def perturb(scores: "torch.Tensor", rows: Sequence[BatchRow]) -> "torch.Tensor":
    """Add Gumbel noise, -log of a standard exponential, to the scores (rows, vocabulary) of the rows that have not ended."""
    import torch

    # float64, because float32 draws from 2^24 values of which one is 0: in one step of a hundred some entry of a large
    # vocabulary would get it, and would win however unlikely it is
    noise = torch.empty(scores.shape[1], dtype=torch.float64, device=scores.device)
    tiny = torch.finfo(torch.float64).tiny
    for number, row in enumerate(rows):
        if not row.ended:
            scores[number] -= noise.exponential_(generator=row.generator).clamp_(min=tiny).log_()
    return scores
