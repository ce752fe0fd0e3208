"""A stack's configuration, read one key at a time; whatever is wrong is said with the key, the value and the form.

Pulumi hands every value over as text, JSON for lists and objects; a YAML file gives them as they are. Both are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

Value = TypeVar("Value")

_NOT_SET: Final = (None, "")


class SettingsError(ValueError):
    """A stack's configuration cannot be deployed; the message names the key, its value and what is accepted."""


class Configuration:
    """What is configured, and which keys were asked for, so that a misspelt one is not silently ignored."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self.asked: set[str] = set()

    def text(self, key: str, default: str | None = None, *, form: str, accept: Callable[[str], object]) -> str:
        """Read text that ``accept`` finds true. Without a default, it must be set."""
        value = self._value(key, default, form)
        if not isinstance(value, str):
            value = str(value)
        if value != default and not accept(value):
            refuse(key, value, form)
        return value

    def optional(self, key: str, *, form: str, accept: Callable[[str], object]) -> str | None:
        """Read text that may be left out."""
        return self.text(key, "", form=form, accept=accept) or None

    def secret(self, key: str, *, form: str, accept: Callable[[str], object]) -> str:
        """Read required text whose value is never repeated."""
        value = str(self._value(key, None, form))
        if not accept(value):
            raise SettingsError(f"{key}: the secret value ({len(value)} characters) is not {form}.")
        return value

    def choice(self, key: str, default: str | None, accepted: Iterable[str]) -> str:
        """Read one of a few words."""
        words = sorted(accepted)
        return self.text(key, default, form=f"one of {', '.join(words)}", accept=lambda value: value in words)

    def flag(self, key: str, default: bool) -> bool:
        """Read true or false."""
        value = self._value(key, default, "true or false")
        meaning = {True: True, False: False, "true": True, "false": False}.get(value) if _is_plain(value) else None
        return refuse(key, value, "true or false") if meaning is None else meaning

    def number(self, key: str, default: int | None, *, least: int, most: int) -> int:
        """Read a whole number between two others."""
        form = f"a whole number from {least} to {most}"
        value = self._value(key, default, form)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or (value != default and not least <= value <= most):
            refuse(key, value, form)
        return value

    def texts(
        self, key: str, default: Sequence[str] = (), *, form: str, accept: Callable[[str], object]
    ) -> tuple[str, ...]:
        """Read a list of texts, each accepted and none twice."""
        value = self._structure(key, list(default), list, form)
        wrong = [item for item in value if not isinstance(item, str) or not accept(item)]
        if wrong or len(set(value)) != len(value):
            refuse(key, value, form)
        return tuple(value)

    def mapping(self, key: str, *, form: str, accept: Callable[[str, str], object]) -> Mapping[str, str]:
        """Read an object of texts, each name and value accepted together."""
        value = self._structure(key, {}, dict, form)
        wrong = [name for name, text in value.items() if not isinstance(text, str) or not accept(name, text)]
        if wrong:
            refuse(key, value, form)
        return dict(value)

    def refuse_what_was_not_asked(self) -> None:
        """Refuse keys that mean nothing here.

        Raises:
            SettingsError: there is one.
        """
        unknown = sorted(set(self._raw) - self.asked)
        if unknown:
            raise SettingsError(f"{unknown[0]}: there is no such key. Accepted are {', '.join(sorted(self.asked))}.")

    def _value(self, key: str, default: Any, form: str) -> Any:
        self.asked.add(key)
        value = self._raw.get(key)
        if value not in _NOT_SET:
            return value
        if default is None:
            raise SettingsError(f"{key}: nothing is set. Set it to {form}.")
        return default

    def _structure(self, key: str, default: Value, kind: type[Value], form: str) -> Value:
        value = self._value(key, default, form)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                refuse(key, value, form)
        return value if isinstance(value, kind) else refuse(key, value, form)


def refuse(key: str, value: object, form: str) -> NoReturn:
    """Refuse a value.

    Raises:
        SettingsError: always.
    """
    raise SettingsError(f"{key}: {_quoted(value)} is not accepted. It must be {form}.")


def _quoted(value: object) -> str:
    return json.dumps(value, default=str)


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | str)
