"""The steps of study_plan.py: which subsets there are, the contrasts that are proposed, and the file."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import open_benchmark
from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError, UsageError
from seedkit.files import write_atomic
from seedkit.manifest import documents, read_manifest
from seedkit.models import model_label
from training.study_plan import FORMAT, Contrast, parsed_plan
from training.subset_names import parsed_stem, safe_name

Found = tuple[str, str, str]  # question, source, subset

HEADER = """\
# What this study is to decide. Written before the training: train.py --plan keeps the hash of this file with every student, and a
# table of evaluate_study.py --plan calls everything else exploratory. After the first student is trained, change nothing here.
"""
COMMENTS = {
    "students": "folders of train.py: the student and the finetuning",
    "seeds": "of the training; a subset has a student for each, and for each draw of its data",
    "margin_points": "subsets whose pass@1 differs by less are equivalent, in percentage points",
    "controls": "data files that are no subset of a question, on which students are trained too",
    "contrasts": "second minus first, tested on every benchmark and student; all of them are one family",
}


def write_plan(args: argparse.Namespace) -> str:
    """Write the plan that the flags describe; returns what there is to say of it.

    Raises UsageError where the file is there already or a benchmark is unknown, InputError where a folder holds no subset
    or the plan would not be read.
    """
    if args.output_file.exists():
        raise UsageError(f"--output_file {args.output_file}: expected a new file, got one that is there already")
    for name in args.benchmark:
        open_benchmark(name)
    found = [one for folder in args.partitions for one in subsets_of(folder)]
    contrasts = proposed(found)
    if not contrasts:
        raise InputError(f"{args.partitions[0]}: expected two subsets of a question, got fewer in all folders")
    students = [model_label(name) if Path(name).is_dir() else name for name in args.student]
    values = {
        "format": FORMAT,
        "students": [f"{name}-{args.finetuning}" for name in students],
        "seeds": args.seed,
        "benchmarks": args.benchmark,
        "margin_points": args.margin_points,
        "controls": list(dict.fromkeys([*args.control, *(subset for rq, _, subset in found if not rq)])),
    }
    content = "".join(_lines(values, contrasts)).encode()
    plan = parsed_plan(args.output_file, content)
    write_atomic(args.output_file, [content])
    say(f"written to {args.output_file}")
    rows = [(one.rq, one.source, one.first, one.second) for one in plan.contrasts]
    return (
        f"{table(('rq', 'source', 'first', 'second'), rows)}\n\n{len(rows)} contrasts on {len(plan.benchmarks)} benchmarks with "
        f"{len(plan.students)} students are a family of {plan.tests} tests. evaluation/study_power.py says what a study of so many runs can see."
    )


def subsets_of(folder: Path) -> list[Found]:
    """The subsets of RQ1 to RQ4 and the baselines in a finished folder, each once. Raises InputError where there is none."""
    found: dict[Found, None] = {}
    for output in documents(read_manifest(folder)):
        source = safe_name(str(output.get("source") or folder.resolve().name))
        for name in output["files"]:
            if name.endswith(".jsonl") and (parsed := parsed_stem(name.removesuffix(".jsonl"))):
                found[parsed[0], source, parsed[1]] = None
    if not found:
        raise InputError(f"{folder}: expected tertiles, mixes or baselines, its manifest.json lists none")
    return list(found)


def proposed(found: Iterable[Found]) -> list[Contrast]:
    """The primary contrasts of each question and source: T3 against T1, or every mix against the question's baseline.

    With three tertiles of the same size the linear trend, (-1, 0, 1), is T3 - T1, and is not tested a second time.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for rq, source, subset in sorted(one for one in set(found) if one[0]):
        groups.setdefault((rq, source), []).append(subset)
    contrasts = []
    for (rq, source), subsets in groups.items():
        baseline = _baseline(rq, subsets)
        against = ["T3_HIGHER"] if baseline == "T1_LOWER" else [name for name in subsets if name != baseline]
        contrasts += [Contrast(rq, source, baseline, name) for name in against if baseline and name in subsets]
    return contrasts


def _baseline(rq: str, subsets: Sequence[str]) -> str:
    """What the other subsets are compared with: the lowest tertile, equal parts, code alone; "" where it is not there."""
    names = {"RQ1": "T1_LOWER", "RQ2": "ALG_50_PRAC_50", "RQ3": "T1_LOWER", "RQ4": "CODE_100"}
    return names[rq] if names[rq] in subsets else ""


def _lines(values: dict[str, object], contrasts: Sequence[Contrast]) -> Iterable[str]:
    import yaml  # type: ignore[import-untyped]

    def inline(value: object) -> str:
        return (
            str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6))
            .removesuffix("...\n")
            .strip()
        )

    yield HEADER
    for key, value in values.items():
        yield f"{key}: {inline(value)}{f'  # {COMMENTS[key]}' if key in COMMENTS else ''}\n"
    yield f"contrasts:  # {COMMENTS['contrasts']}\n"
    for one in contrasts:
        entry = {"rq": one.rq, "source": one.source, "first": one.first, "second": one.second}
        yield f"- {inline(entry)}\n"
