"""Scores of an answer given its instruction: instruction-following difficulty and quality.

IFD (arXiv 2308.12032; with GPT-2 arXiv 2402.00530) is how much the instruction helps a language model with the answer,

    IFD = PPL(answer | instruction) / PPL(answer),   PPL = exp(mean over the answer's tokens of -log p)

below 1 where it helps. PROMPT stands before the answer in the first; of prompt and answer together the first MAX_TOKENS
count, and the answer alone is cut to as many tokens as are left of it there. Without a token at the beginning of every text,
which GPT-2 does not have, the answer's first token has no probability of its own and counts only after the instruction, as
in the authors' code.

Quality (DEITA, arXiv 2312.15685) is the expected digit that a LLaMA-13B answers QUALITY_PROMPT with.
"""

import argparse
import functools
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from seedkit.batching import Tokenized
from seedkit.digit_scorer_plan import digit_scorer
from seedkit.likelihood import EMBEDDED, GPT2, Likelihood, language_model
from seedkit.models import devices, resolve_dtype, resolve_kind
from seedkit.row_scores import row_batches, score_rows
from seedkit.score_store import Score
from seedkit.stage import ModelSpec

IFD, QUALITY = "ifd", "quality"
PROMPT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    "\n\n### Instruction:\n{instruction}\n\n### Response:"
)  # Alpaca's, as the authors use it
MAX_TOKENS = 1024
DEITA_QUALITY = "hkust-nlp/deita-quality-scorer"  # the Hugging Face hub
QUALITY_PROMPT = (
    "You are a helpful assistant. Please identify the quality score of the Response corresponding to the Question. \n "
    "#Question#:\n{instruction}\n#Response#:\n{output} \n##Quality: "
)


def pair_text(instruction: str, output: str) -> str:
    """An instruction and its answer as one text, which is what stages and score stores take."""
    return orjson.dumps([instruction, output]).decode()


def quality_prompt(pair: str) -> str:
    """What the quality scorer is asked about a pair."""
    instruction, output = orjson.loads(pair)
    return QUALITY_PROMPT.format(instruction=instruction, output=output)


@dataclass(frozen=True, slots=True)
class PairRow:
    """Token ids of a pair; its length is that of the longer of the two texts that a model reads."""

    whole: Sequence[int]  # prompt and answer
    start: int  # of the answer in `whole`
    answer: Sequence[int]  # alone

    def __len__(self) -> int:
        return max(len(self.whole), len(self.answer))


class InstructionFollowingDifficulty:
    """Maps pairs to IFD, in order. `model` is a hub id or a folder with any causal language model."""

    def __init__(self, model: str, *, device: str, dtype: str = "float32", max_batch_tokens: int = 4096) -> None:
        self._model = Likelihood(model, device=device, dtype=dtype, max_batch_tokens=max_batch_tokens)
        self._tokens = Tokenized(self._tokenize)
        self._most_tokens = min(MAX_TOKENS, self._model.context)
        self._special = len(self._model.tokenizer("")["input_ids"])  # at the beginning of every text

    def __call__(self, pairs: list[str]) -> list[Score]:
        rows = self._tokens.take(pairs)
        return score_rows(rows, _failures(rows), self._model.max_batch_tokens, self._forward, self._model.cores)

    def batches(self, pairs: list[str]) -> list[list[int]]:
        """The indices of the pairs in each batch, longest first."""
        rows = self._tokens.keep(pairs)
        return row_batches(rows, _failures(rows), self._model.max_batch_tokens, self._model.cores)

    def _tokenize(self, pairs: list[str]) -> list[PairRow]:
        texts = [orjson.loads(pair) for pair in pairs]
        prompts = [PROMPT.format(instruction=instruction) for instruction, _ in texts]
        answers = [output for _, output in texts]
        both = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
        rows = []
        for prompt, whole, answer in zip(*map(self._ids, (prompts, both, answers)), strict=True):
            start = len(prompt)
            # where both were cut, the answer alone is cut to as many tokens as are left of it
            left = len(whole) - start + self._special if len(whole) == self._most_tokens else None
            rows.append(PairRow(array("i", whole), start, array("i", answer[:left])))
        return rows

    def _ids(self, texts: list[str]) -> list[list[int]]:
        found: list[list[int]] = self._model.tokenizer(texts, truncation=True, max_length=self._most_tokens)[
            "input_ids"
        ]
        return found

    def _forward(self, rows: Sequence[PairRow]) -> list[float]:
        given = self._model([row.whole for row in rows], [row.start for row in rows])
        alone = self._model([row.answer for row in rows])
        return [math.exp(min(one - other, 700.0)) for one, other in zip(given, alone, strict=True)]


def _failures(rows: Sequence[PairRow]) -> dict[int, Score]:
    """The pairs without an IFD, by number."""
    found = {}
    for number, row in enumerate(rows):
        if row.start >= len(row.whole):
            found[number] = Score(None, f"the prompt has {row.start} tokens, which leaves no room for the answer")
        elif len(row.answer) < 2:
            found[number] = Score(None, f"the answer has {len(row.answer)} tokens: its perplexity needs at least two")
    return found


def plan(args: argparse.Namespace, records: int) -> dict[str, ModelSpec[list[Score]]]:
    """The models that the methods need, by measure, for so many records; says what was chosen.

    Raises UsageError for flags that contradict each other, InputError for a model that is not there or too few GPUs.
    """
    found: dict[str, ModelSpec[list[Score]]] = {}
    quality = "quality_diversity" in args.method and args.quality == "model"
    if "ifd" not in args.method and not quality:
        return found
    where = devices(args.device)
    if "ifd" in args.method:
        named = ("--perplexity_model", args.perplexity_model)
        wanted = args.perplexity_model or resolve_kind("IFD's model", "auto", GPT2, EMBEDDED, where[0], named)
        lm = language_model(wanted, args.dtype, where, args.max_batch_tokens)
        factory = functools.partial(
            InstructionFollowingDifficulty, lm.name, dtype=lm.dtype, max_batch_tokens=lm.max_batch_tokens
        )
        found[IFD] = ModelSpec(factory, where, {**lm.identity, "measure": IFD})
    if quality:
        model = args.quality_model or DEITA_QUALITY
        dtype = resolve_dtype(args.dtype, where[0])
        budget = args.max_batch_tokens or (16384 if where[0].startswith("cuda") else 4096)
        kind = "deita" if model == DEITA_QUALITY else "custom"
        found[QUALITY] = digit_scorer(args, model, kind, QUALITY_PROMPT, quality_prompt, where, dtype, budget, records)
    return found
