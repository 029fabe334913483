"""Train the embedded scorer's head on programming problems with contest ratings, and measure it.

Ridge regression (scikit-learn) to Elo; only problems that have an Elo are used. Prints the Spearman correlation with
Elo in 5-fold cross-validation and, if a file of labelled texts is given, with labels that it was not trained on.

    python Code/RQ1_complexity/train_embedded_scorer.py --problems leetcode.jsonl
    python Code/RQ1_complexity/train_embedded_scorer.py --problems leetcode.jsonl --no-write \\
        --evol evol_instruct_code.jsonl --generations evol_generation.jsonl      # measure only
"""

import argparse
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from seedkit.cli import run, say
from seedkit.errors import InputError
from seedkit.files import write_atomic
from seedkit.flags import parser
from seedkit.records import read_records

from RQ1_complexity.embedded_scorer import FEATURES, HEAD, inputs

PENALTY = 2000.0  # cross-validation is about the same from 1000 to 3000; a strong penalty works better on other sources
FOLDS = 5


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    flags.add_argument("--problems", type=Path, required=True, help="JSONL with description and rating (null: no Elo)")
    flags.add_argument("--evol", type=Path, help="instructions to measure on, never trained on")
    flags.add_argument("--generations", type=Path, help="JSONL with line and generation for --evol")
    flags.add_argument(
        "--dtype", choices=("bfloat16", "float32"), default="float32", help="what MiniLM computes in (default: float32)"
    )
    flags.add_argument("--output_file", type=Path, default=HEAD)
    flags.add_argument("--write", action=argparse.BooleanOptionalAction, default=True, help="write the coefficients")
    return flags.parse_args()


def fit(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """(weights, intercept) in the units of x: ridge on features scaled to unit variance.

    All dimensions of the embedding are scaled alike, by their mean deviation: scaled one by one, a dimension that hardly
    varies would count as much as the others.
    """
    from sklearn.linear_model import Ridge

    scale = x.std(axis=0)
    scale[: -len(FEATURES)] = scale[: -len(FEATURES)].mean()
    mean = x.mean(axis=0)
    ridge = Ridge(alpha=PENALTY).fit((x - mean) / scale, y)
    weights = ridge.coef_ / scale
    return weights, float(ridge.intercept_ - weights @ mean)


def main() -> None:
    args = parse()
    from scipy.stats import spearmanr
    from seedkit.embed import MiniLM
    from sklearn.model_selection import KFold

    rated = [
        row for line in args.problems.read_bytes().splitlines() if (row := orjson.loads(line))["rating"] is not None
    ]
    if len(rated) < 100:
        raise InputError(f"{args.problems}: {len(rated)} problems with a rating, expected at least 100")
    encode = MiniLM(dtype=args.dtype)
    texts = [row["description"] for row in rated]
    elo = np.array([row["rating"] for row in rated], dtype=np.float64)
    say(f"encoding {len(texts)} problems")
    x = inputs(texts, encode(texts))

    held_out = np.empty(len(elo))
    for training, test in KFold(FOLDS, shuffle=True, random_state=0).split(x):
        weights, intercept = fit(x[training], elo[training])
        held_out[test] = x[test] @ weights + intercept
    print(
        f"Elo, {FOLDS}-fold cross-validation, n={len(elo)}: Spearman {spearmanr(held_out, elo)[0]:.3f}, "
        f"length alone {spearmanr([len(text) for text in texts], elo)[0]:.3f}"
    )

    weights, intercept = fit(x, elo)
    if args.evol and args.generations:
        instructions = [record.query for record in read_records(args.evol)]
        labels = [orjson.loads(line)["generation"] for line in args.generations.read_bytes().splitlines()]
        say(f"encoding {len(instructions)} instructions")
        values = inputs(instructions, encode(instructions)) @ weights + intercept
        print(
            f"Evol generation, never trained on, n={len(labels)}: Spearman {spearmanr(values, labels)[0]:.3f}, "
            f"length alone {spearmanr([len(text) for text in instructions], labels)[0]:.3f}"
        )
    if args.write:
        head = {
            "center": float(np.median(elo)),
            "scale": float(elo.std()),
            "intercept": intercept,
            "features": FEATURES,
            "weights": [float(f"{weight:.7g}") for weight in weights],
        }
        args.output_file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(args.output_file, [orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)])
        print(f"wrote {args.output_file}")


if __name__ == "__main__":
    run(main)
