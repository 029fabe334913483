"""The inputs of a problem, out of the JSON of the release: JSON has no tuples, sets and complex numbers.

MBPP+ says by the number of a task what its lists stand for (data/mbpp.py of the evalplus package, release 0.3.1).
"""

import json
from collections.abc import Callable
from typing import Any

Inputs = list[Any]  # the arguments of one call


def _tuples(call: Inputs) -> Inputs:
    return [tuple(value) for value in call]


def _lists_of_tuples(call: Inputs) -> Inputs:
    return [[tuple(item) for item in value] for value in call]


def _tuples_of_tuples(call: Inputs) -> Inputs:
    return [tuple(tuple(item) for item in value) for value in call]


def _deep(value: Any) -> Any:
    return tuple(map(_deep, value)) if isinstance(value, list) else value


_FORMS: list[tuple[Callable[[Inputs], Any], tuple[int, ...]]] = [
    (
        _tuples,
        (2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809),
    ),
    (_lists_of_tuples, (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780)),
    (_tuples_of_tuples, (259, 401, 445)),
    (lambda call: [[tuple(item) for item in call[0]], call[1]], (75, 413, 444, 753)),
    (lambda call: [call[0], tuple(call[1])], (106, 750)),
    (lambda call: [[set(item) if isinstance(item, list) and item else {} for item in call[0]]], (115,)),
    (lambda call: [float(call[0]), complex(call[1])], (124,)),
    (lambda call: [tuple(call[0]), call[1]], (250, 405, 446, 617, 720, 763, 808)),
    (lambda call: [complex(call[0])], (252,)),
    (lambda call: [tuple(tuple(item) if isinstance(item, list) else item for item in call[0])], (278,)),
    (lambda call: [tuple(call[0]), call[1], call[2]], (307,)),
    (_deep, (580, 615, 791)),
    (lambda call: [{key: tuple(value) for key, value in call[0].items()}, *call[1:]], (722,)),
]
_MBPP = {number: form for form, numbers in _FORMS for number in numbers}


def read_inputs(text: str, mbpp_number: int | None) -> list[Inputs]:
    """The inputs of one part, each a list of arguments, from the JSON of the release; `mbpp_number` of an MBPP+ problem.

    Raises ValueError, TypeError, IndexError, KeyError or AttributeError where the text is no such list.
    """
    calls = json.loads(text)
    form = _MBPP.get(mbpp_number) if mbpp_number is not None else None
    return [list(form(call) if form else call) for call in calls]
