"""From embeddings to tertiles by diversity: the steps of diversity_scorer.py."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from seedkit import figures, partition
from seedkit.display import table, written_to
from seedkit.embed import EncoderSpec
from seedkit.embedding_store import Embeddings, embed
from seedkit.manifest import versions
from seedkit.partition import ScoredRows, Tertiles
from seedkit.records import QUERY_DESCRIPTION
from seedkit.sources import Source, arguments

from RQ3_density.diversity import SEED, VENDI_SAMPLE, Spread, centre, diversity, principal_plane, spread
from RQ3_density.k_center import farthest_first, third_in_parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STAGE = "RQ3_density"
MEAN_COSINE, K_CENTER = METHODS = ("mean_cosine", "k_center")
RANDOM_THIRD, K_CENTER_THIRD = "a random third", "a k-center third"
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
    return ("" if args.method == MEAN_COSINE else "_K_CENTER") + partition.ending(args.match)


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
    centred = args.method == MEAN_COSINE
    if centred:
        # float32 vectors have seven digits: scores that differ by less are equal, and equal scores keep the input's order
        scores = np.round(diversity(vectors, found.scored), 7)
    else:
        # as far as it decides about a tertile
        most = len(found.scored) - len(found.scored) // 3
        scores = farthest_first(vectors, found.scored, most, f"{source.name} k-center").distance
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
    groups = dict(
        zip(called.tertiles, (found.scored[tertiles.tertile == tertile] for tertile in (1, 2, 3)), strict=True)
    )
    pick = np.random.default_rng(SEED)
    groups[RANDOM_THIRD] = np.sort(pick.choice(found.scored, len(found.scored) // 3, replace=False))
    parts = 1
    if centred:
        groups[K_CENTER_THIRD], parts = third_in_parts(vectors, found.scored, f"{source.name} k-center")
    sample = min(VENDI_SAMPLE, *map(len, groups.values()))  # the same for all, since the Vendi score grows with it
    middle = centre(vectors, found.scored)
    spreads = {
        name: spread(vectors, group, middle, sample) if len(group) > 1 else None for name, group in groups.items()
    }
    source.folder.finish(_manifest(source, found, tertiles, balance, encoder, args, spreads, parts))
    return "\n".join(
        [
            partition.report(source, found, tertiles, balance),
            _spread_table(spreads, centred),
            *([f"{K_CENTER_THIRD}: of {parts} random parts of the records, a third of each"] if parts > 1 else []),
            f"{embeddings.computed:,} texts embedded in this run",
            written_to(source.folder.path),
        ]
    )


def _spread_table(spreads: Mapping[str, Spread | None], centred: bool) -> str:
    """How spread out each tertile and the thirds to compare with are; `centred` where the score is the mean cosine's."""
    known = {name: found for name, found in spreads.items() if found is not None}
    rows = [
        [
            name,
            f"{found.mean_pairwise_cosine:.4f}",
            f"{found.mean_neighbour_distance:.4f}",
            f"{found.vendi_score:.1f}",
            f"{found.centred_vendi_score:.1f}",
        ]
        for name, found in known.items()
    ]
    header = ["within a third", "mean pairwise cosine", "mean neighbour distance", "Vendi score", "centred Vendi score"]
    text = table(header, [*rows, *([name, *"----"] for name in spreads if name not in known)])
    if len(known) < len(spreads):
        return text
    highest, drawn = known[list(known)[2]], known[RANDOM_THIRD]
    return "\n".join(
        [
            f"{text}\nVendi scores on {drawn.vendi_sample:,} records of each",
            *(_no_more_diverse(highest, drawn) if centred else []),
        ]
    )


def _no_more_diverse(highest: Spread, drawn: Spread) -> list[str]:
    """A sentence by which measures the highest tertile is no more diverse than a random third, if by any.

    The mean cosine of pairs and the plain Vendi score are not asked: records far from the centre have both by being far from it.
    """
    measures = [
        ("centred Vendi score", highest.centred_vendi_score, drawn.centred_vendi_score, ".1f"),
        ("mean neighbour distance", highest.mean_neighbour_distance, drawn.mean_neighbour_distance, ".4f"),
    ]
    behind = [
        f"{name} ({high:{form}} against {random:{form}})" for name, high, random, form in measures if high <= random
    ]
    if not behind:
        return []
    return [
        f"By {' and '.join(behind)} the highest tertile is no more diverse than a random third: the score ranks records by their "
        "distance from the centroid of the data. --method k_center ranks them by their distance from each other"
    ]


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
    spreads: Mapping[str, Spread | None],
    parts: int,
) -> dict[str, object]:
    return {
        **source.describe(),
        "arguments": arguments(args, "method", "match", "max_failure_rate"),
        "models": {"encoder": encoder.identity},
        "embedded_text": QUERY_DESCRIPTION,
        "versions": versions(
            "instructiondata", "numpy", "torch", "transformers", "sentence-transformers", "matplotlib"
        ),
        **partition.describe(source, found, tertiles, balance),
        "spread": [_rounded(spreads[name]) for name in tertiles.names],
        "spread_of_other_thirds": {
            name: _rounded(found) for name, found in spreads.items() if name not in tertiles.names
        },
        **({"k_center_parts": parts} if parts > 1 else {}),
    }


def _rounded(found: Spread | None) -> dict[str, float] | None:
    """The measures as the manifest holds them: their last digits depend on how many cores add up."""
    return None if found is None else {name: round(value, 6) for name, value in asdict(found).items()}
