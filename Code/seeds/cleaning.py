"""What is left out of a release, step by step, and why.

A record leaves at the first of these steps that it does not pass, with a reason in SOURCE_rejects.jsonl:

    unreadable              not JSON, not UTF-8, a lone surrogate, a field that is missing or no string, an id used twice
    empty_instruction       nothing but white space
    empty_output            nothing but white space
    replacement_characters  U+FFFD in any field: bytes were lost when the text was decoded
    over_long               more than --max_chars characters in all
    exact_duplicate         instruction and input are those of an earlier record, to the letter, whatever the output
    near_duplicate          instruction and input are nearly those of an earlier record that is kept

Two records are duplicates if they ask the same, whatever they answer: a second answer to a question would make it count
twice in every score and every mix. The earliest is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import orjson
from seedkit.display import Progress
from seedkit.files import Lines
from seedkit.records import Record, Reject, read_records, record_line
from seedkit.sources import rejected

from seeds.near_duplicates import NearDuplicates

STEPS = (
    "unreadable",
    "empty_instruction",
    "empty_output",
    "replacement_characters",
    "over_long",
    "exact_duplicate",
    "near_duplicate",
)
# LLaMA-Factory silently cuts a record at 2,048 tokens: no text longer than this fits in, even at 8 characters a token
MAX_CHARS = 16_384
THRESHOLD = 0.85  # Jaccard similarity from which on two texts are near duplicates
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass
class Cleaned:
    """What becomes of a release."""

    lines: Lines = field(default_factory=Lines)  # of SOURCE.jsonl
    origins: Lines = field(default_factory=Lines)  # of SOURCE_origin.jsonl
    rejects: Lines = field(default_factory=Lines)  # of SOURCE_rejects.jsonl, in the order in which they were left out
    rejects_at: list[int] = field(default_factory=list)  # the line of each in the input
    steps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))  # records that left at each step

    def counts(self) -> dict[str, int]:
        """How many records were read, left at each step, and were kept."""
        return {"read": len(self.lines) + len(self.rejects), **self.steps, "kept": len(self.lines)}

    def reject(self, step: str, reject: Reject) -> None:
        """Leave a record out at this step."""
        self.steps[step] += 1
        row = {"line": reject.line, "id": reject.id, "reason": reject.reason, "record": reject.record}
        self.rejects.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        self.rejects_at.append(reject.line)

    def rejected(self) -> Iterator[bytes]:
        """The lines of the rejects in the order of the input."""
        pairs = zip(self.rejects_at, self.rejects.all(), strict=True)
        return (line for _, line in sorted(pairs, key=lambda pair: pair[0]))


def clean(
    path: Path, release: str, *, max_chars: int = MAX_CHARS, near_duplicates: float | None = THRESHOLD
) -> Cleaned:
    """Read a file of records and take it through all steps.

    Args:
        release: the origin of a record that has no field "source" of its own.
        max_chars: the longest that instruction, input and output may be together.
        near_duplicates: the Jaccard similarity from which on texts are near duplicates; None leaves out that step.

    Raises:
        InputError: the file cannot be read.
    """
    cleaned = Cleaned()
    unreadable: list[Reject] = []
    column: list[object] = []
    duplicates = Duplicates(near_duplicates)
    with Progress(f"{path.name}: cleaning", None, path.stat().st_size if path.exists() else 0) as progress:
        for record in read_records(path, rejects=unreadable, column=("source", column)):
            own = column.pop()
            progress.advance(1, len(record.instruction) + len(record.input) + len(record.output))
            if found := fault(record, max_chars) or duplicates.fault(record):
                step, detail = found
                cleaned.reject(step, rejected(record, f"{step.replace('_', ' ')}{detail}"))
                continue
            cleaned.lines.append(record_line(record))
            origin = {"id": record.id, "source": own if isinstance(own, str) and own else release, "line": record.line}
            cleaned.origins.append(orjson.dumps(origin, option=orjson.OPT_APPEND_NEWLINE))
    for bad in unreadable:
        cleaned.reject("unreadable", bad)
    return cleaned


def fault(record: Record, max_chars: int) -> tuple[str, str] | None:
    """(step, end of the reason) at which a record leaves because of its own texts; None if it stays."""
    texts = {"instruction": record.instruction, "input": record.input, "output": record.output}
    for name in ("instruction", "output"):
        if not texts[name].strip():
            return f"empty_{name}", ""
    for name, text in texts.items():
        if REPLACEMENT in text:
            return "replacement_characters", f": U+FFFD in {name}"
    if (length := sum(map(len, texts.values()))) > max_chars:
        return "over_long", f": {length:,} characters, at most {max_chars:,} are kept"
    return None


class Duplicates:
    """The queries seen so far, with the line and the id of each record; the records of an array may share a line."""

    def __init__(self, threshold: float | None) -> None:
        self._first: dict[bytes, tuple[int, str]] = {}
        self._near = NearDuplicates(threshold) if threshold is not None else None
        self._kept: list[tuple[int, str]] = []  # (line, id) of the records that _near keeps

    def fault(self, record: Record) -> tuple[str, str] | None:
        """(step, end of the reason) at which a record leaves because of an earlier one; None if it stays, and is added."""
        key = blake2b(f"{record.instruction}\0{record.input}".encode(), digest_size=16).digest()
        own = (record.line, record.id)
        if first := self._first.get(key):
            return "exact_duplicate", f" of line {first[0]} (id {first[1]}): the same instruction and input"
        self._first[key] = own
        if self._near is None:
            return None
        if match := self._near.add(record.query):
            line, id_ = self._kept[match.number]
            return "near_duplicate", f" of line {line} (id {id_}): Jaccard similarity {match.jaccard:.3f}"
        self._kept.append(own)
        return None
