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

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

import orjson
from seedkit.display import Progress
from seedkit.records import Record, Reject, read_records, record_line
from seedkit.sources import rejected
from seedkit.spool import Spool

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


class Cleaned:
    """What becomes of a release. Its lines wait in files on the disk, not in memory."""

    def __init__(self, new_file: Callable[[], IO[bytes]]) -> None:
        self.steps = dict.fromkeys(STEPS, 0)  # records that left at each step
        self._lines, self._origins, self._rejects = (Spool(new_file()) for _ in range(3))
        self._gone: set[int] = set()  # numbers in _lines of those that turned out to be near duplicates
        # (line in the input, twice the number of records kept before and one more for a near duplicate, which was kept too)
        self._reject_order: list[tuple[int, int]] = []

    def keep(self, record: Record, source: str) -> None:
        """Keep a record, unless it turns out to be a near duplicate."""
        self._lines.append(record_line(record))
        origin = {"id": record.id, "source": source, "line": record.line}
        self._origins.append(orjson.dumps(origin, option=orjson.OPT_APPEND_NEWLINE))

    def record(self, number: int) -> Record:
        """A record that was kept, by its number from 0."""
        return Record(**orjson.loads(self._lines[number]), line=orjson.loads(self._origins[number])["line"])

    def reject(self, step: str, reject: Reject, number: int | None = None) -> None:
        """Leave a record out at this step; `number` is that of a near duplicate, which was kept until now."""
        self.steps[step] += 1
        row = {"line": reject.line, "id": reject.id, "reason": reject.reason, "record": reject.record}
        self._rejects.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        self._reject_order.append((reject.line, 2 * len(self._lines) if number is None else 2 * number + 1))
        if number is not None:
            self._gone.add(number)

    def counts(self) -> dict[str, int]:
        """How many records were read, left at each step, and were kept."""
        kept = len(self._lines) - len(self._gone)
        return {"read": kept + len(self._rejects), **self.steps, "kept": kept}

    def lines(self) -> Iterator[bytes]:
        """The lines of SOURCE.jsonl."""
        return (line for number, line in enumerate(self._lines) if number not in self._gone)

    def origins(self) -> Iterator[bytes]:
        """The lines of SOURCE_origin.jsonl."""
        return (line for number, line in enumerate(self._origins) if number not in self._gone)

    def rejects(self) -> Iterator[bytes]:
        """The lines of SOURCE_rejects.jsonl, in the order of the input."""
        order = sorted(range(len(self._rejects)), key=self._reject_order.__getitem__)
        return (self._rejects[number] for number in order)


@contextmanager
def clean(
    path: Path,
    release: str,
    *,
    max_chars: int = MAX_CHARS,
    near_duplicates: float | None = THRESHOLD,
    scratch: Path | None = None,
) -> Iterator[Cleaned]:
    """Read a file of records and take it through all steps.

    Args:
        release: the origin of a record that has no field "source" of its own.
        max_chars: the longest that instruction, input and output may be together.
        near_duplicates: the Jaccard similarity from which on texts are near duplicates; None leaves out that step.
        scratch: a folder on whose disk the lines wait until the context ends, in files without names that together are
            about as large as the input; None: the folder of the system's temporary files.

    Raises:
        InputError: the file cannot be read.
        OSError: with the name of the folder if its disk is full or fails.
    """
    try:
        with ExitStack() as files:

            def new_file() -> IO[bytes]:
                return files.enter_context(tempfile.TemporaryFile(dir=scratch))

            cleaned = Cleaned(new_file)
            near = NearDuplicates(near_duplicates, new_file()) if near_duplicates is not None else None
            _fill(cleaned, path, release, max_chars, near)
            yield cleaned
    except OSError as error:
        if error.filename is None:
            error.filename = str(scratch or tempfile.gettempdir())
        raise


def _fill(cleaned: Cleaned, path: Path, release: str, max_chars: int, near: NearDuplicates | None) -> None:
    unreadable: list[Reject] = []
    column: list[object] = []
    first: dict[bytes, int] = {}  # the number of the kept record that asks this, by the hash of what it asks
    with Progress(f"{path.name}: cleaning", None, path.stat().st_size if path.exists() else 0) as progress:
        for record in read_records(path, rejects=unreadable, column=("source", column)):
            own = column.pop()
            progress.advance(1, len(record.instruction) + len(record.input) + len(record.output))
            if found := fault(record, max_chars):
                step, detail = found
                cleaned.reject(step, rejected(record, f"{step.replace('_', ' ')}{detail}"))
                continue
            asked = blake2b(f"{record.instruction}\0{record.input}".encode(), digest_size=16).digest()
            number = first.get(asked)
            if number is not None:
                reason = f"exact duplicate of {_named(cleaned.record(number))}: the same instruction and input"
                cleaned.reject("exact_duplicate", rejected(record, reason))
                continue
            first[asked] = len(first)
            cleaned.keep(record, own if isinstance(own, str) and own else release)
            if near:
                near.add(record.query)
        for number, match in near.matches(lambda number: cleaned.record(number).query) if near else ():
            reason = f"near duplicate of {_named(cleaned.record(match.number))}: Jaccard similarity {match.jaccard:.3f}"
            cleaned.reject("near_duplicate", rejected(cleaned.record(number), reason), number)
    for bad in unreadable:
        cleaned.reject("unreadable", bad)


def _named(record: Record) -> str:
    """A record by its line and its id; the records of an array may share a line."""
    return f"line {record.line} (id {record.id})"


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
