"""RQ2: which kinds of programming task teach a small model? First step: what kind is each task?

Assigns every instruction to one of ten categories by the cosine of embeddings, as in the study: with INSTRUCTOR (arXiv
2212.09741) against the names of the categories, or with the bundled MiniLM, where there is no GPU, against written
descriptions and example tasks. The first two categories are algorithmic, the others practical.

    python Code/RQ2_composition/task_classifier.py                        # EVOL and OSS; INSTRUCTOR if there is a GPU
    python Code/RQ2_composition/task_classifier.py --input_file Datas/sample/EVOL.jsonl --embedder minilm \\
        --output_dir /tmp/rq2                                             # seconds on a laptop

Writes classified.jsonl, the records with assigned_category, category_similarity, category_margin (how far it is above the
second best) and task_type; beside them a bar chart as PNG and SVG, rejects.jsonl if there are any, and manifest.json last. Embeddings are kept in .scores:
interrupted, it goes on from what is finished when started again. The next step is composition_mixer.py.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from seedkit.cli import run
from seedkit.errors import UsageError
from seedkit.flags import add_embedder_flags, add_failure_flag, add_input_flags, add_machine_flags, parser

if TYPE_CHECKING:
    from seedkit.sources import Job

CLASSIFIED = "classified.jsonl"


def parse() -> argparse.Namespace:
    flags = parser(__doc__)
    add_input_flags(flags).add_argument(
        "--output_file",
        type=Path,
        metavar="FILE",
        help="of one source: the .jsonl file to write, instead of --output_dir",
    )
    group = add_embedder_flags(flags)
    group.add_argument(
        "--prototypes",
        choices=("names", "described"),
        help="what stands for a category: its name, or descriptions and example tasks (default: names; "
        "with minilm: described)",
    )
    add_failure_flag(group)
    add_machine_flags(flags)
    return flags.parse_args()


def output_jobs(args: argparse.Namespace) -> "list[Job]":
    """What the flags ask for. Raises UsageError for an --output_file that does not fit the others."""
    from seedkit.manifest import REJECTS
    from seedkit.sources import jobs

    todo = jobs(args, "RQ2")
    file: Path | None = args.output_file
    if file is None:
        return todo
    if args.output_dir:
        raise UsageError(f"--output_file {file}: expected it or --output_dir, got both")
    if file.is_dir() or file.suffix != ".jsonl" or file.name == REJECTS:
        raise UsageError(f"--output_file {file}: expected the name of a .jsonl file to write")
    if len(todo) > 1:
        raise UsageError(f"--output_file {file}: one file for {len(todo)} sources; expected --output_dir with them")
    return [todo[0]._replace(folder=file.parent)]


def main() -> None:
    args = parse()
    from seedkit.sources import named, opened

    from RQ2_composition import task_classifier_steps as steps

    name = named(args.output_file) if args.output_file else CLASSIFIED
    files = (name, *steps.chart_names(name))
    with opened(output_jobs(args), args, steps.STAGE, files) as sources:
        encoders = steps.encoders(args)
        for source in sources:
            print(steps.classify(source, name, encoders, args))


if __name__ == "__main__":
    run(main)
