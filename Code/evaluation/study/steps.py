"""The steps of evaluate_study.py: find the students, evaluate them, write the tables."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import written_to
from seedkit.errors import InputError, RunError, UsageError
from seedkit.manifest import OutputFolder, versions
from training.study_plan import StudyPlan, read_plan

from evaluation.generation.settings import GenerationSettings
from evaluation.grading.settings import GradingSettings
from evaluation.study.background import leakage_blocks
from evaluation.study.bases import BaseModel, Candidate, base_models
from evaluation.study.comparisons import comparisons
from evaluation.study.csv_files import comparisons_csv, study_csv, verdicts_csv
from evaluation.study.leakage import DataLeakage, read_leakage, without_leaked
from evaluation.study.planned import plan_notes
from evaluation.study.report import markdown
from evaluation.study.runs import Pair, StudentResult, StudySettings, cannot_run, check_alike, evaluate, read, sizes
from evaluation.study.students import find, training_differences
from evaluation.study.table import grouped, table_rows, with_clean

STAGE = "evaluate_study"
STUDY, COMPARISONS, VERDICTS, MARKDOWN = FILES = ("study.csv", "comparisons.csv", "verdicts.csv", "study.md")
TITLES = {
    "humaneval": "HumanEval",
    "mbpp": "MBPP sanitized",
    "mbpp-full": "MBPP",
    "humaneval-plus": "HumanEval+",
    "mbpp-plus": "MBPP+",
    "livecodebench": "LiveCodeBench",
}  # for people; the others go by the name of --benchmark


def study(args: argparse.Namespace) -> bool:
    """Evaluate the students, write the tables, print them; returns whether every sample has a verdict.

    `args` are the flags, and `files`: by benchmark its file or None. Raises UsageError or InputError where nothing can be
    evaluated, and RunError at the end where a student failed.
    """
    plan = read_plan(args.plan) if args.plan else None
    leakage = read_leakage(args.leakage)
    not_run = {name: why for name in args.files if (why := cannot_run(name))}
    for name, why in not_run.items():
        say(f"{name}: not run: {why}")
    files = {name: path for name, path in args.files.items() if name not in not_run}
    if not files:
        raise UsageError(f"--benchmark {' '.join(args.files)}: none of them can be run here")
    settings = StudySettings(
        files,
        sizes(files, args.selection),
        _settings(args, GenerationSettings),
        _settings(args, GradingSettings),
        not_run,
    )
    students, unfinished, failed = find(args.runs)
    if unfinished:
        say(f"unfinished, left out: {', '.join(unfinished)}")
    for label, reason in failed.items():
        say(f"{label}: FAILED: {reason}")
    bases = [] if args.base is None else base_models(args.base, students)
    asked: list[Candidate] = [*bases, *students]
    total = len(asked) + len(failed)
    if args.share:
        _, more = evaluate(asked, settings, args.output_dir, args.share)
        say(f"share {args.share[0]} of {args.share[1]} is done; when all are, --table_only makes the table")
        _raise_failed(failed | more, total)
        return True
    with OutputFolder(args.output_dir, STAGE, FILES, sources=[]) as folder:
        pairs: list[Pair] = [(student, name) for student in asked for name in files]
        if not args.table_only:
            pairs, more = evaluate(asked, settings, args.output_dir)
            failed |= more
        found, absent = _collect(pairs, settings, args.output_dir, failed)
        if absent:
            say(f"not evaluated, left out: {', '.join(absent)}")
        if found:
            check_alike(found)
            left_out = {"unfinished": unfinished, "failed": list(failed), "not evaluated": absent}
            print(_write(folder, found, settings, left_out, plan, leakage), end="")
            say(f"tables {written_to(args.output_dir)}")
        elif not failed:
            raise InputError(f"{args.output_dir}: expected students that are generated and graded, got none")
    _raise_failed(failed, total)
    return all(one.graded.final for one in found)


def _raise_failed(failed: Mapping[str, str], total: int) -> None:
    if failed:
        raise RunError(
            f"{len(failed)} of {total} students are not evaluated: {', '.join(failed)}; "
            "what is finished is kept, run again to go on"
        )


def _settings(args: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """The flags that are fields of `kind`, GenerationSettings or GradingSettings; its other fields keep their defaults."""
    return {
        field.name: getattr(args, field.name)
        for field in fields(kind)
        if hasattr(args, field.name) and field.name not in ("benchmark", "benchmark_file")
    }


def _collect(
    pairs: Sequence[Pair], settings: StudySettings, output_dir: Path, failed: dict[str, str]
) -> tuple[list[StudentResult], list[str]]:
    """The results of the pairs, and which pairs have none. Students whose results cannot be used are added to `failed`."""
    found, absent = [], []
    for student, name in pairs:
        try:
            one = read(student, name, settings.sizes[name], output_dir)
        except InputError as error:
            failed.setdefault(student.label, f"{name}: {error}")
            say(f"{student.label}: FAILED: {error}")
            continue
        if one:
            found.append(one)
        else:
            absent.append(f"{student.label} on {name}")
    return found, absent


def _write(
    folder: OutputFolder,
    found: Sequence[StudentResult],
    settings: StudySettings,
    left_out: Mapping[str, Sequence[str]],
    plan: StudyPlan | None,
    leakage: Mapping[str, DataLeakage],
) -> str:
    """The files and the manifest; returns the markdown."""
    graded, benchmarks = [one.graded for one in found], list(settings.files)
    rows, pairs = table_rows(graded, benchmarks), comparisons(graded, benchmarks, plan)
    notes = [*plan_notes(plan, pairs, graded), *_notes(found, settings, left_out)]
    leaked: list[str] = []
    if leakage:
        clean, gone, unknown = without_leaked(graded, leakage)
        rows = with_clean(rows, table_rows(clean, benchmarks))
        others = comparisons(clean, benchmarks, plan)
        pairs = [replace(one, clean_difference=two.difference) for one, two in zip(pairs, others, strict=True)]
        leaked = list(leakage_blocks(rows, graded, leakage, gone, unknown))
    margin = plan.margin_points if plan else 0.0
    text = markdown(rows, pairs, benchmarks, TITLES, notes, list(settings.not_run), margin, leaked)
    folder.write(STUDY, study_csv(rows, benchmarks))
    folder.write(COMPARISONS, comparisons_csv(pairs))
    folder.write(VERDICTS, verdicts_csv(rows))
    folder.write(MARKDOWN, (line.encode() for line in text.splitlines(keepends=True)))
    folder.finish(
        {
            "benchmarks": {name: {"problems": size} for name, size in settings.sizes.items()},
            "results": [
                {
                    "student": one.graded.student.model,
                    "name": one.graded.student.name,
                    "revision": one.graded.student.revision,
                    "benchmark": one.graded.benchmark,
                    "sha256": one.results,
                }
                for one in found
            ],
            "not_run": dict(settings.not_run),
            "left_out": left_out,
            "plan": plan and {"file": plan.file, "sha256": plan.sha256},
            "final": all(one.graded.final for one in found),
            "isolated": all(one.graded.isolated for one in found),
            "versions": versions("instructiondata", "numpy", "scipy"),
        }
    )
    return text


def _notes(
    found: Sequence[StudentResult], settings: StudySettings, left_out: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """What a reader of the tables has to know besides their figures."""
    for name, why in settings.not_run.items():
        yield f"{name}: not run: {why}."
    for name in settings.files:
        ways = {
            f"{one.settings['form']} form, temperature {one.settings['temperature']:g}, at most {one.settings['max_new_tokens']} "
            f"tokens, samples a problem: {one.settings['num_samples']}"
            for one in found
            if one.graded.benchmark == name
        }
        if ways:
            yield f"{TITLES.get(name, name)}: {'; '.join(sorted(ways))}."
    for base in sorted({one.graded.student.model for one in found if isinstance(one.graded.student, BaseModel)}):
        forms = {one.settings["form"] for one in found if one.graded.student.model == base}
        yield f"{base}: the base model as it was before training, asked in the {' and '.join(sorted(forms))} form."
    for (model, rq, source), subsets in grouped([one.graded for one in found]).items():
        alone = [one.student for repeats in subsets.values() for one in repeats]
        students = {one.label: one for one in alone if not isinstance(one, BaseModel)}
        if keys := training_differences(list(students.values())):
            group = " ".join(word for word in (model, rq, source) if word)
            yield f"{group}: trained with different {', '.join(keys)}: differences between these students may come of that."
    for why, labels in left_out.items():
        if labels:
            yield f"Not or not wholly in the table, {why}: {', '.join(labels)}."
