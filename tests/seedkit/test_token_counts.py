"""Token counts: by hand, text by text whatever stands beside, and against a tokenizer."""

import numpy as np
import pytest
from seedkit import token_counts as counts
from seedkit.likelihood import EMBEDDED_LM
from seedkit.records import read_records
from seedkit.token_counts import token_counts
from support import ROOT


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \t", 0),
        ("a", 1),
        ("hello world", 2),
        ("abcdefghij abcdefghijk", 3),  # ten letters, eleven letters
        ("x_1 = 42\n", 7),
        ("f(x)", 4),
        ("naïve", 1),
        ("\ud800", 1),  # a lone surrogate has no bytes: one mark
    ],
)
def test_by_hand(text: str, tokens: int) -> None:
    assert token_counts([text]).tolist() == [tokens]


def test_a_text_counts_the_same_alone_and_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [record.output for record in read_records(ROOT / "Datas" / "sample" / "EVOL.jsonl")]
    texts[3] = ""
    together = token_counts(texts).tolist()
    assert together == [int(token_counts([text])[0]) for text in texts]
    monkeypatch.setattr(counts, "TEXTS", 7)
    assert token_counts(iter(texts)).tolist() == together
    assert token_counts([]).shape == (0,)


def test_it_goes_with_what_a_tokenizer_counts() -> None:
    from tokenizers import Tokenizer

    texts = [record.output for record in read_records(ROOT / "Datas" / "sample" / "OSS.jsonl")]
    tokenizer = Tokenizer.from_file(str(EMBEDDED_LM / "tokenizer.json"))
    tokenizer.no_truncation()
    exact = [len(found) for found in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    assert np.corrcoef(token_counts(texts), exact)[0, 1] > 0.95
