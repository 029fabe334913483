"""From embeddings to tertiles by diversity: the steps of diversity_scorer.py."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seedkit import figures, partition
from seedkit.display import table
from seedkit.embed import EncoderSpec
from seedkit.embedding_store import Embeddings, embed
from seedkit.manifest import versions
from seedkit.partition import ScoredRows, Tertiles
from seedkit.records import QUERY_DESCRIPTION
from seedkit.sources import Source, arguments

from RQ3_density.diversity import VENDI_SAMPLE, Spread, diversity, principal_plane, spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGE = "RQ3_density"
TERTILES = ("T1_LOWER", "T2_MIDDLE", "T3_HIGHER")


class DiversityFiles(NamedTuple):
    """What the files of a run are called."""

    tertiles: tuple[str, ...]
    scores: str
    embeddings: str
    sidecar: str
    map: str  # without the ending for its kind

    @property
    def files(self) -> tuple[str, ...]:
        return (*self.tertiles, self.scores, self.embeddings, self.sidecar, *figures.names(self.map))


def ending(args: argparse.Namespace) -> str:
    """What the names of this run's files and source end with, so that tertiles of several kinds may lie in one folder."""
    return partition.ending(args.match)


def names(args: argparse.Namespace) -> DiversityFiles:
    """Those of the tertiles that the flags ask for."""
    end = ending(args)
    small = end.lower()
    return DiversityFiles(
        tuple(f"RQ3_DIVERSITY_{name}{end}.jsonl" for name in TERTILES),
        f"diversity_scores{small}.jsonl",
        f"embeddings{small}.npy",
        f"embeddings{small}.json",
        f"diversity_map{small}",
    )


def embed_source(source: Source, encoder: EncoderSpec, resume: bool) -> Embeddings:
    """A row of embeddings.npy for every record, NaN where the instruction is empty."""
    texts = {number: record.query for number, record in enumerate(source.records) if record.query.strip()}
    ids = [record.id for record in source.records]
    label = f"{source.name} embeddings"
    return embed(encoder, texts, ids, source.folder.store, "embeddings", label=label, resume=resume)


def publish(source: Source, embeddings: Embeddings, encoder: EncoderSpec, args: argparse.Namespace) -> str:
    """Score, check, split, measure and write, the manifest last; returns the closing tables."""
    vectors = embeddings.vectors
    reasons = [None if record.query.strip() else "the instruction is empty" for record in source.records]
    found = partition.scored_rows(source, reasons, args.max_failure_rate)
    partition.check_enough(source, found)
    # float32 vectors have seven digits: scores that differ by less are equal, and equal scores keep the input's order
    scores = np.round(diversity(vectors, found.scored), 7)
    called = names(args)
    measured = partition.measure(source)
    tokens = partition.answer_tokens(measured) if args.match else None
    tertiles = partition.split(
        "diversity",
        called.tertiles,
        called.scores,
        scores,
        matched=args.match,
        by=None if tokens is None else tokens[found.scored],
    )
    balance = partition.balanced(source, found, tertiles, measured)
    partition.write_tertiles(source, found, tertiles, {} if tokens is None else {args.match: tokens.tolist()})
    source.folder.add(called.embeddings, embeddings.path)
    source.folder.add(called.sidecar, embeddings.path.with_suffix(".json"))
    figures.write(source.folder, called.map, _map(source, vectors, found, tertiles))
    groups = [found.scored[tertiles.tertile == tertile] for tertile in (1, 2, 3)]
    sample = min(VENDI_SAMPLE, *map(len, groups))  # the same for all, since the Vendi score grows with it
    spreads = [spread(vectors, group, sample) if len(group) > 1 else None for group in groups]
    source.folder.finish(_manifest(source, found, tertiles, balance, encoder, args, spreads))
    return "\n".join(
        [
            partition.report(source, found, tertiles, balance),
            _spread_table(called.tertiles, spreads),
            f"{embeddings.computed:,} texts embedded in this run",
            f"written to {source.folder.path}",
        ]
    )


def _spread_table(names: Sequence[str], spreads: list[Spread | None]) -> str:
    rows = []
    for name, found in zip(names, spreads, strict=True):
        if found is None:
            rows.append([name, "-", "-", "-"])
            continue
        cells = (found.mean_pairwise_cosine, found.mean_neighbour_distance, found.vendi_score)
        rows.append([name, *(f"{value:.4f}" for value in cells[:2]), f"{cells[2]:.1f}"])
    known = [found for found in spreads if found is not None]
    text = table(["within a tertile", "mean pairwise cosine", "mean neighbour distance", "Vendi score"], rows)
    if len(known) < 3:
        return text
    low, _, high = known
    more = {
        "fewer similar pairs": high.mean_pairwise_cosine < low.mean_pairwise_cosine,
        "farther neighbours": high.mean_neighbour_distance > low.mean_neighbour_distance,
        "a higher Vendi score": high.vendi_score > low.vendi_score,
    }
    says = ", ".join(f"{what}: {'yes' if true else 'NO'}" for what, true in more.items())
    return f"{text}\nVendi score on {known[0].vendi_sample:,} records of each; the highest tertile against the lowest has {says}"


def _map(source: Source, vectors: NDArray[np.float32], found: ScoredRows, tertiles: Tertiles) -> "Figure":
    """The records on the first two principal components, marked by tertile."""
    points, shares = principal_plane(vectors, found.scored)
    figure, plot = figures.axes(7, 6)
    figures.scatter_tertiles(plot, points[:, 0], points[:, 1], tertiles.tertile)
    plot.set_xlabel(f"first principal component ({shares[0]:.1%} of the variance)")
    plot.set_ylabel(f"second principal component ({shares[1]:.1%})")
    figures.titled(plot, "Instructions by tertile of diversity", source.name, len(points))
    return figure


def _manifest(
    source: Source,
    found: ScoredRows,
    tertiles: Tertiles,
    balance: Mapping[str, object],
    encoder: EncoderSpec,
    args: argparse.Namespace,
    spreads: list[Spread | None],
) -> dict[str, object]:
    return {
        **source.describe(),
        "arguments": arguments(args, "match", "max_failure_rate"),
        "models": {"encoder": encoder.identity},
        "embedded_text": QUERY_DESCRIPTION,
        "versions": versions(
            "instructiondata", "numpy", "torch", "transformers", "sentence-transformers", "matplotlib"
        ),
        **partition.describe(source, found, tertiles, balance),
        "spread": [found and asdict(found) for found in spreads],
    }
