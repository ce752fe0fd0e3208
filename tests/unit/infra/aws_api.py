"""What AWS's own service models say about a request: unknown names, missing parts, unknown words, wrong lengths.

botocore checks names and types before it sends; words, lengths and patterns are in its models, too, but unchecked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

_SPELT_OTHERWISE = {"okActions": "OKActions"}
_SESSION = botocore.session.get_session()


def complaints(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """Say what AWS would refuse about the parameters of a call; nothing when it would take them."""
    shape = _SESSION.get_service_model(service).operation_model(operation).input_shape
    return list(_structure(operation, shape, parameters))


def api_name(name: str) -> str:
    """Turn a property's spelling into the API's: ``taskCount`` into ``TaskCount``."""
    return _SPELT_OTHERWISE.get(name, name[0].upper() + name[1:])


def api_value(value: Any) -> Any:
    """Respell what Pulumi records, all the way down; its numbers are floats."""
    if isinstance(value, Mapping):
        return {api_name(name): api_value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [api_value(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check(where: str, shape: Shape, value: Any) -> Iterator[str]:
    checks: dict[str, Callable[[str, Any, Any], Iterator[str]]] = {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
    }
    if shape.type_name in checks:
        yield from checks[shape.type_name](where, shape, value)
    elif shape.type_name in ("integer", "long", "double", "float"):
        yield from _size(where, shape, value, value)


def _structure(where: str, shape: StructureShape, value: Any) -> Iterator[str]:
    yield from (f"{where}: no such part as {name}" for name in value if name not in shape.members)
    yield from (f"{where}: {name} is missing" for name in shape.required_members if value.get(name) is None)
    for name, item in value.items():
        if name in shape.members and item is not None:
            yield from _check(f"{where}.{name}", shape.members[name], item)


def _list(where: str, shape: ListShape, value: Any) -> Iterator[str]:
    yield from _size(where, shape, len(value), value)
    for item in value:
        yield from _check(f"{where}[]", shape.member, item)


def _map(where: str, shape: MapShape, value: Any) -> Iterator[str]:
    for name, item in value.items():
        yield from _check(f"{where} key", shape.key, name)
        yield from _check(f"{where}[{name}]", shape.value, item)


def _string(where: str, shape: Shape, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{where}: {value!r} is not text"
        return
    words = shape.metadata.get("enum")
    if words and value not in words:
        yield f"{where}: {value!r} is none of {words}"
    yield from _size(where, shape, len(value), value)
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield f"{where}: {value!r} does not match {pattern}"


def _size(where: str, shape: Shape, size: float, value: Any) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{where}: {value!r} is below {least}"
    if most is not None and size > most:
        yield f"{where}: {value!r} is above {most}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        # Some patterns are Java's.
        return True
