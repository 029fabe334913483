"""Semantic difficulty: how complex a scorer model finds an instruction, from 0 to 5.

The XCoder complexity scorer (arXiv 2409.03810, after Deita, arXiv 2312.15685) is a LLaMA-3-8B that was trained to
answer PROMPT with a digit from 1 to 6; `seedkit.digit_scorers` says how that is a score. Two engines run it; a third
scorer, embedded_scorer.py, needs no such model.
"""

from typing import Protocol

from seedkit.score_store import Score
from seedkit.stage import ModelSpec

XCODER = "banksy235/XCoder-Complexity-Scorer"  # the Hugging Face hub
PROMPT = (
    "You are a helpful assistant. Please identify the complexity score of the following user query. "
    "\n##Query: {instruction}  \n##Complexity: "
)


class Scorer(Protocol):
    """Maps instructions to scores in [0, 5], in order; what cannot be scored is None with a reason."""

    def __call__(self, texts: list[str]) -> list[Score]: ...


ScorerSpec = ModelSpec[list[Score]]


def prompt(instruction: str) -> str:
    """What the scorer is asked about an instruction."""
    return PROMPT.format(instruction=instruction)
