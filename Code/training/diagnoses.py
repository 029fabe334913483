"""What LLaMA-Factory will do with each record of a file: a Diagnosis for every record, or one if the whole file is lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.display import Progress

from training.encoding import kept_lengths
from training.loader_rows import FileLost, LoadedRow, read_rows

TRAINS = "trains"
EMPTY = "kept although empty"
DROPPED = "dropped"
TRUNCATED = "truncated"
LOST = "the whole file is lost"
BATCH = 1000  # LLaMA-Factory's preprocessing_batch_size
CUTOFF_LEN = 2048  # and its cutoff_len

TokenCounter = Callable[[Sequence[tuple[str, str]]], list[tuple[int, int]]]  # (prompt, answer) to tokens of each


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the file's columns, as dataset_info.json maps them."""

    prompt: str = "instruction"
    query: str = "input"
    response: str = "output"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What becomes of the record that starts on `line` (from 1); the token counts are None if no tokenizer was given."""

    line: int | None
    status: str
    reason: str = ""
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    prompt_tokens_lost: int = 0
    answer_tokens_lost: int = 0

    @property
    def is_loss(self) -> bool:
        """Whether something that was meant to be trained on is lost: a file, a record, or the end of an answer."""
        return self.status in (DROPPED, LOST) or self.answer_tokens_lost > 0


def diagnose(
    path: Path, columns: Columns | None = None, counter: TokenCounter | None = None, cutoff_len: int = CUTOFF_LEN
) -> list[Diagnosis]:
    """One Diagnosis for every record of the file in order, or a single one with the status LOST.

    Raises InputError where the file cannot be read at all, or is a Git LFS pointer.
    """
    columns = columns or Columns()
    found: list[Diagnosis] = []
    try:
        rows = list(read_rows(path, (columns.prompt, columns.query, columns.response)))
        with Progress(f"{path.name}: {'counting tokens' if counter else 'reading'}", len(rows), len(rows)) as progress:
            for first in range(0, len(rows), BATCH):
                batch = rows[first : first + BATCH]
                found += _diagnosed(batch, columns, counter, cutoff_len)
                progress.advance(len(batch), len(batch))
        if not found:
            raise FileLost("there is no record in it")
    except FileLost as lost:
        return [Diagnosis(lost.line, LOST, lost.reason)]
    return found


def _diagnosed(
    batch: list[LoadedRow], columns: Columns, counter: TokenCounter | None, cutoff_len: int
) -> Iterator[Diagnosis]:
    """One Diagnosis for each row of a preprocessing batch; FileLost if LLaMA-Factory would fail on the batch."""
    texts = [_texts(row, columns) for row in batch]
    if all(answer is None for _, answer in texts):
        raise FileLost(
            f"none of the {len(batch):,} records from here on would be kept ({_dropped(batch[0][1][2], columns)}), and "
            f"LLaMA-Factory fails on such a batch; its batches are of {BATCH:,}",
            batch[0][0],
        )
    kept = [(prompt, answer) for prompt, answer in texts if answer is not None]
    lengths = iter(counter(kept) if counter else ())
    for (line, values), (prompt, answer) in zip(batch, texts, strict=True):
        if answer is None:
            yield Diagnosis(line, DROPPED, _dropped(values[2], columns))
            continue
        blank = [name for name, text in (("the prompt", prompt), (f'"{columns.response}"', answer)) if not text]
        if not values[0] and prompt:
            blank.insert(0, f'"{columns.prompt}"')
        reason = f"{' and '.join(blank)} {'are' if len(blank) > 1 else 'is'} empty" if blank else ""
        if counter is None:
            yield Diagnosis(line, EMPTY if blank else TRAINS, reason)
            continue
        source, target = next(lengths)
        kept_source, kept_target = kept_lengths(source, target, cutoff_len)
        cut = source - kept_source, target - kept_target
        status = EMPTY if blank else TRAINS
        if any(cut):
            status = TRUNCATED
            what = f"{source + target:,} tokens, {cutoff_len:,} fit: {cut[0]:,} of the prompt and {cut[1]:,} of the answer lost"
            reason = f"{what}; {reason}" if reason else what
        yield Diagnosis(line, status, reason, source, target, *cut)


def _texts(row: LoadedRow, columns: Columns) -> tuple[str, str | None]:
    """The prompt and the answer as LLaMA-Factory's converter makes them; a record whose answer is None is dropped."""
    line, (prompt, query, response) = row
    texts = []
    for name, value in ((columns.prompt, prompt), (columns.query, query)):
        if value and not isinstance(value, str):
            raise FileLost(f'column "{name}" holds {_kind(value)}, expected text', line)
        if value:
            texts.append(value)
    return "\n".join(texts), response if isinstance(response, str) else None


def _dropped(response: Any, columns: Columns) -> str:
    if response is None:
        return f'"{columns.response}" is missing or null'
    return f'"{columns.response}" holds {_kind(response)}, expected text'


def _kind(value: Any) -> str:
    from datetime import datetime

    if isinstance(value, datetime):
        return "dates (every text in the column looks like one)"
    if isinstance(value, bool):
        return "true or false"
    return "numbers" if isinstance(value, int | float) else "lists" if isinstance(value, list) else "objects"
