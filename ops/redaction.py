"""Take secrets out of text before it is logged: a filter installed once, never a call to remember.

Passwords travel in connection URLs, in libpq connection strings, in environment listings and in JSON documents; each
shape is recognised by what stands before the secret, so that the name of a user or a host stays readable.
"""

from __future__ import annotations

import logging
import re
from typing import Final, TextIO

MASK: Final = "***"

_URL_PASSWORD = re.compile(r"(?P<before>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@'\"]*:)[^\s'\"]+(?=@)")
_NAMED_SECRET = re.compile(
    r"(?P<before>\b(?:[A-Za-z0-9_.-]*(?:password|passwd|secret|token|access_key|private_key))"
    r"['\"]?\s*[=:]\s*)(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&'\"}]+)",
    re.IGNORECASE,
)
_ACCESS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")


def redact(text: str) -> str:
    """Replace every password, token and access key in ``text`` by ``***``; everything else stays as it is."""
    text = _URL_PASSWORD.sub(rf"\g<before>{MASK}", text)
    text = _NAMED_SECRET.sub(rf"\g<before>{MASK}", text)
    return _ACCESS_KEY_ID.sub(MASK, text)


class RedactionFilter(logging.Filter):
    """Redact each record a handler is about to write, its arguments and its traceback included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drop one."""
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


def log_to(stream: TextIO) -> None:
    """Send warnings of every library to ``stream``, redacted; calling it again changes nothing."""
    root = logging.getLogger()
    if any(isinstance(item, RedactionFilter) for handler in root.handlers for item in handler.filters):
        return
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.WARNING)
    handler.addFilter(RedactionFilter())
    root.addHandler(handler)
