"""Settings that a person writes: YAML, read strictly."""

from collections import Counter
from pathlib import Path
from typing import Any

from seedkit.errors import InputError


def parsed_yaml(path: Path, content: bytes) -> Any:
    """What the bytes of a YAML file say; `path` is where they are.

    Raises InputError where they are no YAML, or a key is there twice, of which YAML would take the last.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        _once(path, yaml.compose(content, yaml.SafeLoader))
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise InputError(f"{path}: expected YAML, got {' '.join(str(error).split()):.200}") from None


def _once(path: Path, node: Any) -> None:
    """InputError where a mapping of the YAML tree has a key twice."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        counts = Counter(str(key.value) for key, _ in node.value)
        if twice := [key for key, count in counts.items() if count > 1]:
            raise InputError(f"{path}: expected each key once, got {twice[0]} again")
    for part in node.value if isinstance(node, yaml.CollectionNode) else []:
        for one in part if isinstance(part, tuple) else (part,):
            _once(path, one)
