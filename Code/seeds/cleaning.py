"""What is left out of a release, step by step, and why.

A record leaves at the first of these steps that it does not pass, with a reason in SOURCE_rejects.jsonl:

    unreadable              not JSON, not UTF-8, a lone surrogate, a field that is missing or no string, an id used twice
    empty_instruction       nothing but white space
    empty_output            nothing but white space
    replacement_characters  U+FFFD in any field: bytes were lost when the text was decoded
    over_long               more than --max_chars characters in all
    exact_duplicate         instruction and input are those of an earlier record, to the letter, whatever the output
    near_duplicate          instruction and input are nearly those of an earlier record that is kept

Duplicates are told by what is asked: a second answer to one question would weigh that question twice in every score and
every mix. The earliest is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import orjson
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
# LLaMA-Factory cuts a record at 2,048 tokens without a word: no text this long fits in, even at 8 characters a token
MAX_CHARS = 16_384
THRESHOLD = 0.85  # Jaccard similarity
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass
class Cleaned:
    """The lines of SOURCE.jsonl, of its origins and of its rejects; the count of each step."""

    lines: Lines = field(default_factory=Lines)
    origins: Lines = field(default_factory=Lines)
    rejects: Lines = field(default_factory=Lines)
    rejects_at: list[int] = field(default_factory=list)  # the line of each in the input
    steps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))

    def counts(self) -> dict[str, int]:
        """Records read, those that left at each step, and those kept."""
        return {"read": len(self.lines) + len(self.rejects), **self.steps, "kept": len(self.lines)}

    def reject(self, step: str, reject: Reject) -> None:
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
    """Read a file of records and take it through all steps; None leaves the last one out.

    A record's origin is its own field "source" where it has one, else the release.
    """
    cleaned = Cleaned()
    unreadable: list[Reject] = []
    column: list[object] = []
    duplicates = Duplicates(near_duplicates)
    for record in read_records(path, rejects=unreadable, column=("source", column)):
        own = column.pop()
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
    """The step at which a record leaves for what it is, and what the reason says beyond its name."""
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
    """The queries seen so far, with the place of each: its line, which in an array may be that of all, and its id."""

    def __init__(self, threshold: float | None) -> None:
        self._first: dict[bytes, tuple[int, str]] = {}
        self._near = NearDuplicates(threshold) if threshold is not None else None
        self._places: list[tuple[int, str]] = []  # of the records that _near keeps

    def fault(self, record: Record) -> tuple[str, str] | None:
        """The step at which a record leaves for what came before it; one that stays is remembered."""
        key = blake2b(f"{record.instruction}\0{record.input}".encode(), digest_size=16).digest()
        place = (record.line, record.id)
        if first := self._first.get(key):
            return "exact_duplicate", f" of line {first[0]} (id {first[1]}): the same instruction and input"
        self._first[key] = place
        if self._near is None:
            return None
        if match := self._near.add(record.query):
            line, id_ = self._places[match.number]
            return "near_duplicate", f" of line {line} (id {id_}): Jaccard similarity {match.jaccard:.3f}"
        self._places.append(place)
        return None
