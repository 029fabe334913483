"""The texts of a problem, from a row of any benchmark's file: what a training record must not hold.

No tests are unpacked and no toolchain is asked for. Each form in which a benchmark is released is known by its fields.
"""

from seedkit.errors import InputError

from benchmarks import humaneval, mbpp
from benchmarks.contract import ProblemTexts
from benchmarks.dataset_rows import Row
from benchmarks.livecodebench import prompts
from benchmarks.multipl_e import dataset

RELEASED = ("HumanEval", "MBPP", "MBPP-sanitized", "MultiPL-E", "LiveCodeBench")


def problem_texts(row: Row) -> ProblemTexts:
    """The problem in a row, whichever benchmark it is from.

    Raises:
        InputError: the row is of no known form, a field is no string, or the prompt is blank.
    """
    # in this order: a row of MultiPL-E's Python has all fields of HumanEval's too
    for read in (mbpp.texts_in, dataset.texts_in, humaneval.texts_in, prompts.texts_in):
        found = read(row)
        if found is not None:
            break
    else:
        raise InputError(
            f"{row.where}: expected a problem of {', '.join(RELEASED)}, got the fields {', '.join(row.fields) or 'none'}"
        )
    if not found.prompt.strip():
        raise InputError(f"{row.where}: expected a problem, got an empty prompt")
    return found
