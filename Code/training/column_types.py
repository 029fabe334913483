"""Which values can share a column, by datasets' and pandas' rules.

datasets casts JSON Lines to the types that their first 10 MB set; pandas infers the type of a column of a JSON array.
"""

import re
from collections.abc import Sequence
from typing import Any

LARGEST, SMALLEST = 2**64 - 1, -(2**63)  # the integers that pandas' parser can read
SURROGATE = re.compile("[\ud800-\udfff]")


class Unfit(Exception):
    """A column holds values that cannot share a type; `row` is the first that does not fit, 0 where it is not known."""

    def __init__(self, reason: str, row: int = 0) -> None:
        super().__init__(reason)
        self.row = row


def fitted(table: Any, schema: Any) -> Any:
    """The table cast to `schema`, which the first 10 MB of the file set; None for those 10 MB themselves.

    A missing column becomes null, numbers become text where the schema has text, anything else must convert exactly.
    Raises Unfit for a column that the schema lacks, or whose values cannot be converted.
    """
    import pyarrow as pa

    names = table.column_names  # raises UnicodeDecodeError for a key that is not UTF-8
    if schema is None:
        table.slice(0, 1).to_pylist()  # datasets decodes the first record in full, of the others only the used columns
        return table
    if table.schema.equals(schema):
        return table
    for name in names:
        if name not in schema.names:
            raise Unfit(f'column "{name}" is not in the first 10 MB of the file, which set the columns')
    columns = []
    for field in schema:
        if field.name not in names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        try:
            columns.append(_cast(table[field.name].combine_chunks(), field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, Unfit):
            raise Unfit(
                f'column "{field.name}" is {field.type} in the first 10 MB of the file, which set the types, '
                f"and cannot be made that from {table[field.name].type}"
            ) from None
    return pa.table(columns, names=schema.names)


def _cast(array: Any, target: Any) -> Any:
    """The array cast to the target type by datasets' rules; nested values are checked and returned unchanged."""
    import pyarrow as pa

    types = pa.types
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if array.type.equals(target):
        return array
    if types.is_null(array.type):
        return pa.nulls(len(array), target)
    if types.is_struct(array.type):
        if not types.is_struct(target):
            raise Unfit("a struct")
        fields = {field.name: field.type for field in target}
        for position, field in enumerate(array.type):
            if field.name not in fields:
                raise Unfit("another struct")
            _cast(array.field(position), fields[field.name])
        return array
    if types.is_list(array.type):
        if not types.is_list(target):
            raise Unfit("a list")
        _cast(array.values, target.value_type)
        return array
    if types.is_struct(target) or types.is_list(target) or types.is_null(target):
        raise Unfit("not nested")
    return array.cast(target)


def array_column(values: list[Any], name: str) -> list[Any]:
    """A column of a JSON array as it comes out of pandas and pyarrow, with None where a record lacks it; else Unfit."""
    import pyarrow as pa

    kinds = {type(value) for value in values}
    if kinds <= {str, type(None)}:
        return [_decoded(value) if type(value) is str and not value.isascii() else value for value in values]
    if kinds <= {int, type(None)}:
        for row, value in enumerate(values):
            if value is not None and not SMALLEST <= value <= LARGEST:
                raise Unfit(f'column "{name}" holds an integer of more than 64 bits', row)
        return values
    clean = [_without_surrogates(value) for value in values]
    try:
        result: list[Any] = pa.array(clean, from_pandas=True).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        row = _first_unfit(clean)
        above = next((_kind(value) for value in clean[:row] if value is not None), "null")
        raise Unfit(f'column "{name}" holds different types: {above} above, {_kind(clean[row])} here', row) from None
    return result


def _first_unfit(values: Sequence[Any]) -> int:
    """The index of the first value that has no type in common with those before it, found by halving."""
    import pyarrow as pa

    good, bad = 0, len(values)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            pa.array(values[:middle], from_pandas=True)
            good = middle
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            bad = middle
    return bad - 1


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _decoded(value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _decoded(text: str) -> str:
    """The text as pandas' parser reads it: high surrogates vanish, a low one joins the last high one before it."""
    high = 0

    def joined(match: re.Match[str]) -> str:
        nonlocal high
        code = ord(match[0])
        if code < 0xDC00:
            high = code
            return ""
        return chr(0x10000 + ((high - 0xD800) << 10) + code - 0xDC00) if high else ""

    return SURROGATE.sub(joined, text)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {dict: "object", str: "string", int: "number", float: "number", list: "array"}.get(type(value), "null")
