"""What a cluster costs: scores a second of two nodes on this machine (--cluster local:2) and of two local workers (cpu,cpu).

    python tests/performance/bench_cluster.py [--records 20000] [--rounds 3]      # in an environment with Ray

The stage is a cheap one, so that what giving work costs is seen: perplexity under the embedded language model over the
first 120 characters of real instructions, each another. Both are started once, their models loaded, and timed in turns on
the same texts with a new score store for each run; the seconds of both starts, with loading, stand apart.
"""

import argparse
import functools
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from measure import SHARED, machine, seconds
from seedkit.cli import run

LETTERS = 120


def texts(count: int) -> list[str]:
    """So many distinct texts: the first letters of real instructions, then, where these run out, letters from further on."""
    from seedkit.records import read_records

    files = [SHARED / "seeds" / name for name in ("evol_instruct_code.jsonl", "codealpaca_oss_schema.jsonl")]
    every = [record.query for path in [*files, SHARED / "seeds/alpaca_9k.jsonl"] for record in read_records(path)]
    longest = max(map(len, every))
    cuts = (text[start : start + LETTERS] for start in range(0, longest, LETTERS) for text in every)
    found = dict.fromkeys(cut for cut in cuts if len(cut.split()) > 2)
    return list(found)[:count]


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--records", type=int, default=20_000)
    flags.add_argument("--rounds", type=int, default=3)
    args = flags.parse_args()

    from RQ1_complexity.perplexity import Perplexity
    from seedkit.likelihood import EMBEDDED, language_model
    from seedkit.models import devices
    from seedkit.score_store import Score, ScoreStore
    from seedkit.stage import Workers, score_texts

    asked = texts(args.records)
    lm = language_model(EMBEDDED, "auto", ["cpu"], None)
    factory = functools.partial(Perplexity, lm.name, dtype=lm.dtype, max_batch_tokens=lm.max_batch_tokens)
    found: dict[str, list[Score]] = {}

    def scored(name: str, workers: Any, some: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder, ScoreStore(Path(folder), "perplexity", {}) as store:
            found[name], _ = score_texts(workers, some, store, name)

    began = time.perf_counter()
    on = devices("cpu@local:2")
    joined = time.perf_counter() - began
    print(f"{machine()}; {len(asked):,} texts of {LETTERS} characters at most; {os.getloadavg()[0]:.1f} processes wait")
    with Workers(factory, ["cpu", "cpu"]) as local, Workers(factory, on) as cluster:
        start = {"local": local, "cluster": cluster}
        for name, workers in start.items():
            first = seconds(lambda name=name, workers=workers: scored(name, workers, asked[::10]))  # type: ignore[misc]
            print(f"{name}: first {len(asked[::10]):,} texts with the start of workers and loading {first:.1f} s")
        print(f"cluster: start of two nodes before that {joined:.1f} s")
        pairs = []
        for _ in range(args.rounds):
            pair = (
                seconds(lambda: scored("local", local, asked)),
                seconds(lambda: scored("cluster", cluster, asked)),
            )
            print(f"local {pair[0]:.1f} s, cluster {pair[1]:.1f} s", flush=True)
            pairs.append(pair)
    here, there = (median(times) for times in zip(*pairs, strict=True))
    print(f"two local workers {len(asked) / here:,.0f} texts a second, two nodes {len(asked) / there:,.0f}")
    print(
        f"the cluster's throughput is {here / there:.1%} of theirs; the same scores: {found['local'] == found['cluster']}"
    )


if __name__ == "__main__":
    run(main)
