"""From paths to tables of verdicts: the steps of llamafactory_doctor.py."""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.display import table
from seedkit.errors import InputError, UsageError
from seedkit.files import write_atomic
from seedkit.json_values import json_values
from seedkit.manifest import read_manifest
from seedkit.records import json_lines
from seedkit.sources import readable

from training.encoding import NAMES, Encoder
from training.verdicts import DROPPED, EMPTY, LOST, TRAINS, TRUNCATED, Columns, Diagnosis, diagnose

SUFFIXES = (".jsonl", ".json")  # what LLaMA-Factory reads as JSON
LINES_SHOWN = 5


def examine(args: argparse.Namespace) -> tuple[str, bool]:
    """The tables of all files, and whether anything would be lost; writes --json."""
    if args.template not in NAMES:
        raise UsageError(f"--template {args.template}: expected one of {', '.join(NAMES)}")
    columns = Columns(args.prompt, args.query, args.response)
    paths = data_files(args.paths, columns)
    if args.json:
        _check_target(
            args.json, [*paths, *(inside for path in args.paths if path.is_dir() for inside in path.iterdir())]
        )
    counter = Encoder(args.tokenizer, args.template) if args.tokenizer else None
    found = {path: diagnose(path, columns, counter, args.cutoff_len) for path in paths}
    if args.json:
        write_atomic(args.json, json_lines(_rows(found.items())))
    parts = [file_table(str(path), verdicts, counter is not None) for path, verdicts in found.items()]
    if counter is None:
        parts.append("Not looked at: what is longer than LLaMA-Factory's cutoff_len; that needs --tokenizer")
    return "\n\n".join(parts), any(verdict.is_loss for verdicts in found.values() for verdict in verdicts)


def _check_target(target: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write over what is read, or into a folder that holds an output of ours, or where nothing can be written."""
    if target.is_dir() or not target.parent.is_dir():
        raise UsageError(f"--json {target}: expected the name of a file in a folder that exists")
    if target.exists() and any(target.samefile(path) for path in inputs):
        raise UsageError(f"--json {target}: the output would overwrite the input; choose another place for it")


def data_files(paths: Sequence[Path], columns: Columns) -> list[Path]:
    """The files themselves, and of finished output folders the files that hold records with an answer."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if path.suffix not in SUFFIXES:
                raise InputError(f"{path}: expected a name that ends in .jsonl or .json, which LLaMA-Factory goes by")
            if not path.is_file():
                raise InputError(f"{path}: no such file; expected JSON Lines, a JSON array or a finished output folder")
            found.append(path)
            continue
        manifest = read_manifest(path)
        names = [name for part in (manifest, *manifest.get("others", [])) for name in part["files"]]
        data = [path / name for name in names if Path(name).suffix in SUFFIXES and _holds_records(path / name, columns)]
        if not data:
            raise InputError(f"{path}: no data files among those of the manifest: {', '.join(names)}")
        if others := sorted(set(names) - {file.name for file in data}):
            say(f"{path}: no training data, left out: {', '.join(others)}")
        found += data
    return list(dict.fromkeys(found))


def _holds_records(path: Path, columns: Columns) -> bool:
    """Whether the first value is a record; score, pool and reject files of an output folder are none."""
    if not path.is_file():
        raise InputError(f"{path}: no such file, though the manifest names it")
    if not path.stat().st_size:
        return True  # a mix without records: the verdict says so
    _, first = next(iter(json_values(path)), (0, None))
    return isinstance(first, dict) and columns.prompt in first and columns.response in first


def _rows(found: Iterable[tuple[Path, list[Diagnosis]]]) -> Iterable[dict[str, Any]]:
    return ({"file": readable(str(path)), **asdict(verdict)} for path, verdicts in found for verdict in verdicts)


def file_table(name: str, verdicts: list[Diagnosis], counted: bool) -> str:
    """What happens to how many records of a file, and on which lines."""
    first = verdicts[0]
    if first.status == LOST:
        where = "" if first.line is None else f"line {first.line}: "
        return f"{name}: THE WHOLE FILE IS LOST\n{where}{first.reason}"
    groups: dict[str, list[Diagnosis]] = {}
    for verdict in verdicts:
        groups.setdefault(_group(verdict), []).append(verdict)
    rows = []
    for group in sorted(groups, key=_ORDER.index):
        members = groups[group]
        lines = ", ".join(str(member.line) for member in members[:LINES_SHOWN]) if group != TRAINS else ""
        more = ", ..." if len(members) > LINES_SHOWN and lines else ""
        rows.append((group, f"{len(members):,}", f"{100 * len(members) / len(verdicts):.2f}%", lines + more))
    parts = [f"{name}: {len(verdicts):,} records", table(("what happens", "records", "share", "lines"), rows)]
    reasons = Counter(verdict.reason for verdict in verdicts if verdict.status in (DROPPED, EMPTY))
    parts += [f"  {count:,} x {reason}" for reason, count in reasons.most_common(LINES_SHOWN)]
    if counted:
        answers = sum(verdict.answer_tokens or 0 for verdict in verdicts)
        lost = sum(verdict.answer_tokens_lost for verdict in verdicts)
        prompts = sum(verdict.prompt_tokens or 0 for verdict in verdicts)
        cut = sum(verdict.prompt_tokens_lost for verdict in verdicts)
        parts.append(
            f"answers: {answers:,} tokens, {lost:,} lost ({_share(lost, answers)}); "
            f"prompts: {prompts:,} tokens, {cut:,} lost ({_share(cut, prompts)})"
        )
    return "\n".join(parts)


_ANSWER, _PROMPT = "truncated, answer too", "truncated, prompt only"
_ORDER = (TRAINS, EMPTY, _PROMPT, _ANSWER, DROPPED)


def _group(verdict: Diagnosis) -> str:
    if verdict.status != TRUNCATED:
        return verdict.status
    return _ANSWER if verdict.answer_tokens_lost else _PROMPT


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.2f}%"
