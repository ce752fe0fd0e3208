"""A stack's configuration, read one key at a time; whatever is wrong is said with the key, the value and the form.

Pulumi hands every value over as text, JSON for lists and objects; a YAML file gives them as they are. Both are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, TypeVar

Value = TypeVar("Value")

_NOT_SET: Final = (None, "")
# A sentence should stay one: of longer values, the beginning is enough to find them by.
_LONGEST_QUOTED: Final = 120
# Longer ones are above every limit, and Python would rather not read them.
_LONGEST_NUMBER: Final = 18


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
        if isinstance(value, bool | int | float):
            value = quoted(value)
        if not isinstance(value, str) or (value != default and not accept(value)):
            refuse(key, value, form)
        return value

    def optional(self, key: str, *, form: str, accept: Callable[[str], object]) -> str | None:
        """Read text that may be left out."""
        return self.text(key, "", form=form, accept=accept) or None

    def secret(self, key: str, *, form: str, accept: Callable[[str], object]) -> str:
        """Read required text whose value is never repeated."""
        value = self._value(key, None, form)
        if not isinstance(value, str):
            raise SettingsError(f"{key}: the secret value is no text. It must be {form}.")
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
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER:
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
            refuse(key, wrong or value, form)
        return tuple(value)

    def mapping(
        self, key: str, *, form: str, accept: Callable[[str, str], object], private: bool = False
    ) -> Mapping[str, str]:
        """Read an object of texts, each name and value accepted together. Values that are private are not repeated."""
        value = self._structure(key, {}, dict, form)
        for name, text in value.items():
            if not isinstance(name, str) or not isinstance(text, str) or not accept(name, text):
                refuse(key, {str(name): "..." if private else text}, form)
        return dict(value)

    def refuse_what_was_not_asked(self) -> None:
        """Refuse keys that mean nothing here.

        Raises:
            SettingsError: there is one.
        """
        unknown = sorted(set(self._raw) - self.asked)
        if unknown:
            raise SettingsError(
                f"{shortened(unknown[0])}: there is no such key. Accepted are {', '.join(sorted(self.asked))}."
            )

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
            except (ValueError, RecursionError):
                refuse(key, value, form)
        return value if isinstance(value, kind) else refuse(key, value, form)


def refuse(key: str, value: object, form: str) -> NoReturn:
    """Refuse a value.

    Raises:
        SettingsError: always.
    """
    raise SettingsError(f"{key}: {quoted(value)} is not accepted. It must be {form}.")


def quoted(value: object) -> str:
    """Give a value as JSON, or the beginning of it."""
    try:
        return shortened(json.dumps(value, default=str))
    except TypeError:
        return shortened(str(value))
    except (RecursionError, ValueError):
        return f"a value of the kind {type(value).__name__} that cannot be shown"


def shortened(text: str) -> str:
    """Give text that fits into a sentence, and how long it was if it did not."""
    return text if len(text) <= _LONGEST_QUOTED else f"{text[:_LONGEST_QUOTED]}... ({len(text)} characters)"


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | str)
