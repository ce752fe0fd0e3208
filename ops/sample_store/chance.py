"""Chance that falls the same way on every machine: the same key gives the same draws, for ever.

Everything is derived from :meth:`random.Random.random`, the one method whose sequence Python promises to keep between
versions, and from BLAKE2, so that any record can be made again from its number without remembering the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Option = TypeVar("Option")

_HEX_DIGITS_PER_DRAW = 12  # 48 bits: random() carries 53


class Chance:
    """A sequence of draws named by its key."""

    def __init__(self, *key: object) -> None:
        self._random = Random(int.from_bytes(_digest(key), "big"))  # noqa: S311 - sample data, not secrets

    def below(self, limit: int) -> int:
        """Draw a whole number from 0 to ``limit`` - 1, all equally likely."""
        return int(self._random.random() * limit)

    def skewed_below(self, limit: int) -> int:
        """Draw a whole number from 0 to ``limit`` - 1, small ones more often, as few people do most work."""
        return int(self._random.random() ** 2 * limit)

    def between(self, lowest: int, highest: int) -> int:
        """Draw a whole number from ``lowest`` to ``highest``, both included."""
        return lowest + self.below(highest - lowest + 1)

    def one_in(self, number: int) -> bool:
        """Come true once in ``number`` draws."""
        return self.below(number) == 0

    def choose(self, options: Sequence[Option]) -> Option:
        """Draw one of the options."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[Option], at_most: int) -> list[Option]:
        """Draw up to ``at_most`` different options, in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(min(at_most, len(left)))]

    def hexadecimal(self, digits: int) -> str:
        """Draw ``digits`` lower-case hexadecimal digits."""
        draws = -(-digits // _HEX_DIGITS_PER_DRAW)
        text = "".join(f"{self.below(1 << 48):012x}" for _ in range(draws))
        return text[:digits]

    def characters(self, alphabet: str, length: int) -> str:
        """Draw ``length`` characters of the alphabet."""
        return "".join(self.choose(alphabet) for _ in range(length))

    def uuid(self) -> str:
        """Draw a UUID of version 4 in lower case."""
        return _as_uuid(self.hexadecimal(32))


def uuid_of(*key: object) -> str:
    """Give the version 4 UUID that belongs to a key."""
    return _as_uuid(_digest(key).hex())


def hexadecimal_of(digits: int, *key: object) -> str:
    """Give the ``digits`` (at most 32) hexadecimal digits that belong to a key."""
    return _digest(key).hex()[:digits]


def number_of(limit: int, *key: object) -> int:
    """Give the whole number from 0 to ``limit`` - 1 that belongs to a key."""
    return int.from_bytes(_digest(key)[:8], "big") % limit


def bytes_of(length: int, *key: object) -> bytes:
    """Give the ``length`` bytes that belong to a key."""
    return hashlib.shake_128(_spell(key)).digest(length)


def _as_uuid(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _digest(key: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(_spell(key), digest_size=16).digest()


def _spell(key: tuple[object, ...]) -> bytes:
    return "/".join(map(str, key)).encode()
