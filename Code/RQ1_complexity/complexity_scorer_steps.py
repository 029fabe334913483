"""From records to tertiles: the steps of complexity_scorer.py, each a function of plain data."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seedkit import figures, partition
from seedkit.display import written_to
from seedkit.manifest import versions
from seedkit.partition import ScoredRows, Tertiles, check_spread
from seedkit.records import QUERY_DESCRIPTION
from seedkit.score_store import Score, ScoreStore
from seedkit.sources import Source, arguments
from seedkit.stage import score_texts

from RQ1_complexity.complexity import ScorerSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGE = "RQ1_complexity"
TERTILES = ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")
MEASURES = ("semantic", "linguistic")
NO_SAY = 0.1  # a measure whose Spearman correlation with the mean is below this has next to no say in it


class ComplexityFiles(NamedTuple):
    """What the files of a run are called."""

    tertiles: tuple[str, ...]
    scores: str
    histogram: str  # without the ending for its kind
    scatter: str

    @property
    def files(self) -> tuple[str, ...]:
        return (*self.tertiles, self.scores, *figures.names(self.histogram, self.scatter))


def names(match: str | None) -> ComplexityFiles:
    """Those of tertiles over all records, or of `match`ed ones, which may lie beside them."""
    end = partition.ending(match)
    tertiles = tuple(f"RQ1_COMPLEXITY_{name}{end}.jsonl" for name in TERTILES)
    own = [f"complexity_{what}{end.lower()}" for what in ("scores", "histogram", "scatter")]
    return ComplexityFiles(tertiles, f"{own[0]}.jsonl", *own[1:])


@dataclass
class Scored:
    """The scores of one source: a list per measure, in the order of its records."""

    source: Source
    scores: dict[str, list[Score]] = field(default_factory=dict)
    computed: int = 0
    reused: int = 0

    def reason(self, number: int) -> str | None:
        """Why a record has no complexity, or None where it has one."""
        for measure in MEASURES:
            if self.scores[measure][number].value is None:
                return f"{measure}: {self.scores[measure][number].reason}"
        return None

    def halved(self) -> dict[str, int]:
        """By measure, how many scores were computed in halved batches, where there are any."""
        counts = {measure: sum(score.halved for score in scores) for measure, scores in self.scores.items()}
        return {measure: count for measure, count in counts.items() if count}


def score(sources: Sequence[Source], plan: dict[str, ScorerSpec], resume: bool) -> list[Scored]:
    """Score all sources, one measure after the other, so that only one model is in memory at a time."""
    sets = [Scored(source) for source in sources]
    for measure, spec in plan.items():
        with spec.workers() as workers:
            for data in sets:
                records = data.source.records
                asked = [number for number, record in enumerate(records) if record.query.strip()]
                with ScoreStore(data.source.folder.store, measure, spec.identity, resume=resume) as store:
                    texts = [records[number].query for number in asked]
                    found, computed = score_texts(workers, texts, store, f"{data.source.name} {measure}")
                scores = [Score(None, "the instruction is empty")] * len(records)
                for number, value in zip(asked, found, strict=True):
                    scores[number] = value
                data.scores[measure] = scores
                data.computed += computed
                data.reused += len(set(texts)) - computed
    return sets


def publish(data: Scored, plan: dict[str, ScorerSpec], args: argparse.Namespace) -> str:
    """Combine, check, split and write, the manifest last; returns the closing table."""
    source = data.source
    reasons = [data.reason(number) for number in range(len(source.records))]
    found = partition.scored_rows(source, reasons, args.max_failure_rate)
    columns = {
        measure: np.array([data.scores[measure][n].value for n in found.scored], dtype=np.float64)
        for measure in MEASURES
    }
    partition.check_enough(source, found)
    for measure, values in columns.items():
        check_spread(values, measure)
    complexity = combine(columns["semantic"], columns["linguistic"], args.normalize)
    called = names(args.match)
    measured = partition.measure(source)
    tokens = partition.answer_tokens(measured) if args.match else None
    tertiles = partition.split(
        "complexity",
        called.tertiles,
        called.scores,
        complexity,
        matched=args.match,
        by=None if tokens is None else tokens[found.scored],
    )
    balance = partition.balanced(source, found, tertiles, measured)
    further: dict[str, Sequence[float | None]] = {
        measure: [score.value for score in data.scores[measure]] for measure in MEASURES
    }
    if tokens is not None:
        further[args.match] = tokens.tolist()
    partition.write_tertiles(source, found, tertiles, further)
    figures.write(source.folder, called.histogram, _histogram(source.name, tertiles))
    figures.write(source.folder, called.scatter, _scatter(source.name, columns, tertiles))
    correlation = {measure: rank_correlation(values, complexity) for measure, values in columns.items()}
    source.folder.finish(_manifest(data, found, tertiles, balance, plan, args, correlation))
    return "\n".join(
        [
            partition.report(source, found, tertiles, balance),
            f"Spearman with the result: {', '.join(f'{measure} {rho:.2f}' for measure, rho in correlation.items())}",
            *no_say(correlation, args.normalize),
            *(
                f"{measure}: memory did not hold whole batches of {count:,} scores, which were computed in halves; another "
                "run may halve others, and last digits differ. A smaller --max_batch_tokens makes every run the same"
                for measure, count in data.halved().items()
            ),
            written_to(source.folder.path),
        ]
    )


def _histogram(source: str, tertiles: Tertiles) -> "Figure":
    """How many records have which complexity, by tertile; counts on the left, shares on the right."""
    values, total = tertiles.values, len(tertiles.values)
    figure, plot = figures.axes(7, 4.5)
    groups = [values[tertiles.tertile == number] for number in (1, 2, 3)]
    names, colours, _ = zip(*figures.TERTILES, strict=True)
    labels = [f"{name}: {figures.counted(len(g), total)}" for name, g in zip(names, groups, strict=True)]
    plot.hist(groups, bins=list(np.linspace(values.min(), values.max(), 41)), stacked=True, color=colours, label=labels)
    shares = plot.secondary_yaxis(
        "right", functions=(partial(np.multiply, 100 / total), partial(np.multiply, total / 100))
    )
    shares.set_ylabel("% of the records")
    plot.set_xlabel("complexity")
    plot.set_ylabel("records")
    plot.legend(frameon=False)
    figures.titled(plot, "Instructions by complexity", source, total)
    return figure


def _scatter(source: str, columns: Mapping[str, NDArray[np.float64]], tertiles: Tertiles) -> "Figure":
    """Both measures of each record, marked by tertile."""
    figure, plot = figures.axes(7, 6)
    figures.scatter_tertiles(plot, columns["semantic"], columns["linguistic"], tertiles.tertile)
    plot.set_yscale("log")
    plot.set_xlabel("semantic: how complex the scorer finds it, 0 to 5")
    plot.set_ylabel("linguistic: perplexity")
    figures.titled(plot, "Both measures of difficulty, by tertile of complexity", source, len(tertiles.values))
    return figure


def no_say(correlation: Mapping[str, float], how: str) -> list[str]:
    """A line for each measure that has next to no say in the mean of values normalised as `how` says, not of ranks."""
    if how == "rank":  # both weigh alike
        return []
    return [
        f"{measure} has next to no say in the result (Spearman {rho:.2f}): a few far values press the others together; "
        "--normalize rank weighs both measures alike"
        for measure, rho in correlation.items()
        if rho < NO_SAY
    ]


def _manifest(
    data: Scored,
    found: ScoredRows,
    tertiles: Tertiles,
    balance: Mapping[str, object],
    plan: dict[str, ScorerSpec],
    args: argparse.Namespace,
    correlation: dict[str, float],
) -> dict[str, object]:
    source = data.source
    return {
        **source.describe(),
        "arguments": arguments(args, "normalize", "match", "max_failure_rate"),
        "models": {measure: spec.identity for measure, spec in plan.items()},
        **({"halved": halved} if (halved := data.halved()) else {}),
        "scored_text": QUERY_DESCRIPTION,
        "versions": versions(
            "instructiondata", "numpy", "torch", "transformers", "sentence-transformers", "vllm", "matplotlib"
        ),
        **partition.describe(source, found, tertiles, balance),
        "spearman_with_complexity": {measure: round(rho, 4) for measure, rho in correlation.items()},
    }


def normalized(values: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """Values (n,) mapped to [0, 1]: (x - min) / (max - min); of their mean ranks instead if `how` is "rank"."""
    if how == "rank":
        from scipy.stats import rankdata

        values = rankdata(values)
    low, high = values.min(), values.max()
    result: NDArray[np.float64] = (values - low) / (high - low)
    return result


def combine(semantic: NDArray[np.float64], linguistic: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """Complexity (n,) in [0, 1]: the mean of the two measures, each normalised over the data set.

    Rounded to six decimals: scores that differ by less are equal, and equal scores keep the input's order.
    """
    return np.round((normalized(semantic, how) + normalized(linguistic, how)) / 2, 6)


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's rho of two columns (n,)."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b)[0])
