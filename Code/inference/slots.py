"""A cache of keys and values whose rows come and go, so that a waiting request can take the place of one that has ended.

transformers' own caches give all rows of a batch one length: a row that has ended stays until the last one has. Here every
row has a length of its own and begins at column 0; what stands behind its end is masked.
"""

import math
from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

BLOCK = 64  # columns by which the cache grows; it is copied each time
GROUPED = "sdpa_grouped"  # the name by which transformers finds grouped_attention


class Slots:
    """The keys and values of a batch, a slot for each row: for every layer two tensors (slots, heads, columns, head size)."""

    def __init__(self) -> None:
        self.lengths: list[int] = []  # tokens in each slot
        self._cache: Any = None

    def append(self, filled: Any, lengths: Sequence[int]) -> None:
        """Add a slot for each row of `filled`, the cache of a forward pass over rows padded on the right."""
        first, columns = len(self.lengths), max(lengths)
        self.lengths += lengths
        if self._cache is None:
            self._cache = _cache(len(filled.layers))
        for own, other in zip(self._cache.layers, filled.layers, strict=True):
            own.room(len(self.lengths), max(self.lengths), other.keys, other.values)
            own.keys[first : len(self.lengths), :, :columns] = other.keys[:, :, :columns]
            own.values[first : len(self.lengths), :, :columns] = other.values[:, :, :columns]

    def drop(self, slot: int) -> None:
        """Free a slot: the last one takes its place."""
        length, last = self.lengths[-1], len(self.lengths) - 1
        self.lengths[slot] = length
        self.lengths.pop()
        if slot != last:
            for layer in self._cache.layers:
                for part in (layer.keys, layer.values):
                    part[slot, :, :length] = part[last, :, :length]

    def inputs(self, newest: list[int], lengths: list[int], device: str) -> dict[str, Any]:
        """What a model is given to read the `newest` token of every row behind the first `lengths` of its slot."""
        import torch

        ids, ends = torch.tensor([newest, lengths], device=device)
        self.lengths = [length + 1 for length in lengths]
        width = max(self.lengths)
        where = (torch.arange(len(lengths), device=device), slice(None), ends)
        for layer in self._cache.layers:
            layer.width, layer.where = width, where
        return {
            "input_ids": ids[:, None],
            "position_ids": ends[:, None],
            "attention_mask": torch.arange(width, device=device) <= ends[:, None],
            "past_key_values": self._cache,
            "use_cache": True,
        }


def _cache(layers: int) -> Any:
    """A cache for transformers, of layers whose rows have lengths of their own."""
    from transformers import Cache
    from transformers.cache_utils import DynamicLayer

    class SlotLayer(DynamicLayer):  # type: ignore[misc]
        """`update` writes one token in each slot, at `where`, and returns the first `width` columns."""

        keys: Any
        values: Any
        width: int
        where: tuple[Any, ...]

        def room(self, rows: int, width: int, keys: Any, values: Any) -> None:
            """Make keys and values of at least that many rows and columns."""
            if self.keys is None or self.keys.shape[0] < rows or self.keys.shape[2] < width:
                columns = math.ceil(width / BLOCK) * BLOCK
                self.keys, self.values = (
                    _grown(self.keys, keys, rows, columns),
                    _grown(self.values, values, rows, columns),
                )

        def update(self, keys: Any, values: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
            self.room(len(keys), self.width, keys, values)
            self.keys[self.where] = keys[:, :, 0]
            self.values[self.where] = values[:, :, 0]
            return self.keys[: len(keys), :, : self.width], self.values[: len(keys), :, : self.width]

        def get_seq_length(self) -> int:
            return self.width - 1

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            return self.width, 0

    return Cache(layers=[SlotLayer() for _ in range(layers)])


def _grown(part: "torch.Tensor | None", like: "torch.Tensor", rows: int, columns: int) -> "torch.Tensor":
    """A tensor of at least that many rows and columns which begins with `part`; its heads are those of `like`."""
    old = (0, 0) if part is None else (part.shape[0], part.shape[2])
    # what is masked is read all the same, and must be a number
    grown = like.new_zeros((max(rows, old[0]), like.shape[1], max(columns, old[1]), like.shape[3]))
    if part is not None:
        grown[: old[0], :, : old[1]] = part
    return grown


def slot_limit(model: Any) -> float:
    """The most tokens of a row with which a model's cache can be one of slots: 0 for a model whose cache cannot.

    It can where each layer keeps keys and values of all tokens, or of a window, up to the window's size. The cache that the
    model itself makes says so. A model with recurrent states, or that counts positions by itself, is none.
    """
    import torch
    from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

    if "position_ids" not in signature(model.forward).parameters:
        return 0
    ids = torch.tensor([[0, 1]], device=model.device)
    with torch.inference_mode():
        cache = model.base_model(input_ids=ids, use_cache=True).get("past_key_values")
    if type(cache) is not DynamicCache or any(
        type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers
    ):
        return 0
    return min((layer.sliding_window for layer in cache.layers if layer.is_sliding), default=math.inf)


def group_heads(model: Any) -> None:
    """Let a model whose attention is torch's scaled_dot_product_attention use `grouped_attention`."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask, sdpa_mask

    def mask(*, q_length: int, **more: Any) -> Any:
        # as numbers to add where one token is read: made once a step, where a bool is turned into them in every layer
        return (eager_mask if q_length == 1 else sdpa_mask)(q_length=q_length, **more)

    if model.config._attn_implementation == "sdpa" and model._can_set_attn_implementation():
        AttentionInterface.register(GROUPED, grouped_attention)
        AttentionMaskInterface.register(GROUPED, mask)
        model.set_attn_implementation(GROUPED)


def grouped_attention(
    module: Any,
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: "torch.Tensor | None",
    **more: Any,
) -> tuple["torch.Tensor", None]:
    """Attention in which the query heads that share a head of keys and values are rows of one head.

    query (rows, heads, tokens, size); key and value (rows, shared heads, columns, size); the mask (rows, 1, tokens,
    columns); returns (rows, tokens, heads, size). transformers copies keys and values for every head instead, a third of a
    step on a processor. Where one head is shared by all it only expands it, and torch's float32 kernel with a mask on CUDA
    then reads wrong numbers at some widths (pytorch/pytorch issue 191937).
    """
    from torch.nn.functional import scaled_dot_product_attention
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    rows, heads, tokens, size = query.shape
    shared = heads // key.shape[1]
    if attention_mask is None or attention_mask.shape[1] != 1 or shared == 1:
        result: tuple[torch.Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **more)
        return result
    found = scaled_dot_product_attention(
        query.reshape(rows, -1, shared * tokens, size),
        key,
        value,
        attn_mask=attention_mask.repeat(1, 1, shared, 1),
        scale=more.get("scaling"),
    )
    return found.reshape(rows, heads, tokens, -1).transpose(1, 2).contiguous(), None
