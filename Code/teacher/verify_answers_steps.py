"""From a teacher's answers to verdicts, and to the answers that are kept: the steps of verify_answers.py."""

import argparse
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from inference.chat import ChatAnswer
from sandbox import UNSAFE
from sandbox.judging.self_check import choose as choose_sandbox
from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import UsageError
from seedkit.journal import Journal
from seedkit.manifest import OutputFolder, versions
from seedkit.records import json_lines, record_line
from seedkit.sources import describe_file, rejected, write_rejects

from teacher.answer_files import ANSWERS, BEST, FIRST, records_of, teacher_file, token_sums
from teacher.answer_folder import AnswerFolder, read_answer_folder
from teacher.answer_verdicts import VERDICTS, AnswerToRun, RunSettings
from teacher.asking import JOURNALS, Teacher, answer_journal, ask, cost, find_teacher
from teacher.choosing import (
    FilterCost,
    VerifiedAnswer,
    check_choice,
    chosen_of,
    filter_costs,
    passes,
    undecided,
    verified,
)
from teacher.running import AnswerVerdictCodec, run_answers, run_identity, run_key
from teacher.settings import TeacherSettings
from teacher.tests_of_records import TestProgram, interface, messages_for_tests, parse_tests

STAGE = "verify_answers"
TESTS = "tests.jsonl"


class WrittenTests(NamedTuple):
    """What the teacher wrote for one record."""

    answer: ChatAnswer | None
    program: TestProgram | None
    reason: str  # why there is no program; "" where there is one


def verify_answers(args: argparse.Namespace, settings: TeacherSettings | None) -> tuple[str, bool]:
    """Verify a folder; returns the lines to print, and whether every answer has a verdict.

    `settings` are those of the teacher that writes tests, None without --tests. Raises InputError or UsageError where folder,
    flags and sandbox do not fit, and RunError where asking or running fails.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, no process can be waited for
    choose = args.choose or (FIRST if settings is None else BEST)
    check_choice(choose, args.require, args.min_pass_fraction, args.tests)
    if settings is not None and settings.teacher is None:
        raise UsageError("--tests: expected --teacher with it, which writes them")
    found = read_answer_folder(args.answers)
    teacher = None if settings is None else find_teacher(settings)
    running = RunSettings(_sandbox(args), args.seconds, args.memory << 20)
    output_dir: Path = args.output_dir or args.answers / "verified"
    names = (ANSWERS, teacher_file(found.source), *([TESTS] if teacher else []))
    with OutputFolder(
        output_dir,
        STAGE,
        names,
        sources=[found.path, args.answers / found.manifest["answers"]["records"]],
        identity={"source": found.source, "teacher": {"name": found.manifest["teacher"]["name"]}},
        overwrite=args.overwrite,
    ) as folder:
        tests = [WrittenTests(None, None, "")] * len(found.records)
        if teacher is not None:
            tests = write_tests(found, teacher, output_dir, resume=args.resume)
            say(
                f"{found.source}: tests for {sum(one.program is not None for one in tests):,} of {len(tests):,} records"
            )
        groups = run_all(found, tests, running, args.workers or os.cpu_count() or 1, output_dir, resume=args.resume)
        return _write(args, folder, found, teacher, tests, groups, running, choose)


def _sandbox(args: argparse.Namespace) -> str:
    if args.unsafe_no_isolation:
        say("NO ISOLATION: programs run as this user and can do what it can")
        return UNSAFE
    name = choose_sandbox(args.sandbox)
    say(f"isolation: {name}")
    return name


def write_tests(found: AnswerFolder, teacher: Teacher, output_dir: Path, *, resume: bool) -> list[WrittenTests]:
    """Have the teacher write tests for each record, one request each; records whose answers define nothing have none."""
    shown = [interface(one.answer.text for one in answers) for answers in found.answers]
    requests = [
        None if lines is None else teacher.request(messages_for_tests(record, lines), 1)
        for record, lines in zip(found.records, shown, strict=True)
    ]
    wanted = [request for request in requests if request is not None]
    tests = []
    with answer_journal(output_dir, "tests", teacher, resume=resume) as journal:
        refused = ask(teacher, wanted, len(wanted), journal, f"{found.source}, tests")
        for request in requests:
            answer = journal[request.key] if request is not None and request.key in journal else None
            program = None if answer is None else parse_tests(answer.text)
            if request is None:
                reason = "no answer defines anything in Python"
            elif answer is None:
                reason = refused[request.key]
            else:
                reason = "" if program else "no test in it that is Python"
            tests.append(WrittenTests(answer, program, reason))
    return tests


def run_all(
    found: AnswerFolder,
    tests: Sequence[WrittenTests],
    running: RunSettings,
    workers: int,
    output_dir: Path,
    *,
    resume: bool,
) -> list[list[VerifiedAnswer]]:
    """The answers to each record with their verdicts."""
    jobs = [
        [AnswerToRun(one.answer.text, one.answer.finish_reason, written.program) for one in answers]
        for answers, written in zip(found.answers, tests, strict=True)
    ]
    with Journal(
        output_dir / JOURNALS, "verdicts", run_identity(running), AnswerVerdictCodec(), resume=resume
    ) as journal:
        run_answers([job for group in jobs for job in group], running, workers, journal, found.source)
        return [
            verified(answers, [journal[run_key(job)] for job in group])
            for answers, group in zip(found.answers, jobs, strict=True)
        ]


def _write(
    args: argparse.Namespace,
    folder: OutputFolder,
    found: AnswerFolder,
    teacher: Teacher | None,
    tests: Sequence[WrittenTests],
    groups: Sequence[Sequence[VerifiedAnswer]],
    running: RunSettings,
    choose: str,
) -> tuple[str, bool]:
    """Write the folder's files; returns the lines to print, and whether every answer has a verdict."""
    kept = [[one for one in answers if passes(one, args.require, args.min_pass_fraction)] for answers in groups]
    chosen = [chosen_of(answers, choose) for answers in kept]
    rejects = [
        rejected(record, f"no answer is kept: {_shortly(answers)}")
        for record, answers, left in zip(found.records, groups, chosen, strict=True)
        if not left
    ]
    everything = [one for answers in groups for one in answers]
    verdicts = Counter(one.verdict.verdict for one in everything)
    costs = filter_costs(groups, tests=teacher is not None)
    records = records_of(found.records, (one.numbered for answers in chosen for one in answers), choose)
    folder.write(ANSWERS, json_lines(answer_rows(groups, chosen)))
    folder.write(teacher_file(found.source), map(record_line, records))
    if teacher is not None:
        folder.write(TESTS, json_lines(rows_of_tests(found, tests)))
    write_rejects(folder, rejects)
    folder.finish(
        {
            "source": found.source,
            "input": describe_file(found.path, found.facts),
            "teacher": found.manifest["teacher"],
            "sampling": found.manifest["sampling"],
            "arguments": {"require": args.require, "min_pass_fraction": args.min_pass_fraction},
            "answers": {"file": ANSWERS, "records": teacher_file(found.source), "choose": choose},
            "tests": None if teacher is None else _tests_facts(teacher, tests),
            "isolation": running.sandbox,
            "limits": {"seconds": running.seconds, "memory": running.memory},
            "counts": {
                "records": len(groups),
                "answers": len(everything),
                "chosen": sum(map(len, chosen)),
                "left_out": len(rejects),
            },
            "verdicts": {name: verdicts[name] for name in VERDICTS},
            "filters": [asdict(one) for one in costs],
            "final": undecided(everything) == 0,
            "versions": versions("instructiondata", "numpy"),
        }
    )
    said = f"{found.source}: {', '.join(f'{verdicts[name]:,} {name}' for name in VERDICTS if verdicts[name])}"
    end = f"{sum(map(len, chosen)):,} records of {len(everything):,} answers ({choose}): {folder.path}"
    return f"{said}\n{cost_table(costs)}\n{end}", undecided(everything) == 0


def _shortly(answers: Sequence[VerifiedAnswer]) -> str:
    """The verdicts of a record's answers, and the tests they pass."""
    return ", ".join(
        one.verdict.verdict + ("" if one.pass_fraction is None else f" ({one.pass_fraction:.0%} of tests)")
        for one in answers
    )


def answer_rows(
    groups: Sequence[Sequence[VerifiedAnswer]], chosen: Sequence[Sequence[VerifiedAnswer]]
) -> Iterator[dict[str, Any]]:
    """The lines of answers.jsonl, in the records' order."""
    for answers, taken in zip(groups, chosen, strict=True):
        for one in answers:
            yield {
                **one.numbered.row(),
                "language": one.verdict.language,
                "verdict": one.verdict.verdict,
                "error": one.verdict.error,
                "tests_passed": one.tests_passed,
                "pass_fraction": one.pass_fraction,
                "agreement": one.agreement,
                "chosen": one in taken,
            }


def rows_of_tests(found: AnswerFolder, tests: Sequence[WrittenTests]) -> Iterator[dict[str, Any]]:
    """The lines of tests.jsonl: what the teacher wrote for each record, and how many tests are in it."""
    for record, one in zip(found.records, tests, strict=True):
        yield {
            "id": record.id,
            "tests": one.program.count if one.program else 0,
            "text": one.answer.text if one.answer else None,
            "reason": one.reason,
        }


def _tests_facts(teacher: Teacher, tests: Sequence[WrittenTests]) -> dict[str, Any]:
    answers = [one.answer for one in tests if one.answer is not None]
    tokens = token_sums(answers)
    return {
        "teacher": teacher.describe(),
        "sampling": teacher.settings.sampling,
        "records": sum(one.program is not None for one in tests),
        "tests": sum(one.program.count for one in tests if one.program is not None),
        "tokens": tokens,
        "cost": cost(teacher.settings, tokens["prompt"], tokens["completion"]),
    }


def cost_table(costs: Sequence[FilterCost]) -> str:
    """What each filter alone would keep, for people."""
    whole = costs[0]

    def share(part: int, of: int) -> str:
        return f"{part:,} ({part / of:.0%})" if of else "0"

    rows = [
        (
            one.filter,
            share(one.answers, whole.answers),
            share(one.records, whole.records),
            "" if one.completion_tokens is None else f"{one.completion_tokens:,}",
        )
        for one in costs
    ]
    return table(("filter", "answers", "records", "tokens"), rows)
