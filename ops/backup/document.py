"""Reading frozen dataclasses back from the plain JSON documents that :func:`ops.outcome.to_plain` writes.

Manifests and drill records are read years after they were written, by whoever needs them, so reading is strict:
a missing or misspelt field is an error here rather than a surprise in the middle of a restore.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from ops.outcome import to_plain

T = TypeVar("T")


def canonical_json(value: Any) -> bytes:
    """Write a value so that equal values give equal bytes: sorted keys, no white space, UTF-8."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_document(cls: type[T], document: Any) -> T:
    """Build a frozen dataclass, its nested dataclasses included, from a decoded JSON object.

    Raises:
        ValueError: the document lacks a field, has one too many, or holds a value of another type.
    """
    if not isinstance(document, Mapping):
        raise ValueError(f"expected an object for {cls.__name__}, found {type(document).__name__}")
    hints = typing.get_type_hints(cls)
    names = {field.name for field in dataclasses.fields(typing.cast("Any", cls))}
    if names != set(document):
        raise ValueError(f"{cls.__name__} has other fields: {', '.join(sorted(names ^ set(document)))}")
    return cls(**{name: _read(hints[name], document[name], name) for name in names})


def _read(hint: Any, value: Any, name: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _read(_not_none(hint), value, name)
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{name} is not a list")
        return tuple(_read(typing.get_args(hint)[0], item, name) for item in value)
    if origin is dict:
        return {key: _read(typing.get_args(hint)[1], item, name) for key, item in value.items()}
    return _read_plain(hint, value, name)


def _read_plain(hint: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return read_document(typing.cast("type[Any]", hint), value)
    if hint is dt.datetime:
        return dt.datetime.fromisoformat(value)
    if issubclass(hint, enum.Enum):
        return hint(value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ValueError(f"{name} is {type(value).__name__}, not {hint.__name__}")
    return value


def _not_none(hint: Any) -> Any:
    return next(part for part in typing.get_args(hint) if part is not type(None))
