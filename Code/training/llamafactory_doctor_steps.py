"""The steps of llamafactory_doctor.py: from paths to data files, to diagnoses, to tables."""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError, UsageError
from seedkit.files import require_writable, write_atomic
from seedkit.json_values import json_values
from seedkit.manifest import documents, read_manifest
from seedkit.records import json_lines
from seedkit.sources import readable
from seedkit.verify import verify

from training.diagnoses import DROPPED, EMPTY, LOST, TRAINS, TRUNCATED, Columns, Diagnosis, diagnose
from training.encoding import NAMES, RecordEncoder

SUFFIXES = (".jsonl", ".json")  # what LLaMA-Factory reads as JSON
LINES_SHOWN = 5  # line numbers of a kind of diagnosis, and reasons


def examine(args: argparse.Namespace) -> tuple[str, bool]:
    """Diagnose all files and write --json; returns the tables of all files, and whether anything would be lost or refused."""
    if args.template and args.template not in NAMES:
        raise UsageError(f"--template {args.template}: expected one of {', '.join(NAMES)}")
    columns = Columns(args.prompt, args.query, args.response)
    paths = data_files(args.paths, columns)
    if args.json:
        _check_target(
            args.json, [*paths, *(inside for path in args.paths if path.is_dir() for inside in path.iterdir())]
        )
    encoder = RecordEncoder(args.tokenizer, args.template) if args.tokenizer else None
    if encoder:
        say(encoder.why("--template" if args.template else None))
    counter = encoder.token_counts if encoder else None
    refused = [
        f"{path}: not what its manifest says: {fault}; train.py refuses it" for path, fault in faults(args.paths)
    ]
    found = {path: diagnose(path, columns, counter, args.cutoff_len) for path in paths}
    if args.json:
        write_atomic(args.json, json_lines(_rows(found.items())))
    tables = [file_table(str(path), diagnoses, counter is not None) for path, diagnoses in found.items()]
    if counter is None:
        tables.append("Not looked at: what is longer than LLaMA-Factory's cutoff_len; that needs --tokenizer")
    lost = any(diagnosis.is_loss for diagnoses in found.values() for diagnosis in diagnoses)
    return "\n\n".join([*tables, *refused]), lost or bool(refused)


def faults(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Of those paths that are finished output folders and no longer what their manifest says: the folder, its first fault."""
    found = [(path, verify(path)) for path in paths if path.is_dir()]
    return [(path, f"{wrong[0]} (of {len(wrong):,} faults)") for path, wrong in found if wrong]


def _check_target(target: Path, inputs: Sequence[Path]) -> None:
    """InputError if `target` is one of the inputs, a folder, or in a folder that does not exist or cannot be written to."""
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"--json {target}: expected the name of a file in a folder that exists")
    require_writable(target.parent)
    if target.exists() and any(target.samefile(path) for path in inputs):
        raise UsageError(f"--json {target}: the output would overwrite the input; choose another place for it")


def data_files(paths: Sequence[Path], columns: Columns) -> list[Path]:
    """The files given, and of finished output folders those files that hold records with an answer, without repetition.

    Raises InputError for what is neither, and for a folder that holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if path.suffix not in SUFFIXES:
                raise InputError(
                    f"{path}: expected a name that ends in .jsonl or .json, which tells LLaMA-Factory the format"
                )
            if not path.is_file():
                raise InputError(f"{path}: no such file; expected JSON Lines, a JSON array or a finished output folder")
            found.append(path)
            continue
        names = [name for output in documents(read_manifest(path)) for name in output["files"]]
        data = [path / name for name in names if Path(name).suffix in SUFFIXES and _holds_records(path / name, columns)]
        if not data:
            raise InputError(f"{path}: no data files among those of the manifest: {', '.join(names)}")
        if others := sorted(set(names) - {file.name for file in data}):
            say(f"{path}: no training data, left out: {', '.join(others)}")
        found += data
    return list(dict.fromkeys(found))


def _holds_records(path: Path, columns: Columns) -> bool:
    """Whether the first value of the file is a record, which it is not in the score, pool and reject files."""
    if not path.is_file():
        raise InputError(f"{path}: no such file, though the manifest names it")
    if not path.stat().st_size:
        return True  # a mix without records: its diagnosis says so
    _, first = next(iter(json_values(path)), (0, None))
    return isinstance(first, dict) and columns.prompt in first and columns.response in first


def _rows(found: Iterable[tuple[Path, list[Diagnosis]]]) -> Iterable[dict[str, Any]]:
    return ({"file": readable(str(path)), **asdict(diagnosis)} for path, diagnoses in found for diagnosis in diagnoses)


def file_table(name: str, diagnoses: list[Diagnosis], counted: bool) -> str:
    """What happens to how many records of a file, and on which lines; with token counts if `counted`."""
    first = diagnoses[0]
    if first.status == LOST:
        where = "" if first.line is None else f"line {first.line}: "
        return f"{name}: THE WHOLE FILE IS LOST\n{where}{first.reason}"
    groups: dict[str, list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        groups.setdefault(_group(diagnosis), []).append(diagnosis)
    rows = []
    for group in sorted(groups, key=_ORDER.index):
        members = groups[group]
        lines = ", ".join(str(member.line) for member in members[:LINES_SHOWN]) if group != TRAINS else ""
        more = ", ..." if len(members) > LINES_SHOWN and lines else ""
        rows.append((group, f"{len(members):,}", f"{100 * len(members) / len(diagnoses):.2f}%", lines + more))
    text = [f"{name}: {len(diagnoses):,} records", table(("what happens", "records", "share", "lines"), rows)]
    reasons = Counter(diagnosis.reason for diagnosis in diagnoses if diagnosis.status in (DROPPED, EMPTY))
    text += [f"  {count:,} x {reason}" for reason, count in reasons.most_common(LINES_SHOWN)]
    if counted:
        answers = sum(diagnosis.answer_tokens or 0 for diagnosis in diagnoses)
        lost = sum(diagnosis.answer_tokens_lost for diagnosis in diagnoses)
        prompts = sum(diagnosis.prompt_tokens or 0 for diagnosis in diagnoses)
        cut = sum(diagnosis.prompt_tokens_lost for diagnosis in diagnoses)
        text.append(
            f"answers: {answers:,} tokens, {lost:,} lost ({_share(lost, answers)}); "
            f"prompts: {prompts:,} tokens, {cut:,} lost ({_share(cut, prompts)})"
        )
    return "\n".join(text)


_ANSWER, _PROMPT = "truncated, answer too", "truncated, prompt only"
_ORDER = (TRAINS, EMPTY, _PROMPT, _ANSWER, DROPPED)


def _group(diagnosis: Diagnosis) -> str:
    if diagnosis.status != TRUNCATED:
        return diagnosis.status
    return _ANSWER if diagnosis.answer_tokens_lost else _PROMPT


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.2f}%"
