"""Writes YAML of the plainest kind: mappings and lists in blocks, every string in double quotes, so that no `no`, `1.0`
or `2026-01-01` turns into something else. Pure; a library would be a dependency for these lines.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

Value = str | int | bool | Sequence["Value"] | Mapping[str, "Value"]

_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
"""What JSON leaves as it is and YAML does not allow, or takes for a line's end."""


def to_yaml(document: Mapping[str, Value]) -> str:
    """A document."""
    return "".join(f"{line}\n" for line in _mapping(document))


def quoted(text: str) -> str:
    """A string in double quotes, which are JSON's but for a few characters."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _mapping(mapping: Mapping[str, Value]) -> Iterator[str]:
    for name, value in mapping.items():
        plain = _PLAIN_KEY.fullmatch(name) and name.lower() not in _RESERVED
        yield from _entry(f"{name if plain else quoted(name)}:", value)


def _entry(head: str, value: Value) -> Iterator[str]:
    if isinstance(value, str | int):
        yield f"{head} {_scalar(value)}"
    elif not value:
        yield f"{head} {'{}' if isinstance(value, Mapping) else '[]'}"
    else:
        yield head
        lines = _mapping(value) if isinstance(value, Mapping) else _list(value)
        yield from (f"  {line}" for line in lines)


def _list(values: Sequence[Value]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
        else:
            yield from _entry("-", value)


def _scalar(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)
